"""The load on a chat server: what is counted, and what is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.chat import load
from benchmarks.chat.light import Hearer, MeteorHearer, PeerHearer
from benchmarks.chat.load import WINDOW, Crowd
from meteor_net.codec import encode_packet
from meteor_net.messages import Line, Said

HEARERS = 5
LATE_S = 0.02


class Echo(Hearer):
    """What it says is heard by a crowd a little later, without a server."""

    def __init__(self, crowd: Crowd, hears: Callable[[int], bool]) -> None:
        super().__init__("echo", crowd.heard)
        self._crowd = crowd
        self._hears = hears

    def say(self, text: str) -> None:
        """Let those who hear hear it."""
        for number in range(HEARERS):
            if self._hears(number):
                asyncio.get_running_loop().call_later(LATE_S, self._crowd.heard, text)


def crowd(hears: Callable[[int], bool] = lambda _: True) -> Crowd:
    """Make a crowd of a few."""
    made = Crowd()
    made.hearers = [Echo(made, hears) for _ in range(HEARERS)]
    return made


class CrowdTests(SynchronousTestCase):
    """A crowd whose lines all take 20 ms."""

    def setUp(self) -> None:
        self.patch(load, "WARM_UP_S", 0.1)
        self.patch(load, "LATE_S", 0.2)

    def test_throughput(self) -> None:
        """A bounded number of lines is on its way at once, and each makes place for another."""
        rate = asyncio.run(crowd().throughput(0.5))
        self.assertGreater(rate, 0.1 * WINDOW / LATE_S)
        self.assertLess(rate, 1.1 * WINDOW / LATE_S)

    def test_latency(self) -> None:
        """Late is counted from when a line was to be said."""
        late_s = asyncio.run(crowd().latency(100, 0.5))
        self.assertGreater(late_s, LATE_S)
        self.assertLess(late_s, 20 * LATE_S)

    def test_a_line_that_one_has_not_heard(self) -> None:
        """It is told: a server that loses lines is not fast."""
        with self.assertRaisesRegex(ConnectionError, "lines were not heard by all"):
            asyncio.run(crowd(lambda number: number != 3).latency(100, 0.1))

    def test_a_hearer_that_is_gone(self) -> None:
        """It is told, and why."""
        thin = crowd()
        thin.hearers[2].ended = "closed with 4000"
        with self.assertRaisesRegex(ConnectionError, r"1 hearers are gone: echo \(closed with 4000\)"):
            asyncio.run(thin.latency(100, 0.1))


class HearerTests(SynchronousTestCase):
    """What light clients make of what comes."""

    def test_ours(self) -> None:
        """Lines of the room's channel are heard, nobody's notices and no acknowledgements."""
        texts: list[str] = []
        hearer = MeteorHearer("ann", texts.append)
        hearer.channel = (3, "hall/main", 1, 0)
        lines = [Line(3, 0, 1, 1, 0, "bob", "bob", "one"), Line(2, 0, 1, 1, 0, "bob", "bob", "elsewhere")]
        notice = Line(3, 1, 1, 1, 1, "", "", "bob came")
        hearer.message(encode_packet([*lines, notice, Said(3, "ann-1", 0)]), 0)
        self.assertEqual(texts, ["one"])

    def test_the_peer(self) -> None:
        """Events are heard; the handshake and pings are answered; what is not understood ends it."""
        texts: list[str] = []
        hearer = PeerHearer("ann", texts.append)
        with mock.patch.object(PeerHearer, "send_frame") as send:
            for packet in (b'0{"sid":"x"}', b'40{"sid":"y"}', b'42["line",{"name":"bob","text":"one"}]', b"431[true]", b"2"):
                hearer.message(packet, len(packet))
        self.assertEqual([call.args[1] for call in send.call_args_list], [b"40", b"3"])
        self.assertTrue(hearer.ready)
        self.assertEqual(texts, ["one"])
        self.assertIsNone(hearer.ended)
        hearer.message(b"44{}", 4)
        assert hearer.ended is not None
        self.assertIn("44", hearer.ended)
