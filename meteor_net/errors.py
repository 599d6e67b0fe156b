"""What can go wrong, and how a connection ends.

The whole tree::

    MeteorError                      never raised itself
     +-- ConfigError                 an option or a handler is wrong: said before anything listens
     +-- Refused                     a handler says no: the peer hears why, the session goes on
     +-- BaseLost                    a step from a version that we no longer hold: send a keyframe
     +-- MessageError                one message could not be dealt with; the session goes on
     +-- StorageError                storage failed: nothing was kept, or nobody knows
     +-- ConnectionFailed            a client could not get, or keep, a connection
     +-- ProtocolError
          +-- LocalProtocolError     our caller's mistake; never sent
          +-- RemoteProtocolError    the peer's mistake; carries the close code
               +-- PacketError       bytes that are no packet

Nothing is imported here but the enum: every other module may import this one.
"""

from __future__ import annotations

from enum import IntEnum


class CloseCode(IntEnum):
    """Why a connection ends (RFC 6455 §7.4; ours are in the private range 4000-4999).

    The range tells a client what to do: 4000-4499 come back, 4500-4999 stay away.
    """

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL = 1002
    TEXT_FRAME = 1003
    NO_STATUS = 1005
    ABNORMAL = 1006
    TOO_BIG = 1009
    INTERNAL = 1011
    # 4000-4499: come back
    RESTARTING = 4000
    TOO_SLOW = 4001
    SILENT = 4002
    HELLO_TIMEOUT = 4003
    # 4500-4999: stay away
    BAD_PACKET = 4500
    WRONG_PHASE = 4501
    WRONG_VERSION = 4502
    NOT_ALLOWED = 4503
    REPLACED = 4504
    KICKED = 4505
    FLOOD = 4506
    ELSEWHERE = 4507


_STANDARD_COME_BACK = frozenset({1001, 1005, 1006, 1011, 1012, 1013, 1014})


def come_back(code: int) -> bool:
    """Tell whether a client whose connection ended with `code` should connect again."""
    return 4000 <= code <= 4499 or code in _STANDARD_COME_BACK


class MeteorError(Exception):
    """Above every error of this package; catch it, never raise it."""


class ConfigError(MeteorError):
    """An option, a handler or a declaration is wrong; one line that says which."""


class Refused(MeteorError):
    """A handler says no. Only the player who asked hears the text; nothing else happens.

    Attributes:
        text: Why, for people.
        reason: Why, in one word, for programs.
        wait_s: Seconds after which the same may be allowed; 0.0 if that is not known, or waiting does not help.
    """

    def __init__(self, text: str = "refused", reason: str = "refused", wait_s: float = 0.0) -> None:
        super().__init__(text)
        self.text = text
        self.reason = reason
        self.wait_s = wait_s


class BaseLost(MeteorError):
    """The version that a step should start from is no longer held; a keyframe is needed."""


class MessageError(MeteorError):
    """One message could not be dealt with; the session goes on."""


class StorageError(MeteorError):
    """Storage failed; the text says why, for operators and players.

    Attributes:
        unknown: True if what was to be kept may be kept all the same; asking again is safe.
    """

    def __init__(self, text: str, *, unknown: bool = False) -> None:
        super().__init__(text)
        self.text = text
        self.unknown = unknown


class ConnectionFailed(MeteorError):
    """A client could not get, or keep, a connection.

    Attributes:
        code: The close code, 1006 where there was none.
    """

    def __init__(self, text: str, code: int = CloseCode.ABNORMAL) -> None:
        super().__init__(text)
        self.code = code


class ProtocolError(MeteorError):
    """A rule of the wire was broken."""


class LocalProtocolError(ProtocolError):
    """Our own caller broke it: nothing is sent."""


class RemoteProtocolError(ProtocolError):
    """The peer broke it: the connection ends with `code`."""

    def __init__(self, text: str, code: CloseCode = CloseCode.WRONG_PHASE) -> None:
        super().__init__(text)
        self.text = text
        self.code = code


class PacketError(RemoteProtocolError):
    """Bytes that are no packet (wire page, clauses 2 and 3)."""

    def __init__(self, text: str, code: CloseCode = CloseCode.BAD_PACKET) -> None:
        super().__init__(text, code)
