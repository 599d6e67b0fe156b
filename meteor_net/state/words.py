"""The fields that are no numbers: `Flag`, `Choice`, `Text`, `Data`; and `Local`, which is never sent."""

from __future__ import annotations

from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from meteor_net.errors import ConfigError
from meteor_net.limits import MAX_NAME_CHARS, MAX_TEXT_BYTES
from meteor_net.state.fields import Field, IntegerField
from meteor_net.state.numeric import real, whole

#: Values of one Choice; a longer list wants to be a table or a text.
MAX_CHOICES = 256
#: Characters of a Text; four bytes each in UTF-8 at most.
MAX_TEXT_CHARS = MAX_TEXT_BYTES // 4


def is_text(value: object) -> TypeGuard[str]:
    """Tell whether `value` is text that UTF-8 can carry: no lone surrogates."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


class Flag(IntegerField[NDArray[np.bool_], bool]):
    """Yes or no.

    Args:
        default: For new rows.
        snap: Turning it over says that the row jumped: it is shown where it was, then where it is, and nowhere between.
    """

    kind = "flag"
    dtype = np.bool_
    zero: Any = False
    highest = 1

    def __init__(self, *, default: bool = False, snap: bool = False) -> None:
        if type(snap) is not bool:
            raise ConfigError("flag: snap must be true or false")
        self.default = self.coerce(default)
        self.snap = snap

    def coerce(self, value: Any) -> bool:
        if not isinstance(value, bool | np.bool_ | int) or value not in (0, 1):
            raise TypeError(f"{self.name}: true or false is needed, not {value!r}")
        return bool(value)

    def to_wire(self, value: bool) -> int:
        return int(value)

    def _parameters(self) -> dict[str, Any]:
        return {"snap": True} if self.snap else {}

    def value(self, n: int) -> bool:
        return n == 1

    def values(self, column: NDArray[np.int32]) -> NDArray[np.bool_]:
        return column.astype(np.bool_)


class Choice(IntegerField[NDArray[np.str_], str]):
    """One word of a list.

    Args:
        choices: The words, at most 256 of 64 characters; the first is what an unknown word becomes.
        default: For new rows; the first word if not given.
    """

    kind = "choice"
    zero: Any = ""

    def __init__(self, *choices: str, default: str | None = None) -> None:
        if not 1 <= len(choices) <= MAX_CHOICES or len(set(choices)) != len(choices):
            raise ConfigError(f"choice: 1 to {MAX_CHOICES} different words are needed")
        if not all(is_text(word) and len(word) <= MAX_NAME_CHARS and "\0" not in word for word in choices):
            raise ConfigError(f"choice: each word must be text of at most {MAX_NAME_CHARS} characters")
        self.choices = choices
        self.highest = len(choices) - 1
        self._places = {word: place for place, word in enumerate(choices)}
        self._words = np.array(choices, dtype=np.str_)
        self.default = choices[0] if default is None else self.coerce(default)

    @property
    def column_dtype(self) -> np.dtype[np.str_]:
        """The numpy type of a column: one character wider than the longest word, so that no word passes for another."""
        return np.dtype(f"U{max(map(len, self.choices)) + 1}")

    def coerce(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{self.name}: one of {', '.join(self.choices[:8])} is needed, not {type(value).__name__}")
        if value not in self._places:
            raise ValueError(f"{self.name}: one of {', '.join(self.choices[:8])} is needed, not {value[:40]!r}")
        return str(value)

    def quantize(self, words: NDArray[np.str_], free: NDArray[np.intp]) -> tuple[NDArray[np.int32], int]:
        """Give the integers of columns of words, and how many were none of the list; those of the slots of `free` may be."""
        ints = np.full(words.shape, -1, dtype=np.int32)
        for n, word in enumerate(self.choices):
            ints[words == word] = n
        unknown = ints < 0
        unknown[..., free] = False
        return np.maximum(ints, 0, out=ints), int(np.count_nonzero(unknown))

    def to_wire(self, value: str) -> int:
        return self._places[value]

    def value(self, n: int) -> str:
        return self.choices[n]

    def values(self, column: NDArray[np.int32]) -> NDArray[np.str_]:
        return self._words[column]

    def _parameters(self) -> dict[str, Any]:
        return {"choices": list(self.choices)}


class Text(Field[NDArray[np.object_], str]):
    """Text; what is too long for a table is cut, in an action it is refused.

    Args:
        max: Characters (code points), 1 to 2,048.
        default: For new rows.
    """

    kind = "text"
    dtype = np.object_
    zero: Any = ""

    def __init__(self, max: int, *, default: str = "") -> None:
        if type(max) is not int or not 1 <= max <= MAX_TEXT_CHARS:
            raise ConfigError(f"text: max must be an integer of 1 to {MAX_TEXT_CHARS}")
        self.max = max
        self.default = self.check(default)

    def coerce(self, value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError(f"{self.name}: text is needed, not {type(value).__name__}")
        return self.clean(value)

    def check(self, value: Any) -> str:
        if not is_text(value):
            raise TypeError(f"{self.name}: text is needed, not {type(value).__name__}")
        if len(value) > self.max:
            raise ValueError(f"{self.name}: {len(value)} characters, at most {self.max} are allowed")
        return str(value)

    def clean(self, value: Any) -> str:
        """Give what of `value` can travel: cut to `max`, no lone surrogates."""
        return str(value)[: self.max].encode("utf-8", "replace").decode()

    def to_wire(self, value: str) -> str:
        return value

    def from_wire(self, wire: Any) -> str:
        if not is_text(wire) or len(wire) > self.max:
            raise ValueError(f"{self.name}: text of at most {self.max} characters is needed")
        return wire

    def _parameters(self) -> dict[str, Any]:
        return {"max": self.max}


class Data(Field[NDArray[np.object_], bytes]):
    """Bytes that the framework does not look into; compared as a whole. For tables only.

    Args:
        max: Bytes, 1 to 8,192; what is longer is cut.
        default: For new rows.
    """

    kind = "data"
    dtype = np.object_
    zero: Any = b""

    def __init__(self, max: int, *, default: bytes = b"") -> None:
        if type(max) is not int or not 1 <= max <= MAX_TEXT_BYTES:
            raise ConfigError(f"data: max must be an integer of 1 to {MAX_TEXT_BYTES}")
        self.max = max
        self.default = self.coerce(default)

    def coerce(self, value: Any) -> bytes:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise TypeError(f"{self.name}: bytes are needed, not {type(value).__name__}")
        return self.clean(value)

    def clean(self, value: Any) -> bytes:
        """Give what of `value` can travel: cut to `max`; no bytes if it is something else."""
        return bytes(value)[: self.max] if isinstance(value, bytes | bytearray | memoryview) else b""

    def to_wire(self, value: bytes) -> bytes:
        return value

    def from_wire(self, wire: Any) -> bytes:
        if type(wire) is not bytes or len(wire) > self.max:
            raise ValueError(f"{self.name}: at most {self.max} bytes are needed")
        return wire

    def _parameters(self) -> dict[str, Any]:
        return {"max": self.max}


#: The numpy type, and what a dead row holds.
_LOCAL_TYPES: dict[type, tuple[Any, Any]] = {
    float: (np.float64, 0.0),
    int: (np.int64, 0),
    bool: (np.bool_, False),
    str: (np.object_, ""),
    object: (np.object_, None),
}


class Local(Field[NDArray[Any], Any]):
    """A column of the server's own, never sent.

    Args:
        of: `float`, `int`, `bool`, `str` or `object`.
        default: For new rows; 0, False, "" or None.
    """

    kind = "local"

    def __init__(self, of: type = float, *, default: Any = None) -> None:
        if of not in _LOCAL_TYPES:
            raise ConfigError("local: the type must be float, int, bool, str or object")
        self.type = of
        self.column_dtype, self.zero = _LOCAL_TYPES[of]
        self.default = self.zero if default is None else self.coerce(default)

    def coerce(self, value: Any) -> Any:
        if self.type is float:
            return real(self, value)
        if self.type is int:
            return whole(self, value)
        if self.type is not object and not isinstance(value, (self.type, np.bool_)):
            raise TypeError(f"{self.name}: {self.type.__name__} is needed, not {type(value).__name__}")
        return value
