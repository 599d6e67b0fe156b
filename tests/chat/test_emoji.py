"""Whether a text is one emoji."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.chat.emoji import check_emoji
from meteor_net.errors import Refused

_VS16, _JOINER, _DARK = "\ufe0f", "\u200d", "\U0001f3ff"
_MAN, _WOMAN, _GIRL, _BOY = "\U0001f468", "\U0001f469", "\U0001f467", "\U0001f466"
_HEART, _THUMB, _KISS = "\u2764", "\U0001f44d", "\U0001f48b"
_RAINBOW, _WHITE_FLAG, _BLACK_FLAG = "\U0001f308", "\U0001f3f3", "\U0001f3f4"


def tags(text: str) -> str:
    """A text in tag characters, ended."""
    return "".join(chr(0xE0000 + ord(char)) for char in text) + "\U000e007f"


class EmojiTests(SynchronousTestCase):
    """Unicode Technical Standard 51."""

    def check(self, text: str, spelt: str | None = None) -> None:
        """It is one, spelt so in full."""
        self.assertEqual(check_emoji(text), text if spelt is None else spelt, ascii(text))

    def test_one(self) -> None:
        """One picture; a flag, a keycap, a skin tone; a family, a couple of two tones, a rainbow flag."""
        for emoji in (
            _THUMB, "\U0001f30a", "\U0001f600", "\u231a", "\U0001faea", _THUMB + _DARK, "\U0001f1e9\U0001f1ea",
            _BLACK_FLAG + tags("gbsct"), f"1{_VS16}\u20e3", f"#{_VS16}\u20e3",
            _JOINER.join((_MAN, _WOMAN, _GIRL, _BOY)),
            _JOINER.join((_WOMAN + _DARK, _HEART + _VS16, _KISS, _MAN + "\U0001f3fb")),
            _WHITE_FLAG + _VS16 + _JOINER + _RAINBOW,
            "\U0001f9d4\U0001f3fd" + _JOINER + "\u2642" + _VS16,
        ):  # fmt: skip
            self.check(emoji)

    def test_spelling(self) -> None:
        """Two spellings of one emoji become one, so that reactions are counted together."""
        self.check(_HEART, _HEART + _VS16)
        self.check("\u00a9", "\u00a9" + _VS16)
        self.check(_THUMB + _VS16, _THUMB)
        self.check("1\u20e3", f"1{_VS16}\u20e3")
        self.check(_WHITE_FLAG + _JOINER + _RAINBOW, _WHITE_FLAG + _VS16 + _JOINER + _RAINBOW)
        self.check("\u261d" + _DARK)
        self.check("\U0001f9d4" + _JOINER + "\u2642", "\U0001f9d4" + _JOINER + "\u2642" + _VS16)

    def test_to_come(self) -> None:
        """One of a later Unicode is taken: its place is set aside in ours."""
        self.check("\U0001faff")

    def test_none(self) -> None:
        """Letters, digits, blanks, parts of an emoji, and what cannot follow it are none; nor are two."""
        for text in (
            "", " ", "a", "1", "#", "\u00e9", "\u4e2d", "a" + _VS16, _VS16, _JOINER, _DARK, "\U0001f1e9", "\u20e3",
            _THUMB + " ", " " + _THUMB, _THUMB * 2, _THUMB + "a", "\U0001f1e9\U0001f1ea\U0001f1eb", "\U0001f1e9\U0001f1ea" * 2,
            _THUMB + _JOINER, _JOINER + _THUMB, _THUMB + "\ufe0e", _THUMB + _DARK * 2, "\U0001f30a" + _DARK,
            "\u261d" + _VS16 + _DARK, "a\u20e3", "12\u20e3", _THUMB + "\n", _THUMB + "\u0301",
        ):  # fmt: skip
            error = self.assertRaises(Refused, check_emoji, text)
            self.assertEqual((error.text, error.reason), ("one emoji is wanted", "bad-text"), ascii(text))

    def test_nothing_hides(self) -> None:
        """Tags are for a region's flag, and short; what is joined is four at most."""
        self.assertRaises(Refused, check_emoji, _THUMB + tags("hello"))
        for code, good in (("gb", False), ("gbe", True), ("gbengl", True), ("gbengla", False), ("GBENG", False)):
            if good:
                self.check(_BLACK_FLAG + tags(code))
            else:
                self.assertRaises(Refused, check_emoji, _BLACK_FLAG + tags(code))
        self.check(_JOINER.join(_BOY * 4))
        self.assertRaises(Refused, check_emoji, _JOINER.join(_BOY * 5))
