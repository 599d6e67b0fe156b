"""Actions, inputs and events."""

from __future__ import annotations

import math
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import ConfigError, MessageError
from meteor_net.state import Action, Event, Fixed, Input, Local, UInt
from tests.state.samples import Boom, Buy, Steer


class RecordTests(SynchronousTestCase):
    """Small frozen values, checked when made and when read."""

    def test_make(self) -> None:
        """Values are given by keyword; what is missing takes the default."""
        steer = Steer(turn=0.5)
        self.assertEqual((steer.turn, steer.thrust), (0.5, False))
        self.assertIsInstance(steer, Action)
        self.assertEqual(repr(steer), "Steer(turn=0.5, thrust=False)")
        self.assertIsInstance(Steer.turn, Fixed)

    def test_rounded_at_once(self) -> None:
        """The sender sees the value that the receiver will: rounded, clamped, and never NaN."""
        self.assertEqual(Steer(turn=0.3).turn, 19 / 64)
        self.assertEqual(Steer(turn=7).turn, 1.0)
        self.assertEqual(Steer(turn=math.nan).turn, 0.0)
        self.assertEqual(Steer.from_wire(Steer(turn=0.3).to_wire()), Steer(turn=0.3))

    def test_bad_values(self) -> None:
        """A wrong field or value is refused by an error that names it."""
        self.assertIn("speed", str(self.assertRaises(TypeError, Steer, speed=1)))
        self.assertIn("turn", str(self.assertRaises(TypeError, Steer, turn="left")))
        self.assertIn("what", str(self.assertRaises(ValueError, Buy, what="anchor")))
        self.assertIn("note", str(self.assertRaises(ValueError, Buy, note="longer")))
        self.assertIn("note", str(self.assertRaises(TypeError, Buy, note="\ud800")))

    def test_frozen(self) -> None:
        """Nobody changes a record on its way through handlers."""
        steer: Any = Steer()
        self.assertRaises(AttributeError, setattr, steer, "turn", 1)
        self.assertRaises(AttributeError, setattr, steer, "other", 1)
        self.assertRaises(AttributeError, delattr, steer, "turn")

    def test_equal(self) -> None:
        """Records are equal by class and values, and can be keys."""
        self.assertEqual(Buy(what="sail"), Buy(what="sail"))
        self.assertEqual(len({Buy(), Buy(), Buy(note="x")}), 2)
        self.assertNotEqual(Buy(), Boom())
        self.assertNotEqual(Buy(), 5)

    def test_from_wire(self) -> None:
        """A list from a peer is read strictly: count, types and domains."""
        self.assertEqual(Buy.from_wire([1, "hi"]), Buy(what="sail", note="hi"))
        wrong: list[Any] = [None, (1, "hi"), [1], [1, "hi", 2], [2, "hi"], [1, 5], [True, "hi"], {}]
        for values in wrong:
            self.assertIn("Buy", str(self.assertRaises(MessageError, Buy.from_wire, values)))
        self.assertIn("note", str(self.assertRaises(MessageError, Buy.from_wire, [1, "longer"])))

    def test_declaration(self) -> None:
        """A record has at most 64 fields, none server-only, none with a name in use."""
        for base in (Action, Input, Event):
            self.assertRaises(ConfigError, type, "A", (base,), {"x": Local(float)})
            self.assertRaises(ConfigError, type, "A", (base,), {f"f{n}": UInt(1) for n in range(65)})
            self.assertRaises(ConfigError, type, "A", (base,), {"to_wire": UInt(1)})

    def test_empty(self) -> None:
        """A record without fields is a bare fact."""

        class Jump(Action):
            """No fields."""

        self.assertEqual(Jump().to_wire(), [])
        self.assertEqual(Jump.from_wire([]), Jump())
