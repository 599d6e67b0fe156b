"""Tests of meteor_net: trial test cases, run by pytest and by `python -m twisted.trial tests` alike."""
