"""Tests of what we test with."""
