"""A room: where a game runs, who is in it, and who hears what.

`room` opens, lets players in and out, and ticks; beside it `feed` gives each player the frames it lacks, `actions` takes what
players do, `talk` what they say, `events` what happens once, and `asking` calls the handlers' verbs, whatever those answer.
"""

from .asking import Report
from .player import Player
from .room import Room, Surroundings

__all__ = ["Player", "Report", "Room", "Surroundings"]
