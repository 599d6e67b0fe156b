"""Bytes and what they mean, for every language."""
