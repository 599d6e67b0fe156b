"""A client of the plain half: a session, and what its shell would do for it."""

from __future__ import annotations

from typing import Any

from ..chat.message import ChatMessage
from ..errors import CloseCode, Refused
from ..messages import LineKind, Role
from ..session import client_values as values
from ..session.client import ClientSession
from ..session.client_room import ClientRoom
from ..state import Action
from .checks import ClientLog, DoneAction, HeardGap, HeardLine, SaidLine
from .clock import MachineClock
from .plain import PlainNetwork, PlainServer
from .plain_wire import PlainWire

#: A client's session is told the time so often, in seconds.
TIMER_S = 0.25
#: After a loss a client comes back within so many seconds.
BACK_S = 1.0


class PlainClient:
    """A client's session, and what its shell does for it: connecting, and coming back after a loss.

    Args:
        network: Where it is.
        server: Where it connects to.
        name: Its name.
        token: Who it is, if it is no guest.

    Attributes:
        session: The plain session.
        rooms: The rooms that it wants to be in, by the name asked for.
        logs: What it did and heard, one for each time that it came into a room; `log` is the newest of a room.
        away_for: Until then no connection can be made.
        sent_away: Code and text, once it was told to stay away.
        wrong: What it was told that cannot be, one line each.
    """

    def __init__(self, network: PlainNetwork, server: PlainServer, name: str, token: str | None = None) -> None:
        self.name = name
        self.clock = MachineClock(network.clock)
        self.session = ClientSession(
            random=network.seeds.random(f"client {name}"), name=name, token=token, line_queued=self.flush
        )
        self.rooms: dict[str, ClientRoom] = {}
        self.logs: list[ClientLog] = []
        self.away_until = 0.0
        self.sent_away: tuple[int, str] | None = None
        self.wrong: list[str] = []
        self.wire: PlainWire | None = None
        self._network = network
        self._server = server
        self._random = network.seeds.random(f"shell {name}")
        self._by_room: dict[str, ClientLog] = {}
        self._actions: dict[tuple[str, int], tuple[DoneAction, int]] = {}
        self._lives = 0
        self._key: int | None = None
        self._unknown: list[tuple[DoneAction, int]] = []
        self._told: list[values.Value] = []
        self._telling = False
        self._attempt = 0
        self._left = False
        self._tick()

    # --- what a player does ---

    def join(self, room: str = "", role: Role = Role.PLAY) -> ClientRoom:
        """Want into a room, now and after each loss."""
        joined = self.session.join(room, role)
        if self.rooms.get(room) is joined:
            return joined
        self.rooms[room] = joined
        log = ClientLog(f"{self.name} in {room or 'main'}, time {len(self.logs) + 1}")
        self.logs.append(log)
        self._by_room[room] = log
        self.flush()
        return joined

    def leave(self, room: str = "") -> None:
        """Want out of a room."""
        joined = self.rooms.pop(room)
        self._by_room.pop(room).caught_up = False
        self._lives += 1
        self.session.leave(joined)
        self.flush()

    def log(self, room: str = "") -> ClientLog:
        """Give what happened since the client came into a room."""
        return self._by_room[room]

    def act(self, action: Action, number: int, room: str = "") -> DoneAction | None:
        """Do something, if that can be done now.

        Args:
            action: What.
            number: The client's own number for it.
            room: Where.
        """
        joined = self.rooms.get(room)
        if joined is None or joined.world.schema is None:
            return None
        try:
            key = self.session.act(joined, action)
        except Refused:  # too many wait
            return None
        if key is None:
            self.flush()
            return None
        done = DoneAction(number)
        self._actions[room, key] = done, self._lives
        self._by_room[room].acted.append(done)
        self.flush()
        return done

    def say(self, text: str, room: str = "", **more: Any) -> SaidLine | None:
        """Say a line in a room, or `to` somebody, or about another line; None if that cannot be done now."""
        joined = self.rooms.get(room)
        if joined is None or (joined.number is None and not joined.lines.channels):
            return None
        chat = joined.lines.chat
        try:
            line = chat.send_message(ChatMessage(text=text, **more))
        except Refused:
            return None
        channel = f"@{self.session.user}" if line.kind == LineKind.PRIVATE else joined.name
        said = self._by_room[room].said[line.cid] = SaidLine(channel, line.cid)
        self.flush()
        return said

    def stop(self) -> None:
        """Leave for good."""
        self._left = True
        for log in self._by_room.values():
            log.caught_up = False
        self.session.close(CloseCode.NORMAL, "")
        self.flush()

    @property
    def settled(self) -> bool:
        """Whether it is in all its rooms, and nothing of its own waits for an answer."""
        if self._left:
            return True
        return all(
            room.number is not None and not room.lines.chat.message_queue and not len(room._actions)
            for room in self.rooms.values()
        )

    # --- connections ---

    def connect(self) -> None:
        """Try to connect, and again until it is done."""
        self._attempt += 1
        delay_s = 2 * self._network.delay_s()
        self._network.clock.callLater(delay_s, self._connect, self._attempt)

    def _connect(self, attempt: int) -> None:
        if attempt != self._attempt or self.wire is not None or self._left or self.sent_away:
            return
        wire = None if self._network.now < self.away_until else self._server.connect(self)
        if wire is None:
            self._come_back()
            return
        self.wire = wire
        self.session.opened(self.clock.seconds())
        self.flush()

    def _come_back(self) -> None:
        self._attempt += 1
        self._network.clock.callLater(BACK_S * self._random.random(), self._connect, self._attempt)

    def packet_came(self, packet: bytes) -> None:
        """A packet came."""
        self.session.receive(packet, self.clock.seconds())
        self.flush()

    def connection_over(self, code: int, text: str) -> None:
        """The connection is gone."""
        wire, self.wire = self.wire, None
        if wire is not None and code != CloseCode.ABNORMAL:
            wire.answer_close(code)
        self.session.lost(code, text, self.clock.seconds())
        self.flush()

    def _tick(self) -> None:
        self.clock.callLater(TIMER_S, self._tick)
        self.session.tick(self.clock.seconds())
        self.flush()

    # --- what the session leaves ---

    def flush(self) -> None:
        """Send what the session has to send, and note what it tells."""
        packets, told = self.session.take()
        if self.wire is not None and packets:
            self.wire.say(packets)
        self._told += told
        if self._telling:
            return
        self._telling = True
        while self._told:
            self._heed(self._told.pop(0))
        self._telling = False
        for done, life in self._unknown:
            if life == self._lives:
                self.wrong.append(f"{self.name}: nobody knows of action {done.number}, though the session went on")
        self._unknown.clear()

    def _heed(self, value: values.Value) -> None:
        match value:
            case values.Welcomed() | values.JoinedRoom():
                self._look_who_we_are(value)
            case values.Closing():
                if self.wire is not None:
                    self.wire.hang_up(value.code, value.text)
            case values.Ended():
                self._ended(value)
            case values.JoinRefused() | values.LeftRoom():
                self._put_out(value.room)
            case values.LineHeard() | values.GapFound() | values.LineKept() | values.LineRefused():
                self._note_line(value)
            case values.ActionDone() | values.ActionRefused():
                self._note_answer(value)

    def _look_who_we_are(self, value: values.Welcomed | values.JoinedRoom) -> None:
        """Count the times that we are somebody else there, or the world is another one: old answers are lost then."""
        if isinstance(value, values.Welcomed):
            self._lives += not value.resumed
            return
        asked = self._asked(value.room)
        key = None if asked is None else self.rooms[asked]._key
        self._lives += value.fresh or key != self._key
        self._key = key

    def _ended(self, value: values.Ended) -> None:
        if value.come_back and not self._left:
            self._come_back()
        elif not self._left:
            self.sent_away = value.code, value.text

    def _put_out(self, name: str) -> None:
        """Out of a room that we want to be in: ask again, a little later."""
        room = self._asked(name)
        self._lives += 1
        if room is not None and not self._left:
            log = self._by_room[room]
            log.caught_up = False
            role = self.rooms[room].role
            self._network.clock.callLater(BACK_S, lambda: room in self.rooms and self.join(room, Role(role)))

    def _asked(self, name: str) -> str | None:
        return next((asked for asked, room in self.rooms.items() if name in (room.name, asked)), None)

    def _note_line(self, value: Any) -> None:
        asked = self._asked(value.room)
        if asked is None:
            return
        log, lines = self._by_room[asked], self.rooms[asked].lines
        if isinstance(value, values.GapFound):
            if value.channel is not None:
                log.heard.append(HeardGap(value.channel))
        elif isinstance(value, values.LineHeard):
            channel = lines.find(value.line.channel)
            epoch = channel.epoch if channel is not None else 0
            line = value.line
            log.heard.append(HeardLine(line.channel, epoch, line.offset, line.sender, line.cid))
        elif (said := log.said.get(value.cid)) is not None:
            channel = lines.find(said.channel)
            said.epoch = channel.epoch if channel is not None else 0
            if isinstance(value, values.LineKept):
                said.offset = value.offset
            else:
                said.refused = value.reason

    def _note_answer(self, value: Any) -> None:
        asked = self._asked(value.room)
        done, life = self._actions.pop((asked or "", value.key), (None, 0))
        if done is None:
            return
        done.answer = ("done", value.value) if isinstance(value, values.ActionDone) else ("refused", value.reason)
        if done.answer == ("refused", "unknown") and life == self._lives:
            self._unknown.append((done, life))
