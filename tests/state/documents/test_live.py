"""Documents as a game changes them."""

from __future__ import annotations

import math
from collections import OrderedDict, namedtuple
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import ConfigError, MessageError
from meteor_net.limits import MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH, MAX_DOCUMENT_VALUES, Limits
from meteor_net.state import Replica, Schema, Stream, Table, UInt, Version, World, WorldView, interpolate


class Rock(Table):
    """A table beside the documents."""

    x = UInt(bits=8)


SCHEMA = Schema([Rock], documents=["match", "lobby"])
Card = namedtuple("Card", "suit rank")


class Suit(StrEnum):
    """A text with a name."""

    HEARTS = "hearts"


class Rank(IntEnum):
    """A number with a name."""

    ACE = 14


class LiveTests(SynchronousTestCase):
    """What a commit makes of them."""

    def setUp(self) -> None:
        self.world: Any = World(SCHEMA, 1)
        self.stream = Stream(self.world)
        self.tick = 0

    def commit(self) -> bool:
        """Commit the next tick."""
        self.tick += 1
        return self.stream.commit(self.tick)

    def docs(self) -> dict[str, Any]:
        """The documents of the newest version."""
        return self.stream.version.docs

    def test_changes(self) -> None:
        """Assignment makes a version, wherever it is done; no change, or one that is taken back, makes none."""
        self.assertEqual((self.commit(), self.docs()), (False, {"match": {}, "lobby": {}}))
        self.world.match["board"] = [[""] * 3 for _ in range(3)]
        self.assertTrue(self.commit())
        self.world.match["board"][1][1] = "x"
        self.assertTrue(self.commit())
        self.assertFalse(self.commit())
        self.world.match["board"][0][0] = "o"
        self.world.match["board"][0][0] = ""
        self.assertFalse(self.commit())
        self.world.match = {"over": True}
        self.assertTrue(self.commit())
        self.assertEqual(self.docs()["match"], {"over": True})

    def test_another_order(self) -> None:
        """A map in another order is the same one."""
        self.world.match = {"a": 1, "b": 2}
        self.commit()
        self.world.match = {"b": 2, "a": 1}
        self.assertEqual((self.commit(), self.commit()), (False, False))

    def test_versions_stay(self) -> None:
        """What a version holds does not change with the live one; versions share what is equal."""
        self.world.match = {"a": {"b": [1]}, "c": [2]}
        self.commit()
        before = self.docs()
        self.world.match["c"].append(3)
        self.commit()
        self.assertEqual(before["match"], {"a": {"b": [1]}, "c": [2]})
        self.assertIs(self.docs()["match"]["a"], before["match"]["a"])
        self.assertIsNot(self.docs()["match"]["a"], self.world.match["a"])
        self.assertIs(self.docs()["lobby"], before["lobby"])

    def test_kinds(self) -> None:
        """A tuple is a list; what is a kind of a dict, a text or a number is that."""
        self.world.match = OrderedDict(card=Card(Suit.HEARTS, Rank.ACE), x=np.float64(0.5), blob=b"z", no=None, yes=True)
        self.commit()
        tree = self.docs()["match"]
        self.assertEqual(tree, {"card": ["hearts", 14], "x": 0.5, "blob": b"z", "no": None, "yes": True})
        self.assertEqual([type(item) for item in (tree, tree["card"], *tree["card"], tree["x"])], [dict, list, str, int, float])
        self.assertFalse(self.commit())
        suit = {Suit.HEARTS: 1}
        self.world.match = suit
        self.commit()
        self.assertEqual([type(key) for key in self.docs()["match"]], [str])

    def test_faults_of_its_own(self) -> None:
        """A dict of the author's own may raise anything: it is told, and the rest of the world goes on."""

        class Bad(dict[str, Any]):
            def items(self) -> Any:
                raise ZeroDivisionError("no items")

        self.world.match = Bad(a=1)
        self.world.lobby["n"] = 1
        self.commit()
        self.assertEqual(self.docs()["lobby"], {"n": 1})
        self.assertIn("match: ZeroDivisionError: no items", self.stream.wrong)

    def test_faults(self) -> None:
        """What no document may hold is told with its place, once; the last good one stays, and nothing else is hurt."""
        deep: Any = []
        for _ in range(MAX_DOCUMENT_DEPTH):
            deep = [deep]
        itself: list[Any] = []
        itself.append(itself)
        players = [{"hp": 1}, {"hp": 2}]
        wrong: list[tuple[Any, str]] = [
            ({"players": [*players, {"hp": math.nan}]}, "match['players'][2]['hp']: a number that is not finite"),
            ({"a": -math.inf}, "match['a']: a number that is not finite"),
            ({"a": 2**53}, "match['a']: an integer beyond 2^53 - 1, which JavaScript cannot read"),
            ({"a": [object()]}, "match['a'][0]: an object; dict, list, str, bytes, int, float, True, False and None are "),
            ({"a": np.int64(3)}, "match['a']: a numpy.int64; dict, "),
            ({"a": {1, 2}}, "match['a']: a set; "),
            ({"a": itself}, ": nested deeper than 12"),
            ({3: 1}, "match: the key 3; a str of at most 64 characters is expected"),
            ({"a": {"x" * 65: 1}}, "match['a']: the key 'xxx"),
            ({"a": "\ud800"}, "match['a']: a text with half a character (a surrogate)"),
            ({"\ud800": 1}, "match: a text with half a character"),
            ({"a": deep}, f"match['a']{'[0]' * (MAX_DOCUMENT_DEPTH - 1)}: nested deeper than {MAX_DOCUMENT_DEPTH}"),
            ({"a": [0] * MAX_DOCUMENT_VALUES}, f"match: more than {MAX_DOCUMENT_VALUES} values"),
            ({"a": "x" * MAX_DOCUMENT_BYTES}, f"match: 65544 bytes as CBOR; at most {MAX_DOCUMENT_BYTES}. Larger "),
            ([1], "match: a dict is expected, not a list"),
            (None, "match: a dict is expected, not a NoneType"),
        ]  # fmt: skip
        self.world.match = {"a": 1}
        self.commit()
        for number, (value, text) in enumerate(wrong):
            self.world.match = value
            self.world.lobby["n"] = number
            self.world.rock.spawn()
            self.assertTrue(self.commit())
            self.assertEqual(len(self.stream.wrong), 1)
            self.assertIn(text, self.stream.wrong[0])
            self.assertEqual(self.docs(), {"match": {"a": 1}, "lobby": {"n": number}})
            self.assertEqual(int(self.stream.version.tables[0].alive.sum()), number + 1)
            self.assertEqual((self.commit(), self.stream.wrong), (False, []))
        self.world.match = {"a": 1}
        self.assertEqual((self.commit(), self.stream.wrong), (False, []))
        self.world.match["a"] = 2
        self.assertTrue(self.commit())
        self.world.match["a"] = math.nan
        self.commit()
        self.world.match["a"] = 2
        self.commit()
        self.world.match["a"] = math.nan
        self.commit()
        self.assertEqual(len(self.stream.wrong), 1)
        del self.world.match
        self.commit()
        self.assertEqual(self.stream.wrong, ["match: a dict is expected, not a NoneType"])

    def test_ring(self) -> None:
        """The bytes of documents count; what versions share counts once, and goes when the last of them goes."""
        stream = self.stream = Stream(self.world, Limits(ring_versions=4))
        empty = stream.bytes_of_ring
        self.world.match["a"] = "x" * 1000
        self.commit()
        full = stream.bytes_of_ring
        self.assertGreater(full, empty + 15_000)
        for _ in range(6):
            self.world.rock.spawn()
            self.commit()
        self.assertLess(stream.bytes_of_ring, full + 10_000)
        self.world.match = {}
        for _ in range(6):
            self.world.rock.spawn()
            self.commit()
        self.assertLess(stream.bytes_of_ring, 15_000)
        bounded = Stream(self.world, Limits(ring_bytes=200_000))
        for tick in range(1, 20):
            self.world.match["a"] = f"{tick}" * 1000
            bounded.commit(tick)
        self.assertLess(bounded.size_of_ring, 12)

    def test_put(self) -> None:
        """A version of another stream brings its documents along; equal ones are no news."""
        other = Stream(self.world)
        self.world.match = {"a": [1]}
        other.commit(1)
        self.assertTrue(self.stream.put(other.version, 1))
        self.assertEqual(self.docs()["match"], {"a": [1]})
        self.assertFalse(self.stream.put(other.version, 2))

    def test_shown(self) -> None:
        """A view has the documents of its version; between two versions, those of the later one."""
        self.world.match = {"a": 1}
        self.commit()
        first = self.stream.version
        self.world.match = {"a": 2}
        self.commit()
        self.assertEqual(WorldView(first).match, {"a": 1})
        self.assertEqual(interpolate(first, self.stream.version, 0.5).match, {"a": 2})
        self.assertFalse(first.same(self.stream.version))
        self.assertTrue(first.same(first))

    def test_no_such_name(self) -> None:
        """The error tells tables and documents."""
        for world in (self.world, WorldView(Version.empty(SCHEMA))):
            error = self.assertRaises(AttributeError, getattr, world, "stone")
            self.assertEqual(str(error), "the world has no table 'stone'; it has rock, match, lobby")


