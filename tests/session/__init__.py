"""Tests of `meteor_net.session`."""
