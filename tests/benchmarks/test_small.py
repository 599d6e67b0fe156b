"""Bytes on the wire."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.state.small import on_wire


class OnWireTests(SynchronousTestCase):
    """A packet with the header of its WebSocket frame."""

    def test_the_header_grows_with_the_length(self) -> None:
        """2 bytes, 4 from 126 bytes on, 10 from 65,536 on."""
        lengths = (0, 125, 126, 65_535, 65_536)
        self.assertEqual([on_wire(bytes(length)) - length for length in lengths], [2, 2, 4, 4, 10])
