"""A recording in a room: any client watches it, and its chat plays, pauses and seeks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from meteor_net import Refused
from meteor_net.replay import Recording, Replay, ReplayChat, game, replay_of
from meteor_net.replay.format import FrameBody, Kind, encode
from meteor_net.replay.game import clock
from meteor_net.state import Version, WorldView

from .cove import Boom, CoveCase, Lay, Row


class ReplayCase(CoveCase):
    """A cove that was recorded, and its replay."""

    chat = ReplayChat

    def setUp(self) -> None:
        self.film_of(self.filmed())

    def filmed(self) -> Path:
        """Record a cove of its own."""
        case = CoveCase("run")
        try:
            return case.film()
        finally:
            case.doCleanups()

    def film_of(self, path: Path) -> None:
        """Play a file here."""
        self.recording = Recording.open(path)
        self.addCleanup(self.recording.close)
        self.versions: dict[int, Version] = {version.tick: version for version in self.recording}
        self.patch(type(self), "game", replay_of(self.recording))

    @property
    def replay(self) -> Replay:
        """The game."""
        replay: Replay = self.room.game
        return replay

    def seen(self, player: Any) -> int:
        """The recorded tick whose world a player sees."""
        x = player.world.boat.x.tolist()
        return next(tick for tick, version in self.versions.items() if self.recording_x(version) == x)

    def recording_x(self, version: Version) -> Any:
        """A column of a version."""
        return WorldView(version).boat.x.tolist()


class WatchTests(ReplayCase):
    """What who joins sees and hears."""

    def test_the_same_world(self) -> None:
        """Every version is shown, as it was: rows, texts, documents, what only a team saw."""
        ann = self.player("ann")
        crcs: list[int] = []

        def look(tick: int) -> None:
            state = ann.game.state_sync.last_state
            assert state is not None, "a frame was applied"
            crcs.append(state.crc())

        ann.game.on("frame", look)
        self.advance(15.0)
        recorded = [version.crc() for version in self.versions.values()]
        self.assertGreater(len(crcs), 100)
        self.assertEqual(crcs, recorded[-len(crcs) :])
        self.assertEqual(ann.world.boat[1].name, "ann")
        self.assertEqual(ann.world.mine[0].x, 7)
        self.assertEqual(ann.world.match, {"round": 1, "mines": 1})
        self.assertFalse(self.replay.playing, "it stops at its end")

    def test_said_again(self) -> None:
        """Events and lines come at their ticks, lines by those who said them."""
        bob = self.player("bob")
        self.advance(3.5)
        self.assertEqual((bob.events, bob.lines), ([], []))
        self.advance(2.0)
        self.assertEqual([event.to_wire() for event in bob.events], [Boom(size=7).to_wire()])
        self.assertEqual([(line.name, line.text) for line in bob.chat.message_history if line.kind == 0], [("ann", "a mine!")])
        self.advance(8.0)
        self.assertIn("bob comes", bob.notices)

    def test_nobody_acts(self) -> None:
        """Actions are refused, inputs do nothing; there is no row of one's own."""
        bob = self.player("bob")
        self.assertIsNone(bob.me)
        self.assertIn("this is a replay", str(self.assertRaises(Refused, bob.act, Lay(x=1))))
        bob.act(Row(by=1))
        self.advance(1.0)
        self.assertEqual(self.flush_errors(), [])

    def test_what_it_is_is_told(self) -> None:
        """Who joins is told in a notice of its own."""
        bob = self.player("bob")
        self.advance(0.2)
        (told,) = bob.notices
        self.assertTrue(told.startswith("A replay of cove/main, "), told)

    def test_watchers_talk(self) -> None:
        """They can say something among them."""
        ann, bob = self.player("ann"), self.player("bob")
        ann.say("look!")
        self.advance(0.1)
        self.assertEqual(bob.lines, ["look!"])

    def test_each_room_has_its_own_place(self) -> None:
        """Another room of the same replay begins at the beginning."""
        ann = self.player("ann")
        self.advance(5.0)
        bob = self.player("bob", "other")
        self.advance(0.2)
        self.assertLess(self.seen(bob), self.seen(ann))

    def test_too_much_at_once(self) -> None:
        """What is told in one tick has a bound."""
        self.patch(game, "TOLD_PER_TICK", 0)
        bob = self.player("bob")
        self.advance(14.0)
        self.assertEqual((bob.events, bob.lines), ([], []))


