"""What text may be said."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.chat.text import check_name, check_text, starred, tidy_text
from meteor_net.errors import Refused
from meteor_net.limits import MAX_NAME_CHARS, MAX_TEXT_BYTES


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

    def test_composed(self) -> None:
        """A text is kept as NFC has it; its length is counted so."""
        self.assertEqual(check_text("e\u0301", 1), "\u00e9")
        self.assertEqual(check_text("\u212b", 1), "\u00c5")

    def test_bytes(self) -> None:
        """However many characters an operator allows, the bytes have a bound."""
        most = MAX_TEXT_BYTES // 4
        self.assertEqual(len(check_text("\U0001f30a" * most, 9_999)), most)
        error = self.assertRaises(Refused, check_text, "\U0001f30a" * most + "x", 9_999)
        self.assertEqual(error.text, "a line of 8193 bytes; at most 8192")

    def test_nothing_to_see(self) -> None:
        """A line of blanks is empty, whatever blanks; a new emoji that Python does not know is none of them."""
        for text in ("\u200b", "\u200d\ufe0f", "\u3164", "\u2800 \u00a0", "\u0301", "\U000e0041\U000e007f", "\u2066\u2069"):
            error = self.assertRaises(Refused, check_text, text, 50)
            self.assertEqual((error.text, error.reason), ("an empty line", "bad-text"))
        for text in ("\U0001faff", "a\u200b", ".", "\u0e01\u0e31"):
            self.assertEqual(check_text(text, 50), text)

    def test_direction(self) -> None:
        """Overrides and embeddings are refused; isolates are fine where each ends in its line; both scripts are."""
        for text in (
            "\u05e9\u05dc\u05d5\u05dd ann",
            "a\u2067\u05d0\u2069b",
            "\u2066\u2068a\u2069\u2069",
            "a\u2066b\u2069\nc",
            "\u200ea\u200f",
        ):
            self.assertEqual(check_text(text, 50), text)
        for mark in "\u202a\u202b\u202c\u202d\u202e":
            self.assertEqual(self.assertRaises(Refused, check_text, f"a{mark}b", 50).reason, "bad-text")
        for text in ("a\u2066b", "a\u2069b", "a\u2069\u2066b", "a\u2066b\n\u2069c", "\u2066a\u2067b\u2069"):
            error = self.assertRaises(Refused, check_text, text, 50)
            self.assertEqual(error.text, "a line that turns the direction of text and not back")

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

    def test_looks_like_another(self) -> None:
        """Nothing that is not seen stands in a name, and it is composed; joiners, which some scripts need, may."""
        for name in (
            "ann\u200b",
            "a\u202enn",
            "\u2066ann\u2069",
            "ann\u200f",
            "ann\u00ad",
            "ann\U000e0061",
            "\u3164",
            "\u200d",
        ):
            self.assertEqual(self.assertRaises(Refused, check_name, name).reason, "bad-name", ascii(name))
        self.assertEqual(check_name("Zoe\u0308"), "Zo\u00eb")
        self.assertEqual(check_name("\u0646\u200c\u0645"), "\u0646\u200c\u0645")


class TidyTests(SynchronousTestCase):
    """Lines of the game's own."""

    def test_never_refused(self) -> None:
        """A game's notice is always said: cut, and without what a client could not show."""
        self.assertEqual(tidy_text(" a\x00\ud800\tb\n", 50), "a?\tb")
        self.assertEqual(tidy_text("x" * 11, 10), "x" * 10)
        self.assertEqual(tidy_text(5, 10), "5")
        self.assertEqual(tidy_text("\x00", 10), "")
        self.assertEqual(tidy_text("e\u0301", 10), "\u00e9")
        self.assertEqual(tidy_text("a\u202eb\u2066c", 10), "abc")
        self.assertEqual(tidy_text("a\u2066b\u2069", 10), "a\u2066b\u2069")
        self.assertEqual(tidy_text("\u0958" * 6, 10), "\u0915\u093c" * 5)


class StarTests(SynchronousTestCase):
    """Words that are not to be said."""

    def test_words(self) -> None:
        """Whole words go, in whatever case, however written; parts of others stay."""
        words = ["damn", "e\u0301gal", "hell", "hell's bells"]
        for text, said in (
            ("Damn it, DAMN!", "**** it, ****!"),
            ("damnation", "damnation"),
            ("hell's bells", "************"),
            ("\u00e9gal", "****"),
            ("a.*", "a.*"),
        ):
            self.assertEqual(starred(text, words), said)
        self.assertEqual(starred("a.b axb", ["a.b"]), "*** axb")

    def test_none(self) -> None:
        """Without words nothing changes."""
        self.assertEqual(starred("damn", ()), "damn")
        self.assertEqual(starred("damn", [""]), "damn")
