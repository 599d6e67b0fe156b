"""Tests of the parts of `benchmarks.recovery` that are no processes: how late a loop was, the relay, the motion."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import numpy as np
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.recovery.relay import Relay
from benchmarks.recovery.stalls import BEAT_S, Probe, late_ms, read
from benchmarks.recovery.storm import Storm
from benchmarks.recovery.thousand import LENGTH, digest, digests, motion, place
from benchmarks.server import free_port
from benchmarks.state.motion import SIZE


class StallTests(SynchronousTestCase):
    """A probe in a loop that a clock drives."""

    def beats(self, stalls: list[float], computes: bool = True) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Beat for two seconds, and stand still in between."""
        path = Path(self.mktemp())
        clock = Clock()
        probe = Probe(path, clock, clock.seconds, clock.seconds if computes else lambda: 0.0)
        probe.start()
        for stall in stalls:
            clock.pump([BEAT_S / 4] * 40)
            clock.advance(stall)
        clock.pump([BEAT_S / 4] * 1_000)
        probe.stop()
        return read(path)

    def test_on_time(self) -> None:
        """Each beat is there once, and is late by no more than the clock's step."""
        beats = self.beats([])
        self.assertTrue(np.allclose(np.diff(beats[:, 0]), BEAT_S))
        self.assertGreater(len(beats), 190)
        self.assertLessEqual(late_ms(beats, 2.0).max(), 1000 * BEAT_S / 4 + 1e-6)

    def test_a_stall_counts_for_its_whole_time(self) -> None:
        """A loop that stands still for half a second misses fifty beats: each was late, the first one by all of it."""
        late = late_ms(self.beats([0.5]), 10.0)
        self.assertLess(abs(late.max() - 500), 11)
        self.assertLess(abs((late > 5).sum() - 50), 3)

    def test_a_core_of_its_own(self) -> None:
        """What the loop waits for the core, it would not with one of its own; what it computes, it does there too."""
        for computes, expected in ((True, 500), (False, 0)):
            alone = late_ms(self.beats([0.5], computes), 10.0, alone=True)
            self.assertLess(abs(alone.max() - expected), 11)

    def test_until(self) -> None:
        """What was due later does not count."""
        self.assertLess(late_ms(self.beats([0.5]), 0.09).max(), 5)

    def test_a_server_that_was_killed(self) -> None:
        """Half a record at the end is left out."""
        path = Path(self.mktemp())
        path.write_bytes(bytes(24 * 3 + 5))
        self.assertEqual(read(path).shape, (3, 3))

    def test_told(self) -> None:
        """The percentiles are of the beats."""
        storm = Storm(back_s=12.0, late_ms=np.arange(101.0), alone_ms=np.zeros(3))
        self.assertEqual((storm.late(50), storm.late(99)), (50.0, 99.0))
        self.assertIn("back after 12.0 s", str(storm))
        self.assertIn("p99 99", str(storm))


class MotionTests(SynchronousTestCase):
    """The world's way."""

    def test_forth_and_back(self) -> None:
        """It never jumps."""
        places = [place(turn) for turn in range(3 * LENGTH)]
        self.assertEqual({abs(there - here) for here, there in pairwise(places)}, {1})
        self.assertEqual((min(places), max(places)), (0, LENGTH - 1))

    def test_digests(self) -> None:
        """Each tick has its own, that of the integers that a client holds."""
        known = digests()
        self.assertEqual(len(set(known)), LENGTH)
        x, y, angle = motion().values[7]
        codes = [
            np.floor(x * 65536 / SIZE + 0.5),
            np.floor(y * 65536 / SIZE + 0.5),
            np.floor(angle * 65536 / (2 * np.pi) + 0.5),
        ]
        self.assertEqual(known[7], digest(np.array(codes).astype(np.int64) % 65536))


class RelayTests(SynchronousTestCase):
    """A relay before a server that echoes."""

    def test_counts_and_cuts(self) -> None:
        """Bytes are counted both ways; a cut ends what is open and refuses what comes; then all is counted anew."""
        asyncio.run(self.talk())

    async def talk(self) -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(100):
                writer.write(2 * data)
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        relay = Relay(server.sockets[0].getsockname()[1], free_port())
        await relay.listen()
        for count in (1, 2):
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            for _ in range(count):
                writer.write(b"hello")
                self.assertEqual(await reader.readexactly(10), b"hellohello")
            await relay.quiet(0.05, 5)
            self.assertEqual((relay.up, relay.down), (5 * count, 10 * count))
            relay.cut()
            with self.assertRaises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            with self.assertRaises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", relay.port)
            writer.close()
            await relay.listen()
            self.assertEqual((relay.up, relay.down), (0, 0))
        with self.assertRaisesRegex(ConnectionError, "not quiet within 0 s"):
            await relay.quiet(0.05, 0.1)
        relay.cut()
        server.close()
