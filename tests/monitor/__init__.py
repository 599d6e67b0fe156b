"""Tests of `meteor_net.monitor`."""
