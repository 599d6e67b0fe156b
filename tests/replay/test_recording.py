"""What is in a recording: all of a room, and nothing of one player's own."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from pathlib import Path

import cbor2
from twisted.trial.unittest import SynchronousTestCase

from meteor_net import Limits
from meteor_net.codec import load_item
from meteor_net.replay import Recorder, Recording, RecordingError, format, record, recording
from meteor_net.replay.format import LATEST_MS, MAX_ITEM_BYTES, MAX_SMALL_BYTES, EventBody, FrameBody, Kind, LineBody, encode
from meteor_net.state import WorldView

from ..plain import stored
from .cove import Boat, Boom, Cove, CoveCase, Lay, Row


class RecordingTests(CoveCase):
    """A cove that was recorded."""

    def test_every_version(self) -> None:
        """Each version is there at its tick: rows in their slots with their generations, texts, documents."""
        film = Recording.open(self.film())
        self.addCleanup(film.close)
        versions = {version.tick: version for version in film}
        self.assertGreater(len(versions), 100)
        self.assertEqual(len(film.keyframes), 3)
        for tick, version in versions.items():
            live = self.watched.versions[tick]
            boats, mines = version.tables
            self.assertTrue(boats.same(live.tables[0]), tick)
            self.assertTrue(mines.same(live.keyed[0].table), "what only a team sees is there too")
            self.assertEqual(dict(version.docs), dict(live.docs))

    def test_what_it_is_of(self) -> None:
        """The header tells which game and room, when, and how long."""
        film = Recording.open(self.film())
        self.addCleanup(film.close)
        header = film.header
        self.assertEqual((header.game, header.room), (f"{Cove.__module__}.Cove", "cove/main"))
        self.assertEqual((film.tick_s, film.whole), (0.1, True))
        self.assertTrue(12.0 < film.length_s < 13.0)
        self.assertIn("cove/main", repr(film))
        self.assertNotIn("key", film.header.schema["tables"][1], "to who plays it, all tables are for all")

    def test_at(self) -> None:
        """The world at any second, whether one goes forward or back; it stays as it is."""
        with Recording.open(self.film()) as film:
            for seconds in (11.0, 3.0, 3.2, 0.0, 6.05, 99.0, -1.0):
                tick = film.tick_at(seconds)
                before = [t for t in self.watched.versions if t <= tick]
                world = film.at(seconds)
                if before:
                    self.assertEqual(world.boat.x.tolist(), WorldView(self.watched.versions[max(before)]).boat.x.tolist())
                else:
                    self.assertEqual(world.boat[1].name, "ann", "it begins with the world as it was then")
            early = film.at(3.0)
            self.assertEqual(early.boat[1].name, "ann")
            x = early.boat[0].x
            film.at(11.0)
            self.assertEqual(early.boat[0].x, x)

    def test_what_was_heard(self) -> None:
        """Events and lines stand at their seconds; notices of the game are lines."""
        with Recording.open(self.film()) as film:
            ((seconds, event),) = film.events()
            self.assertEqual((event.to_wire(), type(event).__name__), (Boom(size=7).to_wire(), "Boom"))
            self.assertTrue(4.0 < seconds < 4.3)
            lines = [(line.name, line.text) for _, line in film.lines()]
            self.assertEqual(lines, [("ann", "a mine!"), ("", "bob comes")])
            self.assertEqual(film.at(seconds).mine[0].x, 7)

    def test_nothing_private(self) -> None:
        """What is told to one player alone is not in the file; nor are ids of lines, tokens or addresses."""
        recorder = self.recorded()
        bob = self.player("bob")
        self.room.players[0].say("for ann's eyes")
        self.room.players[0].emit(Boom(size=99))
        bob.tell(self.ann, "whispered")
        self.advance(1.0)
        recorder.close()
        data = recorder.file.path.read_bytes()
        for secret in (b"eyes", b"whispered"):
            self.assertNotIn(secret, data)
        with Recording.open(recorder.file.path) as film:
            self.assertEqual(list(film.events()), [])

    def test_from_the_middle_and_twice(self) -> None:
        """A room that runs is recorded from then on, into two files if one wants."""
        first = self.recorded()
        self.advance(6.0)
        second = record(self.room, self.mktemp())
        self.advance(2.0)
        for recorder in (first, second):
            recorder.close()
        with Recording.open(first.file.path) as long, Recording.open(second.file.path) as short:
            self.assertEqual(long.at(long.length_s).boat.x.tolist(), short.at(short.length_s).boat.x.tolist())
            self.assertAlmostEqual(long.length_s - short.length_s, 6.0)

    def test_back_to_before_all(self) -> None:
        """Of a room recorded from its opening, the world before the first tick is empty, also after a look elsewhere."""
        opened: list[Recorder] = []
        path = self.mktemp()
        self.server.host.opened = lambda room: opened.append(record(room, path))
        self.player("ann")
        self.advance(3.0)
        opened[0].close()
        with Recording.open(path) as film:
            self.assertEqual([len(film.at(seconds).boat) for seconds in (0.0, 2.0, 0.0)], [0, 2, 0])

    def test_missed_ticks(self) -> None:
        """Ticks that the recorder was not told of are one step, or a keyframe that is due."""
        recorder = self.recorded()
        self.advance(1.0)
        for ticks in (3, 100):
            self.patch(self.room.observers, "ticked", lambda tick, events: None)
            self.advance(ticks / 10)
            del self.room.observers.ticked
            self.advance(0.2)
        recorder.close()
        with Recording.open(recorder.file.path) as film:
            versions = list(film)
        self.assertEqual(versions[-1].tick, self.room.tick - 1)
        gaps = [after.tick - before.tick for before, after in pairwise(versions)]
        self.assertEqual([gap for gap in gaps if gap > 1], [4, 101])

    def test_too_large_an_item(self) -> None:
        """A frame that no reader would take ends the recording; the room goes on."""
        recorder = self.recorded()
        self.patch(format, "MAX_ITEM_BYTES", 20)
        self.advance(6.0)
        self.assertFalse(recorder.running)
        self.assertEqual([type(error) for error in self.flush_errors()], [ValueError])
        recorder.line(stored())
        self.assertFalse(recorder.running, "and nothing follows")

    def test_a_room_that_ends(self) -> None:
        """The recording ends with it, whole, and nothing is written behind that."""
        recorder = self.recorded()
        self.ann.leave()
        self.assertFalse(recorder.running)
        recorder.close()
        with Recording.open(recorder.file.path) as film:
            self.assertTrue(film.whole)

    def test_cbor_sequence(self) -> None:
        """Any reader of CBOR reads it: a sequence of arrays, whose bodies are CBOR."""
        kinds = []
        with self.film().open("rb") as file:
            while file.peek():
                kind, _, body = cbor2.CBORDecoder(file, read_size=1).decode()
                kinds.append(kind)
                if body:
                    load_item(body)
        self.assertEqual((kinds[0], kinds[-1]), (Kind.HEADER, Kind.END))
        self.assertLessEqual({Kind.KEYFRAME, Kind.STEP, Kind.EVENT, Kind.LINE}, set(kinds))

    def test_still_rooms_cost_nothing(self) -> None:
        """A world that stands still adds no keyframes."""
        recorder = self.recorded()
        self.advance(1.0)
        self.room.game.drift.despawn()
        self.room.game.tick = lambda dt: None
        self.advance(1.0)
        size = recorder.file.path.stat().st_size
        self.advance(60.0)
        self.assertEqual(recorder.file.path.stat().st_size, size)
        recorder.close()
        with Recording.open(recorder.file.path) as film:
            self.assertAlmostEqual(film.length_s, 62.1)

    def test_an_input_is_seen(self) -> None:
        """What players do is in it by what it did to the world."""
        recorder = self.recorded()
        self.ann.act(Row(by=9))
        self.advance(1.0)
        recorder.close()
        with Recording.open(recorder.file.path) as film:
            self.assertEqual((film.at(0.0).boat[1].x, film.at(1.0).boat[1].x), (10, 19))


class Reef(Cove):
    """The cove without anything that only some see."""

    tables = (Boat,)  # type: ignore[assignment]


class ShortRingTests(CoveCase):
    """A room that holds few versions."""

    game = Reef
    limits = Limits(ring_versions=3)

    def test_a_version_that_is_held_no_more(self) -> None:
        """If the recorder was not told of so many ticks, a keyframe comes before its time."""
        recorder = self.recorded()
        self.patch(self.room.observers, "ticked", lambda tick, events: None)
        self.advance(1.0)
        del self.room.observers.ticked
        self.advance(1.0)
        recorder.close()
        with Recording.open(recorder.file.path) as film:
            self.assertEqual((len(film.keyframes), film.at(2.0).boat[1].name), (2, "ann"))


class SharedTests(CoveCase):
    """A game whose players all see all."""

    game = Reef

    def test_encoded_once(self) -> None:
        """What is recorded is encoded for players anyway, but for the keyframes."""
        self.ann = self.player("ann")
        counters = self.room.feed.stream.counters
        self.advance(1.0)
        before = counters["frames"]
        self.advance(4.0)
        alone = counters["frames"] - before
        recorder = record(self.room, self.mktemp())
        before = counters["frames"]
        self.advance(4.0)
        self.assertEqual(counters["frames"] - before, alone)
        recorder.close()
        with Recording.open(recorder.file.path) as film:
            self.assertEqual(len(film.at(4.0).boat), 2)


class DamagedTests(CoveCase):
    """Files that are cut, damaged, or never were recordings."""

    def open(self, data: bytes) -> Recording:
        """Open a file with these bytes."""
        path = Path(self.mktemp())
        path.write_bytes(data)
        film = Recording.open(path)
        self.addCleanup(film.close)
        return film

    def refused(self, data: bytes) -> str:
        """Say why a file cannot be played from end to end."""

        def play() -> None:
            film = self.open(data)
            for _ in film:
                pass
            for _ in [*film.events(), *film.lines()]:
                pass

        return str(self.assertRaises(RecordingError, play))

    def test_cut_anywhere(self) -> None:
        """A file that was cut plays up to the cut, wherever that is."""
        data = self.film(3.0).read_bytes()
        header = cbor2.loads(data)
        begin = len(cbor2.dumps(header))
        versions = 0
        for size in range(begin, len(data), 13):
            film = self.open(data[:size])
            self.assertFalse(film.whole)
            count = sum(1 for _ in film)
            self.assertGreaterEqual(count, versions)
            versions = count
        self.assertGreater(versions, 20)

    def test_no_recording(self) -> None:
        """Another file, an empty one, one that is not there, a folder."""
        self.assertIn("no item of a recording begins here", self.refused(b"\x89PNG"))
        self.assertIn("there is no header", self.refused(b""))
        self.assertIn("there is no header", self.refused(encode(Kind.END, 0)))
        error = self.assertRaises(RecordingError, Recording.open, "/nowhere/at/all")
        self.assertEqual(str(error), "/nowhere/at/all: No such file or directory")
        self.assertRaises(RecordingError, Recording.open, "/")

    @cached_property
    def film_bytes(self) -> bytes:
        """A short recording."""
        return self.film(0.3).read_bytes()

    def header(self, **other: object) -> bytes:
        """A header, with some values changed."""
        kind, tick, body = cbor2.loads(self.film_bytes)
        return cbor2.dumps([kind, tick, cbor2.dumps({**cbor2.loads(body), **other})])

    def test_headers(self) -> None:
        """Of another version, without a schema, with a schema that is none."""
        self.assertIn("header: ", self.refused(self.header(version=2)))
        self.assertIn("at byte 0: ", self.refused(self.header(schema={})))
        self.assertIn("header: ", self.refused(self.header(tick_us=0)))
        self.assertIn("header: ", self.refused(self.header(time=LATEST_MS + 1)))
        keyed = {
            "tables": [{"name": "a", "fields": [], "key": {"kind": "team", "bits": 16, "rings": 1}}],
            "actions": [],
            "events": [],
        }
        self.assertIn("a table with a key", self.refused(self.header(schema=keyed)))

    def test_items(self) -> None:
        """Each mistake is told with its place, and what is wrong there."""
        begin = self.header()
        place = f"at byte {len(begin)}: "
        frame = encode(Kind.STEP, 5, FrameBody(9, b"\0"))
        for item, problem in (
            (b"\x84", "no item of a recording begins here"),
            (cbor2.dumps(["kind", 1, b""]), "an item's kind is of a wrong kind"),
            (cbor2.dumps([1, -1, b""]), "an item's tick is of a wrong kind"),
            (cbor2.dumps([1, 1, "text"]), "an item's body is of a wrong kind"),
            (b"\x83\x01\x01\x5f", "an item's body is of a wrong kind"),
            (b"\x83\x01\x01\x5a" + (MAX_ITEM_BYTES + 1).to_bytes(4, "big"), "at most"),
            (b"\x83\x01\x1b" + b"\xff" * 8 + b"\x40", "at most"),
            (self.header(), "an item of tick"),
            (cbor2.dumps([Kind.STEP, 5, b"\xff"]), "frame: not well-formed CBOR"),
            (cbor2.dumps([Kind.STEP, 5, cbor2.dumps([9])]), "frame: "),
            (frame, "frame of tick 5: a step before any keyframe"),
            (encode(Kind.KEYFRAME, 5, FrameBody(9, b"\0")), "a keyframe that is none"),
            (encode(Kind.STEP, 5, FrameBody(1, b"\0")), "a keyframe that is none"),
            (encode(Kind.EVENT, 5, EventBody(3, [1])), "event 3, which is not in the schema"),
            (encode(Kind.EVENT, 5, EventBody(0, [1, 2])), "Boom: a list of 1 values"),
            (encode(Kind.LINE, 5, LineBody(0, 0, 64, "a", "a", "x", data="x" * 5_000)), "line: "),
            (encode(Kind.LINE, 5, LineBody(0, 0, 0, "a" * 65, "a", "x")), "line: "),
        ):
            with self.subTest(problem=problem):
                text = self.refused(begin + item)
                self.assertIn(place, text)
                self.assertIn(problem, text)

    def test_bounds(self) -> None:
        """What would take much memory is refused before it is read."""
        begin = self.header()
        self.assertIn("a frame may have so many", self.refused(begin + cbor2.dumps([Kind.LINE, 5, bytes(MAX_SMALL_BYTES + 1)])))
        self.patch(recording, "MAX_KEYFRAMES", 3)
        keyframe = encode(Kind.KEYFRAME, 5, FrameBody(0, b"\0"))
        self.assertEqual(len(self.open(begin + 3 * keyframe).keyframes), 3)
        self.assertIn("another keyframe than the 3", self.refused(begin + 4 * keyframe))

    def test_what_later_versions_add(self) -> None:
        """Items of unknown kinds are passed over."""
        film = self.open(self.header() + cbor2.dumps([99, 30, b"new"]) + encode(Kind.END, 40))
        self.assertEqual((list(film), film.whole), ([], True))
        film.at(99.0)

    def test_a_changed_byte(self) -> None:
        """Whatever byte changes, the answer is a world or an error that tells the place."""
        data = bytearray(self.film(2.0).read_bytes())
        for at in range(0, len(data), 7):
            changed = bytearray(data)
            changed[at] ^= 1 << at % 8
            try:
                film = self.open(bytes(changed))
                for _ in film:
                    pass
                for _ in [*film.events(), *film.lines()]:
                    pass
            except RecordingError as error:
                self.assertIn(": at byte ", str(error))


class EncodeTests(SynchronousTestCase):
    """Bounds on what is written."""

    def test_too_large(self) -> None:
        """An item that no reader would take is not written."""
        error = self.assertRaises(ValueError, encode, Kind.STEP, 1, FrameBody(0, bytes(MAX_ITEM_BYTES)))
        self.assertIn("can be recorded", str(error))


class LayTests(CoveCase):
    """The game of these tests itself."""

    def test_refuses(self) -> None:
        """A mine at 0 is refused."""
        from meteor_net import Refused

        ann = self.player("ann")
        self.assertRaises(Refused, ann.act, Lay(x=0))