class SchemaTests(SynchronousTestCase):
    """Documents in a schema."""

    def test_described(self) -> None:
        """They are listed by name; where there are none, the schema and its hash are as ever."""
        described = SCHEMA.describe()
        self.assertEqual(described["documents"], ["match", "lobby"])
        parsed = Schema.parse(described)
        self.assertEqual(
            (parsed.documents, parsed.hash, parsed.names), (("match", "lobby"), SCHEMA.hash, ["rock", "match", "lobby"])
        )
        self.assertNotIn("documents", Schema([Rock]).describe())

    def test_wrong(self) -> None:
        """Names that are none, are a table's, or come twice; too many; and a list that is none."""
        wrong: list[Any] = [["rock"], ["a", "a"], ["tick"], ["__class__"], ["a b"], [3], "match", [f"d{n}" for n in range(17)]]
        for names in wrong:
            self.assertRaises(ConfigError, Schema, [Rock], documents=names)
            self.assertRaises(MessageError, Schema.parse, {**SCHEMA.describe(), "documents": names})


class ReplicaTests(SynchronousTestCase):
    """What a client makes of a frame."""

    def test_refused(self) -> None:
        """Bytes that are no patches of these documents are refused by FrameError, and leave all as it was."""
        world: Any = World(SCHEMA, 1)
        stream, replica = Stream(world), Replica(SCHEMA, 1)
        world.match = {"a": [1, 2], "b": {"c": 1}}
        stream.commit(1)
        step = stream.step(None)
        replica.apply(step.tick16, step.base_code, step.data, step.texts, docs=step.docs)
        held = replica.version
        wrong = [
            "00", "f7", "80", "a1", "a0a0", "a1656d61746368f7", "a1656d6174636801", "a1656d6174636880", "a1646e6f6e65a0",
            "a100a0",
            "bf656d61746368a0ff", "a1656d61746368c100", "a1656d61746368a16161f97e00", "a1656d61746368a16161fb7ff0000000000000",
            "a1656d61746368a161611b0020000000000000", "a1656d61746368a1616281f7", "a1656d61746368a16161f4f4",
            "a1656d61746368a2616100616101", "a2656d61746368a0656d61746368a0", "a1656d61746368a16161" + "81" * 40 + "00", "ff",
            "a1656d61746368a161616161ff", "a1656d61746368a16161e3", "a1656d61746368a1616182f7830500" + "80",
        ]  # fmt: skip
        for data in wrong:
            self.assertRaises(MessageError, replica.apply, 2, 8, b"\0", None, docs=bytes.fromhex(data))
            self.assertIs(replica.version, held)
            self.assertEqual(replica.world.match, {"a": [1, 2], "b": {"c": 1}})
        replica.apply(2, 8, b"\0", None, docs=bytes.fromhex("a1656d61746368a16161f7"))
        self.assertEqual(replica.world.match, {"b": {"c": 1}})

    def test_bounded(self) -> None:
        """However much a server sends, a client holds no more than the largest documents."""
        schema = Schema(documents=[f"d{n}" for n in range(16)])
        replica = Replica(schema, 1)
        text = "x" * 65_000

        def key(n: int, value: bytes) -> bytes:
            return b"\xa1" + (b"\x62d%d" % n if n < 10 else b"\x63d%d" % n) + b"\xa1\x61a" + value

        long = b"\x79" + len(text).to_bytes(2, "big") + text.encode()
        replica.apply(1, 0, b"\0", None, docs=key(0, long))
        for _ in range(40):
            for n in range(16):
                replica.apply(1, 8, b"\0", None, docs=key(n, long))
        more = long.replace(b"\x79", b"\x7a\0\0", 1)
        self.assertRaises(MessageError, replica.apply, 1, 8, b"\0", None, docs=b"\xa1\x62d0\xa1\x61b" + more)
        items = b"\x9a" + (2**20).to_bytes(4, "big") + bytes(2**20)
        error = self.assertRaises(MessageError, replica.apply, 1, 8, b"\0", None, docs=key(0, items))
        self.assertIn("at most 1048576 items", str(error))
