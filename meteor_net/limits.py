"""Every limit in one place: its unit is in its name, the reason beside it.

An operator sets any of them in the `[limits]` table of the configuration file.
"""

from __future__ import annotations

from math import isfinite

import msgspec

#: Integers on the wire lie within this, so that JavaScript reads them exactly.
MAX_INT = 2**53 - 1
#: Characters of any name: a user's, a room's, a table's, a field's.
MAX_NAME_CHARS = 64
#: Characters of one word of the wire: a reason, a feature.
MAX_WORD_CHARS = 32
#: Characters of one text for people: why something was refused.
MAX_PROSE_CHARS = 1_000
#: Messages in one packet, either way.
MAX_MESSAGES = 256
#: Actions that a client may have sent and not heard of; of so many the answers are kept.
MAX_OPEN_ACTIONS = 64
#: Items in one list of plain values (an action's, an event's).
MAX_VALUES = 64
#: Bytes of one text value, of any kind.
MAX_TEXT_BYTES = 8_192
#: Bytes, as CBOR, of what a line of a game's own kind carries beside its text.
MAX_DATA_BYTES = 4_096
#: Documents of one world.
MAX_DOCUMENTS = 16
#: Bytes of one document, as CBOR: a lobby, an inventory, a game of cards; what is larger is better rows of a table.
MAX_DOCUMENT_BYTES = 64 * 1024
#: Values in one document, at all depths: a board of 90 by 90.
MAX_DOCUMENT_VALUES = 8_192
#: Nesting of a document, which is a map itself.
MAX_DOCUMENT_DEPTH = 12
#: CBOR items of a frame's patches: of the largest documents, each of whose values was deleted, or moved in a list.
MAX_PATCH_ITEMS = 2**20
#: Nesting of a frame's patches: each level of lists takes two, items that come two more, and the names one.
MAX_PATCH_DEPTH = 2 * MAX_DOCUMENT_DEPTH + 2
#: Nesting of a packet; the deepest of ours (a schema) has seven.
MAX_DEPTH = 12


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one server allows. All are upper bounds.

    Raises:
        ValueError: If one is negative or not finite, or is 0 where nothing would ever happen then.
    """

    #: One packet from a client; an action is some 20 bytes, a line at most 4 KiB.
    packet_in_bytes: int = 16 * 1024
    #: One packet from a server; a keyframe of 16,384 rows with ten columns fits.
    packet_out_bytes: int = 4 * 1024 * 1024
    #: Messages in one packet; a client's turn holds a few.
    packet_messages: int = MAX_MESSAGES
    #: CBOR items in one packet from a client, so that 16 KiB cannot become 16,000 objects.
    packet_items: int = 4_096
    #: Continuation frames of one packet; ours come in one.
    fragments: int = 64
    #: Bytes of one HTTP request's head, before the upgrade.
    http_head_bytes: int = 16 * 1024
    #: From the upgrade to HELLO.
    hello_s: float = 5.0
    #: No byte in for so long: the peer is dead.
    silent_s: float = 45.0
    #: No byte in for so long: the server asks with a ping.
    ping_s: float = 15.0
    #: In a room with a world, no byte out for so long: the server pings, so that players see life.
    ping_world_s: float = 2.0
    #: From our close to the end by force.
    close_s: float = 5.0
    #: How long a session waits for its player to come back.
    away_s: float = 30.0
    #: Sessions that wait so; beyond it who has waited longest is forgotten. More than the connections of one process,
    #: so that a failing network loses nobody.
    away_sessions: int = 20_000
    #: A handler's Deferred or coroutine may take so long, then it is refused.
    await_s: float = 5.0
    #: Events of one player that wait behind such an await.
    await_events: int = 64
    #: Rooms that one session may be in.
    rooms_per_session: int = 8
    #: JOINs of one connection; each reads the history, and may open a room.
    joins_per_s: float = 1.0
    #: JOINs of one connection at once after a pause: a session comes back to all its rooms.
    joins_burst: int = 16
    #: Rooms of one process.
    rooms: int = 1_000
    #: Connections of one process.
    connections: int = 18_000
    #: Connections of one address.
    connections_per_address: int = 2_000
    #: Places that a JOIN may name.
    places: int = 128
    #: Characters of one line of chat.
    line_chars: int = 1_000
    #: Lines of history that a newcomer gets.
    history_lines: int = 50
    #: Lines that a resuming client gets before it is told `gap`.
    resume_lines: int = 300
    #: Lines of a channel that are kept in memory.
    channel_lines: int = 1_000
    #: Events of a room that are kept for those who come back.
    room_events: int = 256
    #: Inputs of one player that wait for the tick; the oldest goes first.
    inputs_waiting: int = 4
    #: Actions of one player, and as many inputs; the rest are refused.
    actions_per_s: int = 60
    #: The same at once after a pause: all that a client keeps while it has no connection.
    actions_burst: int = 256
    #: Bytes of the answers of one player's actions that are kept, to be said again after a loss.
    answers_bytes: int = 64 * 1024
    #: Lines of one player.
    lines_per_s: float = 2.0
    #: Lines that a player may say at once after a pause.
    lines_burst: int = 8
    #: Pages of earlier lines of one player; each reads storage.
    pages_per_s: float = 2.0
    #: Pages that a player may ask for at once after a pause.
    pages_burst: int = 8
    #: Any other messages of one player.
    messages_per_s: int = 120
    #: Lines of the log for what peers do; the rest is counted, and told in one line.
    log_lines_per_s: float = 100.0
    #: The same at once after a pause: all players of a process come back.
    log_lines_burst: int = 20_000
    #: Errors in the log, each with its traceback; a tick that raises does so 20 times a second.
    log_errors_per_s: float = 1.0
    #: The same at once after a pause.
    log_errors_burst: int = 20
    #: Bytes that wait for one peer, beyond the newest state.
    outbox_bytes: int = 256 * 1024
    #: A peer with so much unsent in our process gets no state until it is gone.
    unsent_bytes: int = 64 * 1024
    #: A peer that holds a version so much older than what was written gets no state.
    behind_s: float = 1.0
    #: Versions of a stream that steps may start from.
    ring_versions: int = 64
    #: Bytes of those versions.
    ring_bytes: int = 32 * 1024 * 1024
    #: Catch-up steps encoded for one stream in one tick, longest waiting first.
    catch_ups_per_tick: int = 4
    #: How far back `room.rewind` goes: who says that it saw more of the past plays too far away, or lies.
    rewind_s: float = 0.5
    #: How often a room's kept tables are saved, if they changed; a game may ask for it in between.
    save_s: float = 10.0
    #: Bytes of one room's kept tables; more are not saved. 16,384 rows with ten numbers and a short text take 2 MiB.
    save_bytes: int = 8 * 1024 * 1024
    #: Ticks that are caught up when the process was late; the rest are dropped.
    late_ticks: int = 3
    #: With ticks taking more than this share of the process's time, no new room is made: those there are go on.
    busy_share: float = 0.8

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            least = 1 if name in _AT_LEAST_ONE else 0
            if not isfinite(value) or value < least:
                raise ValueError(f"{name} is {value}; at least {least}")


#: With 0 of these a server would let nobody speak, or never move.
_AT_LEAST_ONE = frozenset(
    {"packet_messages", "packet_items", "messages_per_s", "joins_burst", "catch_ups_per_tick", "late_ticks"}
)
