"""Makes `packets.json`: packets and what they mean, and bytes that are no packet; read by the Python and JavaScript tests.

Run `python -m tests.vectors.make_packets` after a change of the wire; a test tells when that was forgotten.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from meteor_net.codec import encode_items, encode_packet
from meteor_net.messages import (
    CODES,
    FROM_CLIENT,
    Ack,
    ActionMessage,
    Clock,
    Earlier,
    ErrorMessage,
    EventMessage,
    Frame,
    Gap,
    Goodbye,
    Held,
    Hello,
    History,
    Join,
    Joined,
    Leave,
    Left,
    Line,
    Lost,
    Message,
    Own,
    Page,
    Ping,
    Pong,
    RefusedMessage,
    Result,
    Said,
    Say,
    Unsaid,
    Welcome,
)

PATH = Path(__file__).with_name("packets.json")

ABOUT = """\
Packets and what they mean (wire page, clauses 2 and 3).
Bytes are hexadecimal; a byte string inside a meaning is {"hex": "..."}.
"packets": each has "name", "way" ("client" sends it, or "server", or "both"), "hex",
and "messages": arrays that begin with the code.
"refused": bytes that are no packet of that way, and why; a decoder answers with its one error, and nothing else."""

_LINE = Line(3, 7, 1_790_000_000_000, 41, 0, "guest-00ff", "Ann", "Hallo, \u00d6resund \U0001f30a", "c-1")
_HEART = "\u2764\ufe0f"
_DATA = {"dice": [3, 5], "share": 0.5, "seal": b"\x00\xff"}
#: A line of each kind that there is, as its hearers get it while it is new.
_KINDS = [
    Line(3, 8, 1_790_000_000_001, 41, 1, "", "", "Ann sails in"),
    Line(3, 9, 1_790_000_000_002, 41, 2, "guest-00ff", "Ann", "\U0001f44d\U0001f3fd", "c-2"),
    Line(3, 10, 1_790_000_000_003, 41, 3, "bob", "Bob", _HEART, "b-1", 7, reactions=[(_HEART, 2, False)]),
    Line(3, 11, 1_790_000_000_004, 41, 4, "bob", "Bob", _HEART, "b-2", 7, reactions=[(_HEART, 1, False)]),
    Line(3, 12, 1_790_000_000_005, 41, 5, "guest-00ff", "Ann", "Hello @Bob", "c-3", 7, mentions=["bob"]),
    Line(3, 13, 1_790_000_000_006, 41, 6, "guest-00ff", "Ann", "", "c-4", 9),
    Line(4, 0, 1_790_000_000_007, 41, 7, "bob", "Bob", "psst", "b-3", to="guest-00ff"),
    Line(3, 14, 1_790_000_000_008, 41, 8, "guest-00ff", "Ann", "waves", "c-5"),
    Line(3, 15, 1_790_000_000_009, 41, 64, "bob", "Bob", "", "b-4", data=_DATA),
    Line(3, 16, 1_790_000_000_010, 41, 0, "bob", "Bob", "an answer", "b-5", 7),
]
#: The same room's lines for somebody who comes then.
_AS_THEY_STAND = [
    msgspec.structs.replace(_LINE, text="Hello @Bob", mentions=["bob"], state=1, reactions=[(_HEART, 1, True)]),
    _KINDS[0],
    msgspec.structs.replace(_KINDS[1], text="", state=2),
]
_X = {"name": "x", "kind": "fixed", "step": 0.0625, "low": 0, "high": 4096, "wrap": True}
_SCHEMA = {
    "tables": [
        {"name": "ship", "fields": [{"name": "x", "kind": "fixed", "step": 0.0625, "low": 0, "high": 4096, "wrap": True}]}
    ],
    "actions": [{"name": "Steer", "input": True, "fields": [{"name": "thrust", "kind": "flag"}]}],
    "events": [],
}

PACKETS: dict[str, list[Message]] = {
    "hello of a guest": [Hello([1], "Ann", None, None, "meteor-net.js 0.1", [])],
    "hello with a token and a resume token": [Hello([1, 2], None, "eyJ.x.y", "00" * 32, "", ["eg"])],
    "welcome": [
        Welcome(1, "5e55", "guest-00ff", "Ann", 1_790_000_000_000, "ab" * 32, {"ping_s": 15.0, "line_chars": 1000}, [])
    ],
    "join anew": [Join("a", 0, {}, None)],
    "join with places": [
        Join("drift/a", 1, {"epoch": 2**48 - 1, "tick": 70_000, "event": 3, "channels": {"drift/a": [9, 4]}}, b"\x01" * 8)
    ],
    "joined with a schema": [
        Joined(0, "drift/a", 2**48 - 1, 41, 1_790_000_000_000, 50_000, 0, [(3, "drift/a", 9, 8), (4, "@guest-00ff", 9, 0)],
               b"\x02" * 8, _SCHEMA, [(0, 5)], 0, 3, 65_535)
    ],
    "joined without": [Joined(0, "drift/a", 1, 0, 0, 16_667, 0, [], b"\x02" * 8, None, [], 12, 0)],
    "history with a gap": [History(3, 9, 8, True, [encode_items(_LINE)[1:]])],
    "history of lines as they stand": [History(3, 9, 17, False, [encode_items(line)[1:] for line in _AS_THEY_STAND])],
    "a line": [_LINE],
    "a line of each kind": list(_KINDS),
    "say, said, unsaid": [Said(3, "c-1", 7), Unsaid(3, "c-2", "slow-down", "too fast; again in 0.4 s"), Said(3, "c-3", -1)],
    "slow mode": [Said(3, "c-1", 7, 10_000), Unsaid(3, "c-2", "slow-down", "slow mode; again in 9.9 s", 9_900)],
    "say": [Say(3, "c-1", 0, "Hallo")],
    "say in all ways": [
        Say(3, "b-1", 3, _HEART, 7), Say(3, "c-3", 5, "Hello @Bob", 7), Say(3, "c-4", 6, "", 9),
        Say(4, "b-3", 7, "psst", to="guest-00ff"), Say(3, "b-4", 64, "", data=_DATA),
    ],
    "earlier": [Earlier(3, 7, 50), Earlier(3, 7, 100)],
    "a page": [Page(3, 9, 10, True, [encode_items(line)[1:] for line in _AS_THEY_STAND]), Page(3, 9, 0, False, [])],
    "a frame": [Frame(0, 65_535, 8, bytes(range(32)))],
    "a frame with texts": [Frame(0, 1, 0, b"\x00", [[0, 2, [5, 6], ["Ann", ""]]])],
    "an event and a gap": [EventMessage(0, 4, 42, 1, [-5, 0, 2**53 - 1, "text"]), Gap(0, 400)],
    "state from the client": [Held(0, 41), Lost(0)],
    "clock and own rows": [Clock(0, 8192, 1_790_000_400_000), Own(0, [(0, 5), (1, 16_383)]), Own(0, [])],
    "actions": [ActionMessage(0, 1, 328, 0, [-16, 1]), ActionMessage(0, 2, 0, 3, ["bottle"])],
    "answers": [
        Ack(0, 2, 42), Result(0, 2, {"got": ["bottle", 1, 1.5, -2.25, True, None, b"\x00\xff"]}), Result(0, 3, None),
        RefusedMessage(0, 4, "refused", "too fast"),
    ],
    "leave": [Leave(0)],
    "left": [Left(0, "removed", "be kind")],
    "pings": [Ping(1, 0), Pong(2**32, 1_790_000_000_000)],
    "error": [ErrorMessage(50, "room-full", "room drift/a is full: 64 are playing")],
    "goodbye": [Goodbye(4000, "the server stops")],
}  # fmt: skip

#: Name -> (way, bytes, why).
REFUSED: dict[str, tuple[str, str, str]] = {
    "nothing": ("both", "", "no item"),
    "no array": ("both", "a0", "a map"),
    "no message": ("both", "80", "an empty array"),
    "a message that is no array": ("both", "8101", "an integer"),
    "a message without a code": ("both", "8180", "an empty array"),
    "a code that is text": ("both", "81816130", "text"),
    "bytes after": ("both", "8183183601020 0".replace(" ", ""), "one byte after the packet"),
    "cut short": ("both", "81831836", "two items are missing"),
    "indefinite array": ("both", "819f183601 02ff".replace(" ", ""), "clause 2.2"),
    "indefinite text": ("client", "8185010 37f6161ff0061 61".replace(" ", ""), "clause 2.2"),
    "a tag": ("both", "8183183601c100", "clause 2.2: tag 1"),
    "a bignum": ("both", "8183183601c24101", "clause 2.2: tag 2"),
    "duplicate key": ("client", "81851832616100a26178016178 02f6".replace(" ", ""), "clause 2.2"),
    "key that is no text": ("client", "81851832616100a10102f6", "clause 2.2"),
    "integer beyond 2^53": ("both", "81831836011b0020000000000000", "clause 2.3"),
    "NaN": ("server", "818418220001f97e00", "clause 2.3"),
    "infinity": ("server", "818418220001f97c00", "clause 2.3"),
    "undefined": ("server", "818418220001f7", "clause 2.3"),
    "simple value": ("server", "818418220001f0", "no such value"),
    "too deep": ("both", "81" * 40 + "00", "clause 2.2"),
    "lying length": ("both", "9bffffffffffffffff", "an array longer than the packet"),
    "bad UTF-8": ("client", "8185010361ff0061 61".replace(" ", ""), "RFC 8949, 3.1"),
    "negative number": ("both", "818318362000", "PING with number -1"),
    "a float for a number": ("both", "81831836f93c0000", "PING with number 1.0"),
    "a boolean for a number": ("both", "81831836f500", "PING with number true"),
    "too few items": ("both", "8182183601", "PING without a time"),
    "a name too long": ("client", "818618308101" + "7841" + "61" * 65 + "f6f660", "65 characters"),
    "no version": ("client", "8182183080", "HELLO with no versions"),
    "unknown code from a client": ("client", "81820901", "clause 3.3"),
    "a server's message from a client": ("client", "8184182100 0101".replace(" ", ""), "ACK"),
    "no such state": ("server", encode_packet([Line(3, 0, 0, 0, 0, "", "", "", state=3)]).hex(), "a line in state 3"),
    "a page of none": ("client", "818405030700", "EARLIER with limit 0"),
    "a page too long": ("client", "81840503071865", "EARLIER with limit 101"),
    "a client's message from a server": ("server", "8182183400", "LEAVE"),
}


def _plain(value: Any) -> Any:
    """A meaning in JSON: bytes as {"hex": ...}."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def meaning(message: Message) -> list[Any]:
    """A message as an array that begins with its code."""
    return [CODES[type(message)], *(_plain(item) for item in encode_items(message))]


def _way(messages: list[Message]) -> str:
    client = all(type(message) in FROM_CLIENT for message in messages)
    server = all(type(message) not in FROM_CLIENT or isinstance(message, Ping | Pong | Goodbye) for message in messages)
    return "both" if client and server else "client" if client else "server"


def make() -> dict[str, Any]:
    """All of the file."""
    return {
        "about": ABOUT.split("\n"),
        "packets": [
            {
                "name": name,
                "way": _way(messages),
                "hex": encode_packet(messages).hex(),
                "messages": [meaning(message) for message in messages],
            }
            for name, messages in PACKETS.items()
        ],
        "refused": [{"name": name, "way": way, "hex": hex, "why": why} for name, (way, hex, why) in REFUSED.items()],
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(make(), indent=1, ensure_ascii=True) + "\n")
