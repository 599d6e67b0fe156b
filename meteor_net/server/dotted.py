"""Classes that an operator names in text."""

from __future__ import annotations

import importlib
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError
from ..interfaces import IChatHandler, ISyncHandler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zope.interface.interface import InterfaceClass

#: The import machinery, and meteor_net.
_NOT_THE_AUTHORS = ("<", importlib.__file__, f"{Path(__file__).parent.parent}/")


def load_games(games: Mapping[str, str], python_path: str) -> dict[str, type[Any]]:
    """Import games: name -> class.

    Args:
        games: Name -> dotted class, `package.module.Class`.
        python_path: A folder to look in first.

    Raises:
        ConfigError: One line: which cannot be imported, or is no game, and why.
    """
    return {name: load_class(dotted, ISyncHandler, "a game", python_path) for name, dotted in games.items()}


def load_chat(dotted: str, python_path: str) -> type[Any]:
    """Import a chat handler, as `load_games` does."""
    return load_class(dotted, IChatHandler, "a chat handler", python_path)


def load_class(dotted: str, interface: InterfaceClass, what: str, python_path: str) -> type[Any]:
    """Import a class that implements an interface."""
    if python_path not in sys.path:
        sys.path.insert(0, python_path)
    module_name, _, class_name = dotted.rpartition(".")
    try:
        module = import_module(module_name)
    except Exception as error:
        raise ConfigError(f"{dotted}: {_why(error, module_name, python_path)}") from error
    try:
        found = getattr(module, class_name)
    except AttributeError:
        raise ConfigError(f"{dotted}: {module.__file__} has no {class_name}") from None
    if not isinstance(found, type) or not interface.implementedBy(found):
        base = "meteor_net.Game" if interface is ISyncHandler else "meteor_net.Chat"
        raise ConfigError(f"{dotted} is not {what}: make it a subclass of {base}")
    return found


def _why(error: Exception, module_name: str, python_path: str) -> str:
    """Tell in one line why a module could not be imported."""
    if isinstance(error, ModuleNotFoundError) and error.name and f"{module_name}.".startswith(f"{error.name}."):
        return f"there is no module {error.name} (looked in {python_path} and Python's own path; --python-path adds to it)"
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    first_line = (str(error).splitlines() or [""])[0]
    if isinstance(error, ConfigError):  # told with the author's line, not with ours that found it
        authors = [frame for frame in frames if not frame.filename.startswith(_NOT_THE_AUTHORS)]
        return f"{_place((authors or frames)[-1])}: {first_line}"
    return f"{_place(frames[-1])}: {type(error).__name__}: {first_line}"


def _place(frame: traceback.FrameSummary) -> str:
    return f"{frame.filename}, line {frame.lineno}"
