"""The clock and the chance of tests."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.testing import Seeds, SteppedClock


class SteppedClockTests(SynchronousTestCase):
    """A clock that goes from call to call."""

    def test_each_call_sees_its_time(self) -> None:
        """A call that is due in between believes that it is in time."""
        seen: list[tuple[str, float]] = []
        clock = SteppedClock(100.0)
        clock.callLater(2.0, lambda: seen.append(("second", clock.seconds())))
        clock.callLater(1.0, lambda: clock.callLater(0.5, lambda: seen.append(("child", clock.seconds()))))
        clock.advance(5.0)
        self.assertEqual(seen, [("child", 101.5), ("second", 102.0)])
        self.assertEqual(clock.seconds(), 105.0)

    def test_order_of_equals(self) -> None:
        """Calls of one time happen in the order in which they were asked for."""
        seen: list[int] = []
        clock = SteppedClock()
        for number in range(5):
            clock.callLater(1.0, seen.append, number)
        clock.advance(1.0)
        self.assertEqual(seen, [0, 1, 2, 3, 4])

    def test_step(self) -> None:
        """A step goes to the next call, or to the given time if there is none."""
        seen: list[int] = []
        clock = SteppedClock(100.0)
        clock.callLater(2.0, seen.append, 1)
        self.assertEqual((clock.step(101.0), clock.seconds()), (False, 101.0))
        self.assertEqual((clock.step(110.0), clock.seconds(), seen), (True, 102.0, [1]))
        self.assertEqual((clock.step(110.0), clock.seconds()), (False, 110.0))
        self.assertEqual((clock.step(105.0), clock.seconds()), (False, 110.0))


class SeedsTests(SynchronousTestCase):
    """Random numbers by name."""

    def test_depend_on_seed_and_name(self) -> None:
        """The same again for the same two, others for others; these very ones on every machine."""
        first = [Seeds(1).random(name).getrandbits(32) for name in ("a", "b", "a")]
        self.assertEqual(first, [2955472016, 1797707378, 2955472016])
        self.assertNotEqual(Seeds(2).random("a").getrandbits(32), first[0])