class CommandTests(ReplayCase):
    """Commands in its chat."""

    def test_pause_and_play(self) -> None:
        """It stands, and goes on from there; all are told."""
        bob = self.player("bob")
        self.advance(2.0)
        bob.say("/pause")
        self.advance(0.2)
        tick = self.seen(bob)
        self.advance(3.0)
        self.assertEqual(self.seen(bob), tick)
        bob.say("/play")
        self.advance(1.0)
        self.assertTrue(tick + 8 <= self.seen(bob) <= tick + 12)
        self.assertEqual([text.split()[1] for text in bob.notices[1:]], ["pauses", "plays"])

    def test_speed(self) -> None:
        """Faster and slower, within bounds."""
        bob = self.player("bob")
        bob.say("/speed 4")
        self.advance(1.0)
        first = self.seen(bob)
        self.advance(1.0)
        self.assertEqual(self.seen(bob) - first, 40)
        bob.say("/speed 0.1")
        self.advance(0.2)
        first = self.seen(bob)
        self.advance(2.0)
        self.assertEqual(self.seen(bob) - first, 2)
        for wrong in ("/speed", "/speed 17", "/speed 0", "/speed fast", "/speed nan"):
            self.assertRaises(Refused, bob.say, wrong)
            self.advance(1.0)

    def test_seek(self) -> None:
        """Forward and back, in seconds and minutes, up to the end."""
        bob = self.player("bob")
        bob.say("/pause")
        for said, seconds in (("8", 8.0), ("0:02", 2.0), ("3.5", 3.5), ("0:0:9.0", 9.0), ("99:00", self.recording.length_s)):
            bob.say(f"/seek {said}")
            self.advance(0.5)
            tick = self.recording.tick_at(seconds)
            self.assertEqual(self.seen(bob), max(t for t in self.versions if t <= tick))
            self.advance(0.5)
        self.assertRaises(Refused, bob.say, "/seek there")
        bob.say("/play")
        self.advance(0.5)
        self.assertLess(self.replay.seconds, 1.0, "from the end it begins again")

    def test_told_again_after_a_seek(self) -> None:
        """Going back, what was said is said again, and what changes a line finds the newer one."""
        bob = self.player("bob")
        self.advance(6.0)
        bob.say("/seek 3")
        self.advance(3.0)
        self.assertEqual(bob.lines, ["a mine!", "a mine!"])

    def test_where(self) -> None:
        """It tells the asker the time, the recorded tick, and how it is played."""
        ann, bob = self.player("ann"), self.player("bob")
        bob.say("/pause")
        bob.say("/seek 1.5")
        bob.say("/where")
        self.advance(0.2)
        tick = self.recording.tick_at(1.5)
        self.assertEqual(bob.notices[-1], f"0:01.5 of {clock(self.recording.length_s)}, tick {tick}, paused, speed 1")
        self.assertNotIn(bob.notices[-1], ann.notices)

    def test_help(self) -> None:
        """The commands are listed."""
        bob = self.player("bob")
        bob.say("/help")
        self.advance(0.2)
        for name in ("play", "pause", "seek", "speed", "where"):
            self.assertIn(f"/{name}", bob.notices[-1])

    def test_clock(self) -> None:
        """Times as people read them."""
        shown = {0.0: "0:00", 9.95: "0:09.9", 90.0: "1:30", 3_600.0: "1:00:00", 3_725.5: "1:02:05.5"}
        self.assertEqual({seconds: clock(seconds) for seconds in shown}, shown)


class ChangedLineTests(ReplayCase):
    """Lines that were changed while they were recorded."""

    def filmed(self) -> Path:
        case = CoveCase("run")
        try:
            recorder = case.recorded()
            said = case.ann.say("helo")
            case.advance(0.5)
            case.ann.react(said, "👍")
            case.advance(0.5)
            case.ann.edit(said, "hello")
            case.advance(3.0)
            recorder.close()
            return recorder.file.path
        finally:
            case.doCleanups()

    def test_changes_find_their_line(self) -> None:
        """A reaction and an edit are about the line as it is told here, which has another offset."""
        bob = self.player("bob")
        bob.say("first of all")
        self.advance(3.0)
        lines = [line for line in bob.chat.message_history if line.name == "ann"]
        self.assertEqual([(line.text, line.edited, list(line.reactions)) for line in lines], [("hello", True, ["👍"])])

    def test_a_change_that_is_there_already(self) -> None:
        """Told again to the same line after a seek, a reaction may not be kept again: that is nobody's error."""
        bob = self.player("bob")
        self.advance(1.0)
        bob.say("/seek 0.4")
        self.advance(2.0)
        (line,) = [line for line in bob.chat.message_history if line.name == "ann"]
        self.assertEqual((line.text, {emoji: told[0] for emoji, told in line.reactions.items()}), ("hello", {"👍": 1}))
        self.assertEqual(self.flush_errors(), [])

    def test_a_change_without_its_line_is_left_out(self) -> None:
        """After a seek the line was not told here."""
        bob = self.player("bob")
        bob.say("/seek 0.7")
        self.advance(4.0)
        self.assertEqual([line.text for line in bob.chat.message_history if line.name == "ann"], [])

    def test_offsets_are_bounded(self) -> None:
        """Of endless talk only the newest lines are known."""
        self.patch(game, "LINES_KNOWN", 1)
        self.player("bob")
        self.advance(4.0)
        self.assertEqual(len(self.replay._offsets), 1)


class DamagedReplayTests(ReplayCase):
    """A file that is damaged in the middle."""

    def filmed(self) -> Path:
        path = super().filmed()
        data = path.read_bytes()
        recording = Recording.open(path)
        at = recording.keyframes[1]
        recording.close()
        path.write_bytes(data[: at.at] + encode(Kind.KEYFRAME, at.tick, FrameBody(1, b"\xff")) + data[at.end :])
        return path

    def film_of(self, path: Path) -> None:
        """Play a file here."""
        self.recording = Recording.open(path)
        self.addCleanup(self.recording.close)
        self.patch(type(self), "game", replay_of(self.recording))

    def test_it_stops_there(self) -> None:
        """The error is logged once with its place, all are told, and a seek beyond goes on."""
        bob = self.player("bob")
        self.advance(7.0)
        (error,) = self.flush_errors()
        self.assertIn("at byte", str(error))
        self.assertIn("damaged", bob.notices[-1])
        self.assertRaises(Refused, bob.say, "/seek 5.5")
        self.advance(1.0)
        bob.say("/seek 11")
        bob.say("/play")
        self.advance(1.0)
        self.assertGreater(self.replay.seconds, 11.0)
        self.assertEqual(bob.world.boat[0].name, "drift")
