"""A bad network: what it does to packets, and what is read out of what players felt."""

from __future__ import annotations

from collections import Counter
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.nets.__main__ import table
from benchmarks.nets.outcome import Felt
from benchmarks.nets.profiles import PROFILES
from benchmarks.nets.run import Profile, Result
from benchmarks.nets.way import Conditions, Network, Way, flow

UP, DOWN = 0, 1


def tcp(source: int, target: int, begins: bool = False, size: int = 40) -> bytes:
    """Make a TCP packet over IPv4, as far as the relay looks at it."""
    head = bytearray(size)
    head[0], head[9] = 0x45, 6
    head[20:24] = source.to_bytes(2, "big") + target.to_bytes(2, "big")
    head[33] = 2 if begins else 16
    return bytes(head)


def way(seed: int = 1, **conditions: float) -> Way:
    """Make one direction."""
    return Way(Conditions(**conditions), Random(seed))


class WayTests(SynchronousTestCase):
    """One direction."""

    def test_delay(self) -> None:
        """A packet comes when its time has passed, and not before."""
        one = way(delay_s=0.1)
        one.take(b"a", 0, 5.0)
        self.assertEqual((one.due(5.09), one.next_at()), ([], 5.1))
        self.assertEqual((one.due(5.1), one.next_at()), ([b"a"], None))
        self.assertEqual((one.packets, one.octets, one.dropped), (1, 1, 0))

    def test_jitter_keeps_the_order_of_a_line(self) -> None:
        """Packets of one line come in order, spread over the range; lines do not wait for each other."""
        one = way(delay_s=0.1, jitter_s=0.05)
        for number in range(200):
            one.take(bytes([number]), 0, number * 0.01)
        came: list[tuple[float, int]] = []
        while (at := one.next_at()) is not None:
            came += [(at, packet[0]) for packet in one.due(at)]
        self.assertEqual([number for _, number in came], list(range(200)))
        took = [at - number * 0.01 for at, number in came]
        self.assertGreaterEqual(min(took), 0.05)
        self.assertLessEqual(max(took), 0.15 + 1e-9)
        self.assertGreater(max(took) - min(took), 0.05)

    def test_loss_by_seed(self) -> None:
        """About that share is lost: the same packets with the same seed, others with another."""

        def lost(seed: int) -> set[int]:
            one = way(seed, loss=0.05)
            for number in range(4_000):
                one.take(number.to_bytes(2, "big"), 0, 0.0)
            numbers = set(range(4_000)) - {int.from_bytes(packet, "big") for packet in one.due(0.0)}
            self.assertEqual(one.dropped, len(numbers))
            return numbers

        self.assertTrue(150 < len(lost(1)) < 250, len(lost(1)))
        self.assertEqual(lost(1), lost(1))
        self.assertNotEqual(lost(1), lost(2))

    def test_rate(self) -> None:
        """Each line has its own rate; what would wait too long is dropped."""
        one = way(rate_bps=8_000, queue_s=0.25)  # 1,000 bytes a second
        for number in range(5):
            one.take(bytes([number]) * 100, 0, 0.0)
        one.take(b"x" * 100, 1, 0.0)
        self.assertEqual([packet[:1] for packet in one.due(0.1)], [b"\0", b"x"])
        self.assertEqual([packet[0] for packet in one.due(1.0)], [1, 2])
        self.assertEqual(one.dropped, 2)

    def test_late(self) -> None:
        """Some are overtaken; none is lost."""
        one = way(delay_s=0.01, late=0.2, late_s=0.05)
        for number in range(100):
            one.take(bytes([number]), 0, number * 0.01)
        came = []
        while (at := one.next_at()) is not None:
            came += [packet[0] for packet in one.due(at)]
        self.assertEqual(sorted(came), list(range(100)))
        self.assertNotEqual(came, sorted(came))


