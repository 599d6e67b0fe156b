"""A room: where a game runs, who is in it, and who hears what.

`room` opens, ticks and closes; beside it `members` lets players in and out, `feed` gives each the frames it lacks, `actions`
takes what players do, `steps` moves their rows by their inputs, `rewind` looks back, `talk` takes what they say, `events` tells
what happens once, `asking` calls the handlers' verbs, whatever those answer, and `saving` keeps tables for the next time.
"""

from ..requests import Report
from .player import Player
from .room import Room
from .surroundings import Surroundings

__all__ = ["Player", "Report", "Room", "Surroundings"]
