"""What text may be said."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.chat.text import check_name, check_text, tidy_text
from meteor_net.errors import Refused
from meteor_net.limits import MAX_NAME_CHARS


class TextTests(SynchronousTestCase):
    """Lines of players."""

    def test_good(self) -> None:
        """Blanks around it go; line ends, tabs and every script stay."""
        self.assertEqual(check_text("  a\n\tb <b>é👋 \n", 50), "a\n\tb <b>é👋")

    def test_length(self) -> None:
        """A line may be as long as the limit, and not longer."""
        for size in (1, 9, 10):
            self.assertEqual(check_text("x" * size, 10), "x" * size)
        error = self.assertRaises(Refused, check_text, "x" * 11, 10)
        self.assertEqual((error.text, error.reason), ("a line of 11 characters; at most 10", "bad-text"))
        self.assertRaises(Refused, check_text, "x", 0)

    def test_bad(self) -> None:
        """Empty lines, control characters and halves of characters are refused."""
        for text in ("", " \n", "a\x00b", "a\x1bb", "a\x7fb", "a\x85b", "a\ud800b", "a\rb"):
            self.assertEqual(self.assertRaises(Refused, check_text, text, 50).reason, "bad-text")


class NameTests(SynchronousTestCase):
    """Names of people and rooms."""

    def test_good(self) -> None:
        """Blanks around it go, those within stay."""
        self.assertEqual(check_name(" Ann Ä. "), "Ann Ä.")
        self.assertEqual(check_name("x" * MAX_NAME_CHARS), "x" * MAX_NAME_CHARS)

    def test_bad(self) -> None:
        """Empty and long names, control characters and line ends are refused, and the reason says it is the name."""
        for name in ("", "  ", "x" * (MAX_NAME_CHARS + 1), "a\nb", "a\tb", "a\u2028b", "a\ud800b"):
            self.assertEqual(self.assertRaises(Refused, check_name, name).reason, "bad-name")


class TidyTests(SynchronousTestCase):
    """Lines of the game's own."""

    def test_never_refused(self) -> None:
        """A game's notice is always said: cut, and without what a client could not show."""
        self.assertEqual(tidy_text(" a\x00\ud800\tb\n", 50), "a?\tb")
        self.assertEqual(tidy_text("x" * 11, 10), "x" * 10)
        self.assertEqual(tidy_text(5, 10), "5")
        self.assertEqual(tidy_text("\x00", 10), "")
