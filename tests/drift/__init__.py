"""Tests of `meteor_net.drift`."""
