"""Who is mentioned in a line."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.chat.mentions import mentioned
from meteor_net.messages import MAX_MENTIONS

PEOPLE = [("Ann", "u1"), ("Ann Bell", "u2"), ("bob", "u3"), ("Groß", "u4"), ("bob", "u5"), ("x@y", "u6")]


class MentionTests(SynchronousTestCase):
    """`@name` of somebody who is there."""

    def test_names(self) -> None:
        """The longest name that fits, in whatever case, in the order of the line, each user once."""
        for text, users in (
            ("hello", []),
            ("@Ann", ["u1"]),
            ("@ann!", ["u1"]),
            ("hi @ANN BELL, @ann", ["u2", "u1"]),
            ("@ann @Ann", ["u1"]),
            ("(@gross)", ["u4"]),
            ("@bob", ["u3", "u5"]),
            ("@x@y @ann", ["u6", "u1"]),
            ("@@ann", ["u1"]),
        ):
            self.assertEqual(list(mentioned(text, PEOPLE)), users, text)

    def test_no_names(self) -> None:
        """A part of a longer word is none, nor is an address, or a name without its sign."""
        for text in ("ann", "@annabel", "@ann7", "@", "@ ann", "me@ann", "@nobody", "@anné"):
            self.assertEqual(mentioned(text, PEOPLE), (), text)

    def test_bounds(self) -> None:
        """At most 16, and a line of nothing but signs costs little."""
        people = [(f"n{number}", f"u{number}") for number in range(40)]
        found = mentioned(" ".join(f"@n{number}" for number in range(20)), people)
        self.assertEqual(found, tuple(f"u{number}" for number in range(MAX_MENTIONS)))
        self.assertEqual(mentioned("@ " * 32 + "@n1", people), ())
        self.assertEqual(mentioned("@ " * 31 + "@n1", people), ("u1",))
