"""The places that a JOIN names."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import PacketError
from meteor_net.limits import Limits
from meteor_net.room.places import Places


class PlacesTests(SynchronousTestCase):
    """Reading clause 6.1."""

    def test_absent(self) -> None:
        """All may be absent, and keys of later versions are ignored."""
        self.assertEqual(Places.of({}, Limits()), Places(None, None, None, {}))
        self.assertEqual(Places.of({"later": 1, "event": 4}, Limits()), Places(event=4))

    def test_all(self) -> None:
        """What a client holds of the world, of events and of channels."""
        places = Places.of({"epoch": 1, "tick": 0, "event": 3, "channels": {"a/b": [5, -1], "@u": [6, 7]}}, Limits())
        self.assertEqual(places, Places(1, 0, 3, {"a/b": (5, -1), "@u": (6, 7)}))

    def test_wrong(self) -> None:
        """Anything else ends the connection, with a text that names the key."""
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"epoch": "1"}, "epoch"), ({"tick": -1}, "tick"), ({"event": True}, "event"), ({"tick": 1.0}, "tick"),
            ({"channels": []}, "channels"), ({"channels": None}, "channels"), ({"channels": {"a": 1}}, "'a'"),
            ({"channels": {"a": [1]}}, "'a'"), ({"channels": {"a": [1, 2, 3]}}, "'a'"), ({"channels": {"a": [1, "2"]}}, "'a'"),
            ({"channels": {"a": [-1, 2]}}, "'a'"), ({"channels": {"a": [1, -2]}}, "'a'"),
        ]  # fmt: skip
        for places, text in wrong:
            self.assertIn(text, self.assertRaises(PacketError, Places.of, places, Limits()).text)

    def test_limit(self) -> None:
        """So many channels, and not one more."""
        for most in (0, 1, 128):
            channels = {str(number): [1, 2] for number in range(most)}
            limits = Limits(places=most)
            self.assertEqual(len(Places.of({"channels": channels}, limits).channels), most)
            self.assertRaises(PacketError, Places.of, {"channels": {**channels, "more": [1, 2]}}, limits)
