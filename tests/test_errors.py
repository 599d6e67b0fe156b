"""What goes wrong, and what a client does then."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net import errors
from meteor_net.errors import CloseCode, ConnectionFailed, MeteorError, PacketError, Refused, RemoteProtocolError, come_back


class ErrorTests(SynchronousTestCase):
    """The tree of errors."""

    def test_one_root(self) -> None:
        """`except MeteorError` catches all that this package raises."""
        found = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)]
        self.assertGreater(len(found), 8)
        self.assertEqual([each for each in found if not issubclass(each, MeteorError)], [])

    def test_refused(self) -> None:
        """A refusal carries the text for the player and a word for programs."""
        refused = Refused("too fast", "slow-down")
        self.assertEqual((str(refused), refused.text, refused.reason), ("too fast", "too fast", "slow-down"))
        self.assertEqual(Refused().reason, "refused")

    def test_codes(self) -> None:
        """An error of the peer's says with which code the connection ends."""
        self.assertEqual(RemoteProtocolError("no").code, CloseCode.WRONG_PHASE)
        self.assertEqual(PacketError("no").code, CloseCode.BAD_PACKET)
        self.assertEqual(PacketError("no", CloseCode.TOO_BIG).code, 1009)
        self.assertEqual(ConnectionFailed("no").code, 1006)


class ComeBackTests(SynchronousTestCase):
    """Which close codes mean: come back (clause 4.5)."""

    def test_ours(self) -> None:
        """4000 to 4499 come back, 4500 to 4999 stay away, at both ends of the ranges."""
        self.assertEqual([come_back(code) for code in (3999, 4000, 4499, 4500, 4999)], [False, True, True, False, False])

    def test_standard(self) -> None:
        """Of the standard codes those come back that mean trouble on the way, not a mistake."""
        self.assertEqual([code for code in range(1000, 1016) if come_back(code)], [1001, 1005, 1006, 1011, 1012, 1013, 1014])
