"""The shared world: fields, tables, versions, and how the difference of two versions travels.

Server: a `World` holds live tables; a `Stream` commits it into versions and gives steps between them.
Client: a `Replica` applies steps; `interpolate` shows the moment between two versions.
"""

from __future__ import annotations

from meteor_net.errors import BaseLost
from meteor_net.state.coding import FEATURES, Coding
from meteor_net.state.errors import DeadRow, DocumentError, FrameError, TableFull
from meteor_net.state.fields import Field
from meteor_net.state.interpolation import interpolate
from meteor_net.state.numeric import Angle, Fixed, Int, UInt
from meteor_net.state.own import elementwise
from meteor_net.state.records import Action, Event, Input
from meteor_net.state.replica import Replica
from meteor_net.state.rotation import Quaternion
from meteor_net.state.row import Row
from meteor_net.state.schema import Schema
from meteor_net.state.sight.keys import Cells, Owner, Team
from meteor_net.state.stream import Step, Stream
from meteor_net.state.sync import StateSync
from meteor_net.state.table import Table
from meteor_net.state.version import Version
from meteor_net.state.view import RowView, TableView, WorldView
from meteor_net.state.words import Choice, Data, Flag, Local, Text
from meteor_net.state.world import World

__all__ = [
    "FEATURES", "Action", "Angle", "BaseLost", "Cells", "Choice", "Coding", "Data", "DeadRow", "DocumentError", "Event",
    "Field", "Fixed", "Flag", "FrameError", "Input", "Int", "Local", "Owner", "Quaternion", "Replica", "Row", "RowView",
    "Schema", "StateSync", "Step", "Stream", "Table", "TableFull", "TableView", "Team", "Text", "UInt", "Version", "World",
    "WorldView", "elementwise", "interpolate",
]  # fmt: skip
