"""Tests of `meteor_net.chat.message`: what a later line makes of a line."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.chat.message import ChatMessage, folded
from meteor_net.messages import LineKind

UP, DOWN = "👍", "👎"


def change(kind: LineKind, text: str = "", count: int | None = None, sender: str = "bob", **more: Any) -> ChatMessage:
    """Make a line that changes the one at 3; a reaction leaves so many of its kind there."""
    reactions = {} if count is None else {text: (count, False)}
    return ChatMessage(text=text, kind=kind, about=3, sender=sender, offset=9, reactions=reactions, **more)


class FoldedTests(SynchronousTestCase):
    """A line as it reads after a change."""

    def setUp(self) -> None:
        self.line = ChatMessage(text="hi", offset=3, sender="ann", mentions=("bob",), data=[1])

    def after(self, *changes: ChatMessage) -> ChatMessage:
        """Fold changes in, as ann sees it."""
        line = self.line
        for each in changes:
            line = folded(line, each, "ann")
        return line

    def test_changes(self) -> None:
        """Some kinds are not shown by themselves."""
        kinds = [kind for kind in LineKind if ChatMessage(text="x", kind=kind).changes]
        self.assertEqual(kinds, [LineKind.REACTION, LineKind.UNREACTION, LineKind.EDIT, LineKind.DELETE])
        self.assertFalse(ChatMessage(text="x", kind=64).changes)

    def test_edit(self) -> None:
        """An edit gives the text and the mentions anew; all else stays."""
        line = self.after(change(LineKind.EDIT, "ho", mentions=("eve",)))
        self.assertEqual((line.text, line.mentions, line.edited, line.offset, line.data), ("ho", ("eve",), True, 3, [1]))

    def test_edit_of_before(self) -> None:
        """An edit whose text is gone was followed by another: the line is left as it is."""
        self.assertEqual(self.after(change(LineKind.EDIT)), self.line)

    def test_delete(self) -> None:
        """Of a deleted line only the place is left, whatever comes after."""
        line = self.after(change(LineKind.REACTION, UP, 1), change(LineKind.EDIT, "ho"), change(LineKind.DELETE))
        self.assertFalse(line.edited, "as a page tells it")
        self.assertEqual((line.text, line.mentions, line.data, line.reactions, line.deleted), ("", (), None, {}, True))
        self.assertEqual(folded(line, change(LineKind.EDIT, "no"), "ann"), line)
        self.assertEqual(folded(line, change(LineKind.REACTION, UP, 1), "ann"), line)

    def test_counts_are_told(self) -> None:
        """The count is the one that the change tells; emojis stand in the order of their first use."""
        line = self.after(
            change(LineKind.REACTION, UP, 1), change(LineKind.REACTION, DOWN, 1), change(LineKind.REACTION, UP, 7)
        )
        self.assertEqual(list(line.reactions.items()), [(UP, (7, False)), (DOWN, (1, False))])

    def test_twice(self) -> None:
        """The same change twice is the same as once."""
        for each in (change(LineKind.REACTION, UP, 2), change(LineKind.EDIT, "x"), change(LineKind.DELETE)):
            self.assertEqual(self.after(each, each), self.after(each))

    def test_mine(self) -> None:
        """Whether we are among those who reacted is told by who sent the change."""
        line = self.after(change(LineKind.REACTION, UP, 1, sender="ann"), change(LineKind.REACTION, UP, 2))
        self.assertEqual(line.reactions, {UP: (2, True)})
        line = folded(line, change(LineKind.UNREACTION, UP, 1, sender="ann"), "ann")
        self.assertEqual(line.reactions, {UP: (1, False)})

    def test_none_left(self) -> None:
        """An emoji that nobody uses any more is gone; one that was not there does no harm."""
        line = self.after(change(LineKind.REACTION, UP, 1), change(LineKind.UNREACTION, UP, 0))
        self.assertEqual(line.reactions, {})
        self.assertEqual(self.after(change(LineKind.UNREACTION, UP, 0)).reactions, {})

    def test_no_count(self) -> None:
        """A reaction that does not say how things stand changes nothing."""
        self.assertEqual(self.after(change(LineKind.REACTION, UP)), self.line)
