"""Patches of trees."""

from __future__ import annotations

from typing import Any

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.limits import MAX_DOCUMENT_DEPTH
from meteor_net.state import FrameError
from meteor_net.state.documents import patches
from meteor_net.state.documents.patches import MAX_EDITS, SAME, UNDEFINED, diff, patched
from tests.state.documents.strategies import KEYS, LEAVES, MAPS, TREES, canonical

U = UNDEFINED


def sent(old: Any, new: Any) -> Any:
    """Give the patch as it arrives; `SAME` if there is none."""
    patch = diff(old, new)
    return SAME if patch is SAME else cbor2.loads(cbor2.dumps(patch))


class DiffTests(SynchronousTestCase):
    """What a patch looks like."""

    def test_maps(self) -> None:
        """Only keys that changed, inner ones too; deleted ones are undefined."""
        old = {"a": 1, "b": {"c": 2, "d": 3}, "e": [1]}
        self.assertEqual(diff(old, {"a": 1, "b": {"c": 2, "d": 4}, "e": [1]}), {"b": {"d": 4}})
        self.assertEqual(diff(old, {"b": {"c": 2}, "e": [1], "f": None}), {"a": U, "b": {"d": U}, "f": None})

    def test_another_map_in_its_place(self) -> None:
        """A map that takes the place of a map keeps none of its keys, however deep."""
        old, new = {"m": {"a": {"x": 1}, "b": 2}}, {"m": {"a": {"y": 1}}}
        self.assertEqual(diff(old, new), {"m": {"a": {"x": U, "y": 1}, "b": U}})
        self.assertEqual(patched(old, sent(old, new)), new)

    def test_other_kinds_in_its_place(self) -> None:
        """What is no map, or was none, is replaced: by an empty map too."""
        pairs: list[tuple[Any, Any]] = [({"a": 1}, 3), (3, {}), ([1], {"0": 1}), ({}, [])]
        for old, new in pairs:
            self.assertEqual(diff({"m": old}, {"m": new}), {"m": new})
            self.assertEqual(patched({"m": old}, sent({"m": old}, {"m": new})), {"m": new})

    def test_what_is_equal(self) -> None:
        """Nothing is sent; but 1, 1.0 and True are three values, and zero has two signs."""
        tree = {"a": [1, {"b": "x"}], "c": b"y"}
        self.assertIs(diff(tree, {"c": b"y", "a": [1, {"b": "x"}]}), SAME)
        self.assertEqual(repr(SAME), "SAME")
        for old, new in [(1, True), (1, 1.0), (0.0, -0.0), ("a", b"a"), (None, False)]:
            self.assertEqual(repr(diff({"a": old}, {"a": new})), repr({"a": new}))
            self.assertEqual(
                canonical(patched({"a": [old] * 9}, sent({"a": [old] * 9}, {"a": [new] * 9}))), canonical({"a": [new] * 9})
            )
        self.assertIs(diff(0.0, 0.0), SAME)

    def test_lists(self) -> None:
        """Items that come, go, change or move are sent, and not those beside them."""
        items = [{"name": f"player {n}", "hp": 100} for n in range(50)]
        hurt = [dict(item) for item in items]
        hurt[7]["hp"] = 95
        self.assertEqual(diff(items, hurt), [U, [7, {"hp": 95}]])
        self.assertEqual(diff(items, items[:7] + items[8:]), [U, [7, 1, []]])
        self.assertEqual(diff(items, [*items, {"name": "zoë"}]), [U, [50, 0, [{"name": "zoë"}]]])
        self.assertEqual(diff(items, items[1:] + items[:1]), [U, [0, 1, []], [50, 0, items[:1]]])
        hurt.insert(20, {"name": "new"})
        del hurt[30]
        self.assertEqual(diff(items, hurt), [U, [7, {"hp": 95}], [20, 0, [{"name": "new"}]], [29, 1, []]])

    def test_short_lists(self) -> None:
        """What is shorter is sent: edits, or the list."""
        self.assertEqual(diff([1, 2], [2, 1]), [2, 1])
        self.assertEqual(diff(["abc"] * 3, []), [])
        self.assertEqual(diff([], [1]), [1])

    def test_many_edits(self) -> None:
        """Where more has changed than is looked for, lists of one length are compared place by place, others sent whole."""
        many = 2 * MAX_EDITS
        old = [[n, "a long text that is not sent"] for n in range(many)]
        new = [[-n - 1, "a long text that is not sent"] for n in range(many)]
        self.assertEqual(diff(old, new)[:3], [U, [0, [U, [0, -1]]], [1, [U, [0, -2]]]])
        for changed in (new, new[1:], old[::-1], [*new, 5]):
            self.assertEqual(patched(old, sent(old, changed)), changed)

    def test_bounded_work(self) -> None:
        """The largest lists, unlike or nearly alike, cost some comparisons for each item, and not for each pair of items."""
        compared = 0

        class Counted(bytes):
            def __eq__(self, other: object) -> bool:
                nonlocal compared
                compared += 1
                return bytes.__eq__(self, other)

            __hash__ = bytes.__hash__

        make_tokens = patches._tokens
        self.patch(patches, "_tokens", lambda items: [Counted(token) for token in make_tokens(items)])
        numbers = [n % 2 for n in range(8_000)]
        for new in ([*numbers[1:], 7, 8], numbers[::-1], [n * n for n in range(8_000)], [0] * 7_999):
            compared = 0
            self.assertEqual(patched(numbers, diff(numbers, new)), new)
            self.assertLess(compared, 2 * MAX_EDITS * len(numbers))
            self.assertGreater(compared, 0)

    def test_ascending(self) -> None:
        """Edits ascend in the list that stood before, and do not overlap."""

        @settings(max_examples=150, deadline=None, derandomize=True)
        @given(st.lists(LEAVES, max_size=20), st.lists(LEAVES, max_size=20))
        def check(old: list[Any], new: list[Any]) -> None:
            patch = diff(old, new)
            if patch is SAME or patch[:1] != [U]:
                return
            at = 0
            for place, *rest in patch[1:]:
                assert at <= place
                at = place + (rest[0] if len(rest) == 2 else 1)
            assert at <= len(old)

        check()

    def test_any_two_trees(self) -> None:
        """The patch of two trees makes the one of the other, and writes to neither."""

        @settings(max_examples=400, deadline=None, derandomize=True)
        @given(MAPS, MAPS)
        def check(old: dict[str, Any], new: dict[str, Any]) -> None:
            before = canonical(old)
            patch = sent(old, new)
            if patch is SAME:
                assert canonical(new) == before
            else:
                assert canonical(patched(old, patch)) == canonical(new)
            assert canonical(old) == before

        check()

    def test_any_two_lists(self) -> None:
        """Likewise lists that are much alike."""

        @settings(max_examples=200, deadline=None, derandomize=True)
        @given(st.lists(st.integers(0, 3), max_size=30), st.lists(st.integers(0, 3), max_size=30))
        def check(old: list[int], new: list[int]) -> None:
            patch = sent(old, new)
            assert old == new if patch is SAME else patched(old, patch) == new

        check()

    def test_shares(self) -> None:
        """What did not change is the same object before and after."""
        old: dict[str, Any] = {"a": {"b": [1]}, "c": [{"d": 1}, {"e": 2}]}
        new = patched(old, {"c": [U, [0, {"d": 3}]]})
        self.assertIs(new["a"], old["a"])
        self.assertIs(new["c"][1], old["c"][1])
        self.assertEqual(old["c"][0], {"d": 1})


