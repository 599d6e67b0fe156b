"""Tests with real processes, real sockets and a real browser."""