class NetworkTests(SynchronousTestCase):
    """Both directions."""

    def test_flow(self) -> None:
        """The player's port of either direction; whatever else comes is no connection."""
        self.assertEqual(flow(tcp(1_234, 9_000, begins=True), UP), (1_234, True))
        self.assertEqual(flow(tcp(9_000, 1_234), DOWN), (1_234, False))
        udp = bytearray(tcp(1_234, 9_000))
        udp[9] = 17
        for other in (b"", bytes(60), bytes(udp), tcp(1, 2)[:39], b"\x4f" + tcp(1, 2)[1:]):
            self.assertEqual(flow(other, UP), (0, False))

    def test_cut(self) -> None:
        """Nothing gets through, nor what was under way; afterwards all does."""
        network = Network(Conditions(delay_s=0.1), 1)
        network.take(UP, tcp(1, 2), 0.0)
        network.set_cut(True)
        network.take(DOWN, tcp(2, 1), 0.05)
        self.assertEqual([each.due(9.0) for each in network.ways], [[], []])
        network.set_cut(False)
        network.take(DOWN, tcp(2, 1), 10.0)
        self.assertEqual([len(each.due(11.0)) for each in network.ways], [0, 1])
        self.assertEqual((network.lost_cut, network.ways[UP].dropped), (1, 1))

    def test_silence(self) -> None:
        """Connections of before are silent for good, both ways; new ones work."""
        network = Network(Conditions(), 1)
        network.take(UP, tcp(1, 9, begins=True), 0.0)
        self.assertEqual(len(network.ways[UP].due(0.0)), 1)
        network.silence()
        network.take(UP, tcp(1, 9), 1.0)
        network.take(DOWN, tcp(9, 1), 1.0)
        self.assertEqual([each.due(1.0) for each in network.ways], [[], []])
        network.take(UP, tcp(2, 9, begins=True), 2.0)
        network.take(UP, tcp(2, 9), 2.0)
        network.take(DOWN, tcp(9, 2), 2.0)
        self.assertEqual([len(each.due(2.0)) for each in network.ways], [2, 1])


class FeltTests(SynchronousTestCase):
    """What players felt."""

    def setUp(self) -> None:
        self.felt = Felt(statuses=[(1.0, "online"), (40.0, "stale"), (81.0, "reconnecting in 1 s"), (82.0, "online")])
        for last_s, now_s in ((1.0, 1.05), (1.05, 1.1), (1.1, 83.0), (83.0, 83.05)):
            self.felt.frame(last_s, now_s)

    def test_pauses(self) -> None:
        """How soon the loss was noticed, and how long after the healing the world went on."""
        self.assertEqual(self.felt.pauses, [(1.1, 83.0)])
        self.assertEqual(self.felt.noticed_s(41.0), 40.0)
        self.assertIsNone(self.felt.noticed_s(82.0))
        self.assertEqual((self.felt.back_s(80.0), self.felt.back_s(0.5), self.felt.back_s(90.0)), (3.0, 0.0, 0.0))

    def test_table(self) -> None:
        """A row for each network; what there is nothing to tell of is empty."""
        counts = {"down_bytes": 100_000, "packets": 90, "dropped": 10}
        common = (Counter[str](), counts)
        results = [
            Result(PROFILES["none"], [], [], [self.felt], 10.0, None, None, 5, *common),
            Result(Profile("cut", cut_s=5.0), [], [], [self.felt], 10.0, 41.0, 80.0, 5, *common),
        ]
        head, _, none, cut = ([cell.strip() for cell in line.strip("|").split("|")] for line in table(results).splitlines())
        self.assertEqual(head[:4], ["network", "p50 ms", "p99 ms", "longest s"])
        self.assertEqual(none[-3:], ["", "", ""])
        self.assertEqual(cut[-3:], ["40.0", "3.0", "3.0"])
        self.assertEqual((cut[0], cut[3]), ("cut", "81.9"))
        self.assertEqual(cut[head.index("dropped %")], "10.0")

    def test_profiles(self) -> None:
        """All that a player may meet are there."""
        self.assertEqual(
            list(PROFILES), ["none", "1%", "2%", "5%", "10%", "256k", "reorder", "cut-5", "cut-30", "cut-120", "silent"]
        )
