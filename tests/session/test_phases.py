"""Which message may come when."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import CloseCode, RemoteProtocolError
from meteor_net.messages import FROM_CLIENT, Goodbye, Hello, Join, Message, Ping
from meteor_net.session.phases import NEXT, Phase, after


class PhaseTests(SynchronousTestCase):
    """The table of phases (clause 4.1)."""

    def test_the_way_in(self) -> None:
        """HELLO comes first, then nothing until WELCOME, then everything but another HELLO."""
        self.assertIs(after(Phase.HELLO, Hello([1])), Phase.ENTERING)
        allowed = {phase: set(NEXT[phase]) for phase in Phase}
        self.assertEqual(allowed[Phase.HELLO], {Hello, Goodbye})
        self.assertEqual(allowed[Phase.ENTERING], {Goodbye})
        self.assertEqual(allowed[Phase.READY], set(FROM_CLIENT) - {Hello})
        self.assertIs(after(Phase.READY, Ping(1, 2)), Phase.READY)

    def test_the_way_out(self) -> None:
        """After a goodbye nothing may come any more."""
        for phase in (Phase.HELLO, Phase.ENTERING, Phase.READY):
            self.assertIs(after(phase, Goodbye(1000, "")), Phase.LEAVING)
        self.assertEqual((NEXT[Phase.LEAVING], NEXT[Phase.GONE]), ({}, {}))

    def test_out_of_phase(self) -> None:
        """A message out of its phase ends the connection with 4501, and the text says what is wrong."""
        cases: list[tuple[Phase, Message, str]] = [
            (Phase.HELLO, Join("a"), "Join may not come now: this connection has not said HELLO"),
            (Phase.ENTERING, Join("a"), "Join may not come now: this connection has to wait for WELCOME"),
            (Phase.READY, Hello([1]), "Hello may not come now: this connection is in"),
            (Phase.LEAVING, Ping(1, 2), "Ping may not come now: this connection is ending"),
            (Phase.GONE, Ping(1, 2), "Ping may not come now: this connection is ending"),
        ]
        for phase, message, text in cases:
            error = self.assertRaises(RemoteProtocolError, after, phase, message)
            self.assertEqual((error.text, error.code), (text, CloseCode.WRONG_PHASE))
