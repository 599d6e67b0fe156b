"""Tests of `meteor_net.client`."""
