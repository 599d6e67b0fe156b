"""Tests of `meteor_net.chat`."""
