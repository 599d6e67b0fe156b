"""Which of the game's actions a player means: by class, the game's own or the player's copy, or by name."""

from __future__ import annotations

from typing import Any

from ..errors import LocalProtocolError
from ..state import Action, Schema


class ActionNames:
    """Look actions up in one schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._described: list[dict[str, Any]] = schema.describe()["actions"]
        self._numbers = {each["name"]: number for number, each in enumerate(self._described)}
        self._known: dict[type[Action], int] = {}

    def number(self, kind: type[Action]) -> int:
        """Give the number of an action's class.

        Raises:
            LocalProtocolError: If the game has none of that name, or with other fields.
        """
        if kind not in self._known:
            wanted = Schema(tables=[], actions=[kind], events=[]).describe()["actions"][0]
            number = self._named(wanted["name"])
            if self._described[number] != wanted:
                raise LocalProtocolError(f"the game's {wanted['name']} is another: {self._described[number]}")
            self._known[kind] = number
        return self._known[kind]

    def is_input(self, number: int) -> bool:
        """Tell whether an action is an input."""
        return bool(self._described[number]["input"])

    def make(self, name: str, fields: dict[str, Any]) -> Action:
        """Make an action by its name.

        Raises:
            LocalProtocolError: If the game has none of that name.
        """
        made: Action = self.schema.actions[self._named(name)](**fields)
        return made

    def _named(self, name: str) -> int:
        if name not in self._numbers:
            names = ", ".join(self._numbers) or "none"
            raise LocalProtocolError(f"the game has no action {name}; it has: {names}")
        return self._numbers[name]
