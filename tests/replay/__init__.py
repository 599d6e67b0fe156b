"""Tests of recordings and of their replay."""
