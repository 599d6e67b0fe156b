"""What a benchmark sends, and whether it would notice that a client went wrong."""

from __future__ import annotations

from unittest import mock

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.state import browser
from benchmarks.state.channel import CODINGS, DEFAULT, Channel, Mismatch, make_world
from benchmarks.state.rows import Mover
from meteor_net.state import Replica
from tests.requirements import require


def channel(coding: str) -> Channel:
    """Give a channel of two rows that were sent three times, with a change before the second time."""
    made = Channel(make_world(Mover), coding)
    rows = [made.world.mover.spawn(x=1, y=2), made.world.mover.spawn(x=3)]
    made.send()
    rows[1].x += 1
    made.send(check=True)
    made.send()
    return made


class ChannelTests(SynchronousTestCase):
    """Each coding that there is."""

    def test_sizes_are_counted(self) -> None:
        """A keyframe, a step, and nothing where nothing changed."""
        for coding in CODINGS:
            made = channel(coding)
            self.assertEqual([size > 0 for size in made.sizes], [True, True, False])
            self.assertEqual(made.following, made.sizes[1:])
            self.assertEqual(len(made.packets), 2)

    def test_another_version_is_noticed(self) -> None:
        """A client that holds something else ends the benchmark."""
        made = channel(DEFAULT)
        made.world.mover[0].x += 1
        with mock.patch.object(Replica, "apply", return_value=made.replica.version), self.assertRaises(Mismatch):
            made.send()

    def test_javascript_is_compared(self) -> None:
        """It decodes every frame; a checksum that differs ends the benchmark."""
        require("node")
        made = [channel(coding) for coding in CODINGS]
        self.assertEqual(len(browser.decode_again(made, passes=2)), len(made))
        made[0].crcs[1] ^= 1
        with self.assertRaisesRegex(Mismatch, "after frame 1"):
            browser.decode_again(made)
