"""Tests of the games in `docs/examples`."""
