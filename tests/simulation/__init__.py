"""Whole games from seeds, with faults: the plain half alone, and all of it in memory."""
