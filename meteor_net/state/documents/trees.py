"""What a document may hold: maps, lists, text, bytes, numbers, True, False and None (wire clause 8.25)."""

from __future__ import annotations

from math import isfinite
from typing import Any

import cbor2

from meteor_net.limits import MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH, MAX_DOCUMENT_VALUES, MAX_INT, MAX_NAME_CHARS
from meteor_net.state.errors import DocumentError


def as_document(value: object, name: str) -> tuple[dict[str, Any], bytes]:
    """Copy a map all the way down, with lists for tuples.

    Args:
        value: What the game made.
        name: The document's, for the error.

    Returns:
        The tree, and the same as CBOR.

    Raises:
        DocumentError: It is no map, holds what no document may, or too much; names the place, and says what is wrong there.
    """
    if not isinstance(value, dict):
        raise DocumentError(f"{name}: a dict is expected, not {_kind(value)}")
    tree: dict[str, Any] = _Copying(name).copy(value, name, MAX_DOCUMENT_DEPTH)
    data = cbor2.dumps(tree)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise DocumentError(f"{name}: {len(data)} bytes as CBOR; at most {MAX_DOCUMENT_BYTES}. Larger things are for tables")
    return tree, data


class _Copying:
    def __init__(self, name: str) -> None:
        self._name = name
        self._left = MAX_DOCUMENT_VALUES

    def copy(self, value: Any, where: str, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return _text(value, where)
        if isinstance(value, int):
            if not -MAX_INT <= value <= MAX_INT:
                raise DocumentError(f"{where}: an integer beyond 2^53 - 1, which JavaScript cannot read")
            return int(value)
        if isinstance(value, float):
            if not isfinite(value):
                raise DocumentError(f"{where}: a number that is not finite")
            return float(value)
        if isinstance(value, bytes):
            return bytes(value)
        if isinstance(value, dict | list | tuple):
            return self._items(value, where, depth)
        raise DocumentError(f"{where}: {_kind(value)}; dict, list, str, bytes, int, float, True, False and None are carried")

    def _items(self, value: Any, where: str, depth: int) -> Any:
        if not depth:
            raise DocumentError(f"{where}: nested deeper than {MAX_DOCUMENT_DEPTH}")
        self._left -= len(value)
        if self._left < 0:
            raise DocumentError(f"{self._name}: more than {MAX_DOCUMENT_VALUES} values")
        if not isinstance(value, dict):
            return [self.copy(item, f"{where}[{place}]", depth - 1) for place, item in enumerate(value)]
        copied = {}
        for key, item in value.items():
            if not isinstance(key, str) or len(key) > MAX_NAME_CHARS:
                raise DocumentError(f"{where}: the key {key!r:.80}; a str of at most {MAX_NAME_CHARS} characters is expected")
            copied[_text(key, where)] = self.copy(item, f"{where}[{key!r}]", depth - 1)
        return copied


def _text(value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise DocumentError(f"{where}: a text with half a character (a surrogate)") from None
    return str.__str__(value)  # of an enumeration the value


def _kind(value: object) -> str:
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return f"{'an' if name[:1] in tuple('aeiou') else 'a'} {name}"
