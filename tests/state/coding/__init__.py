"""Tests of `meteor_net.state.coding`."""
