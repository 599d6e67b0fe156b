"""Tests of `meteor_net.client.wheel`."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.client import wheel as module
from meteor_net.client.wheel import TICK_S, Wheel, join_wheel, leave_wheel


class WheelTests(SynchronousTestCase):
    """One timer for many."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.wheel = Wheel(self.clock)

    def run_for(self, seconds: float) -> None:
        """Let time pass in small steps."""
        for _ in range(round(seconds / 0.01)):
            self.clock.advance(0.01)

    def test_one(self) -> None:
        """Alone, it is told the time every quarter of a second, and the timer has nothing else to do."""
        times: list[float] = []
        self.wheel.add(times.append)
        self.wheel.add(times.append)
        self.assertEqual((len(self.wheel), len(self.clock.getDelayedCalls())), (1, 1))
        self.run_for(1.005)
        self.assertEqual([round(time, 2) for time in times], [0.25, 0.5, 0.75, 1.0])

    def test_many(self) -> None:
        """However many there are, there is one timer; each has its turn in every round, and they are spread over it."""
        told: list[tuple[float, int]] = []
        for number in range(1_000):
            self.wheel.add(lambda now, number=number: told.append((round(now, 2), number)))  # type: ignore[misc]
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.run_for(2 * TICK_S)
        told.clear()
        self.run_for(TICK_S)
        self.assertEqual(sorted(number for _, number in told), list(range(1_000)))
        times = {time for time, _ in told}
        self.assertEqual(len(times), module.SLOTS)
        for time in times:
            self.assertEqual(sum(each == time for each, _ in told), 1_000 // module.SLOTS)

    def test_leaving(self) -> None:
        """Who has left is not called, not even in the same moment; without anybody there is no timer."""
        told: list[str] = []

        def first(now: float) -> None:
            told.append("first")
            for tick in (*later, first):
                self.wheel.remove(tick)

        later = [lambda now, number=number: told.append(f"{number}") for number in range(module.SLOTS)]
        self.wheel.add(first)
        for tick in later:
            self.wheel.add(tick)
        self.wheel._slots[0], self.wheel._slots[1:] = dict.fromkeys([first, *later]), [{} for _ in range(module.SLOTS - 1)]
        self.run_for(1)
        self.assertEqual((told, self.clock.getDelayedCalls()), (["first"], []))
        self.wheel.remove(first)

    def test_one_that_fails(self) -> None:
        """It is logged, and hurts no other."""
        times: list[float] = []

        def fail(now: float) -> None:
            raise ZeroDivisionError

        self.wheel.add(fail)
        for _ in range(module.SLOTS):
            self.wheel.add(lambda now: times.append(now))
        self.run_for(2 * TICK_S)
        self.assertGreaterEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertGreaterEqual(len(times), module.SLOTS)

    def test_of_a_reactor(self) -> None:
        """There is one for a reactor, made when it is needed, and gone with the last who left."""
        times: list[float] = []
        leave_wheel(self.clock, times.append)
        join_wheel(self.clock, times.append)
        join_wheel(self.clock, print)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        leave_wheel(self.clock, print)
        self.run_for(0.3)
        self.assertEqual(len(times), 1)
        leave_wheel(self.clock, times.append)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertNotIn(self.clock, module._wheels)