class RefuseTests(SynchronousTestCase):
    """What is no patch."""

    def test_refused(self) -> None:
        """Undefined in a value, edits of no list or beyond it, wrong edits, keys and numbers, and what is nested too deep."""
        old = {"list": [1, 2, 3], "map": {"a": 1}}
        deep: Any = 1
        for _ in range(MAX_DOCUMENT_DEPTH):
            deep = [deep]
        wrong: list[Any] = [
            U, [1, U], [[U]], {"a": [1, [U]]}, {"map": [U, [0, 1]]}, {"none": [U]}, {"list": [U, 5]}, {"list": [U, [0]]},
            {"list": [U, [0, 1, [], 0]]}, {"list": [U, ["0", 1]]}, {"list": [U, [True, 1]]}, {"list": [U, [0, None, []]]},
            {"list": [U, [-1, 0, []]]}, {"list": [U, [0, -1, []]]}, {"list": [U, [3, 1]]}, {"list": [U, [4, 0, []]]},
            {"list": [U, [2, 2, []]]}, {"list": [U, [1, 1], [0, 1]]}, {"list": [U, [0, 2, []], [1, 5]]},
            {"list": [U, [0, 1, 5]]},
            {"list": [U, [0, 1, [U]]]}, {"list": [U, [0, U]]}, {"list": [U, [0, 1, [[U, [0, 1]]]]]}, {"x": [{"a": U}]},
            {1: 2}, {"map": {None: 2}}, {"x" * 65: 1}, {"a": [{"x" * 65: 1}]}, {"a": [{2: 1}]},
            {"a": 2**53}, {"a": -(2**53)}, {"a": float("nan")}, {"a": [float("inf")]}, {"a": cbor2.CBORSimpleValue(3)},
            {"a": deep}, {"list": [U, [0, 1, [deep]]]}, {"list": [U, [0, deep]]}, {"a": {"b": deep}}, {"a": [{"b": deep}]},
        ]  # fmt: skip
        before = canonical(old)
        for patch in wrong:
            self.assertRaises(FrameError, patched, old, patch)
        self.assertEqual(canonical(old), before)
        self.assertEqual(patched({}, {"a": deep[0]}), {"a": deep[0]})

    def test_depth_of_patches(self) -> None:
        """What is changed deep down counts like what is new."""
        tree: Any = {}
        for _ in range(MAX_DOCUMENT_DEPTH - 1):
            tree = {"a": tree}
        self.assertEqual(patched({}, tree), tree)
        self.assertRaises(FrameError, patched, {}, {"a": tree})
        self.assertRaises(FrameError, patched, {"l": [[]]}, {"l": [U, [0, [U, [0, 0, [tree]]]]]})

    def test_any_patch(self) -> None:
        """Any tree with `undefined` here and there is applied or refused, and what comes of it is a tree."""
        leaves = LEAVES | st.just(U)
        patches = st.recursive(leaves, lambda items: st.lists(items, max_size=4) | st.dictionaries(KEYS, items), max_leaves=12)

        @settings(max_examples=200, deadline=None, derandomize=True)
        @given(TREES, patches)
        def check(old: Any, patch: Any) -> None:
            before = canonical(old)
            try:
                new = patched(old, patch)
            except FrameError:
                assert canonical(old) == before
            else:
                assert b"\xf7" not in canonical(new) or patched(None, new) == new

        check()
