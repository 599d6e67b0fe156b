"""Meteorite Drift Bottle, the game that ships: fly among meteorites, throw bottles with messages, find other people's."""

from __future__ import annotations

from .game import Drift

__all__ = ["Drift"]
