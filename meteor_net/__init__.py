"""Real-time multiplayer for Python: chat and game state, on Twisted.

Only the public names, and each is loaded when it is first asked for, so that `import meteor_net` is cheap and the plain half
works where Twisted is not installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

#: Public name -> the module that holds it.
_HOMES = {
    **dict.fromkeys(
        ["MeteorError", "ConfigError", "Refused", "BaseLost", "MessageError", "ConnectionFailed", "CloseCode"],
        "errors",
    ),
    **dict.fromkeys(["NetworkMessage", "MessageType", "LineKind"], "messages"),
    **dict.fromkeys(["Limits"], "limits"),
    **dict.fromkeys(
        ["IChatHandler", "ISyncHandler", "IAuthenticator", "IStorage", "IRoom", "IPlayer", "IWorld"], "interfaces"
    ),
    **dict.fromkeys(
        [
            "Table", "Row", "World", "Fixed", "Angle", "UInt", "Int", "Flag", "Choice", "Text", "Local",
            "Cells", "Team", "Owner",
            "Action", "Input", "Event", "StateSync", "elementwise",
        ],
        "state",
    ),
    **dict.fromkeys(["ChatSystem"], "chat"),
    **dict.fromkeys(["Game", "Chat", "handles", "for_moderators"], "game"),
    **dict.fromkeys(
        ["NetworkClient", "NetworkConfig", "ConnectionManager", "ConnectionPool", "NetworkErrorHandler", "connect"], "client"
    ),
    **dict.fromkeys(["NetworkMonitor", "NetworkReport"], "monitor"),
}  # fmt: skip

__all__ = sorted(_HOMES)

if TYPE_CHECKING:
    from .chat import ChatSystem as ChatSystem
    from .client import ConnectionManager as ConnectionManager
    from .client import ConnectionPool as ConnectionPool
    from .client import NetworkClient as NetworkClient
    from .client import NetworkConfig as NetworkConfig
    from .client import NetworkErrorHandler as NetworkErrorHandler
    from .client import connect as connect
    from .errors import BaseLost as BaseLost
    from .errors import CloseCode as CloseCode
    from .errors import ConfigError as ConfigError
    from .errors import ConnectionFailed as ConnectionFailed
    from .errors import MessageError as MessageError
    from .errors import MeteorError as MeteorError
    from .errors import Refused as Refused
    from .game import Chat as Chat
    from .game import Game as Game
    from .game import for_moderators as for_moderators
    from .game import handles as handles
    from .interfaces import IAuthenticator as IAuthenticator
    from .interfaces import IChatHandler as IChatHandler
    from .interfaces import IPlayer as IPlayer
    from .interfaces import IRoom as IRoom
    from .interfaces import IStorage as IStorage
    from .interfaces import ISyncHandler as ISyncHandler
    from .interfaces import IWorld as IWorld
    from .limits import Limits as Limits
    from .messages import LineKind as LineKind
    from .messages import MessageType as MessageType
    from .messages import NetworkMessage as NetworkMessage
    from .monitor import NetworkMonitor as NetworkMonitor
    from .monitor import NetworkReport as NetworkReport
    from .state import Action as Action
    from .state import Angle as Angle
    from .state import Cells as Cells
    from .state import Choice as Choice
    from .state import Event as Event
    from .state import Fixed as Fixed
    from .state import Flag as Flag
    from .state import Input as Input
    from .state import Int as Int
    from .state import Local as Local
    from .state import Owner as Owner
    from .state import Row as Row
    from .state import StateSync as StateSync
    from .state import Table as Table
    from .state import Team as Team
    from .state import Text as Text
    from .state import UInt as UInt
    from .state import World as World
    from .state import elementwise as elementwise


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
