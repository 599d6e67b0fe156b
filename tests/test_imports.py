"""Imports point down the layers, and most of the package knows neither Twisted nor Autobahn."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.requirements import REPOSITORY

# The parts of meteor_net from top to bottom: each may import its own line and those below.
LAYERS = (
    {"__main__"},
    {"drift", "testing"},
    {"server", "client", "web"},
    {"storage", "cluster", "monitor", "replay"},
    {"room", "lobby", "game"},
    {"session", "chat", "state", "security"},
    {"codec", "compression", "requests"},
    {"interfaces"},
    {"messages"},
    {"errors", "limits"},
)
HEIGHT = {part: -depth for depth, parts in enumerate(LAYERS) for part in parts}
# `from meteor_net import Game`: the lazy names of the face lead everywhere, so only the top may use them.
FACE = HEIGHT["drift"]
MAY_IMPORT_TWISTED = {"__main__", "server", "client", "web", "storage", "cluster", "monitor", "testing"}
PLAIN = HEIGHT.keys() - MAY_IMPORT_TWISTED - {"drift"}
MAY_IMPORT_AUTOBAHN_ONCE = {"server", "client"}


def part_of(module: str) -> str:
    """Name the part that a module of ours belongs to; the package's own face has none."""
    return [*module.split("."), ""][1]


def module_of(file: Path) -> str:
    """Name the module that a file holds."""
    names = file.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def imports(source: str, package: str) -> Iterator[str]:
    """Name every module that the source imports, wherever in it the import stands.

    Args:
        source: The text of a Python file.
        package: The package that it lies in, which `from . import` starts from.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            # `from meteor_net import codec` imports meteor_net.codec.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def all_modules() -> Iterator[str]:
    """Name every module of the package."""
    return map(module_of, (REPOSITORY / "meteor_net").rglob("*.py"))


def our_imports() -> Iterator[tuple[Path, str, str]]:
    """Yield each import of the package: the file, its part, and the module that it imports."""
    for file in sorted((REPOSITORY / "meteor_net").rglob("*.py")):
        module = module_of(file)
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        for name in imports(file.read_text(encoding="utf-8"), package):
            yield file, part_of(module), name


class ImportTests(SynchronousTestCase):
    """The rules, asked of every file in the package."""

    def test_every_part_has_a_layer(self) -> None:
        """A part that is new is given its place before anything leans on it."""
        self.assertEqual(set(map(part_of, all_modules())) - HEIGHT.keys() - {""}, set())

    def test_imports_point_down(self) -> None:
        """No part imports from a layer above its own."""
        wrong = [
            f"{file.relative_to(REPOSITORY)} imports {name}"
            for file, part, name in our_imports()
            if part and name.startswith("meteor_net.") and HEIGHT.get(part_of(name), FACE) > HEIGHT.get(part, FACE)
        ]
        self.assertEqual(wrong, [])

    def test_only_the_shell_imports_twisted(self) -> None:
        """The plain half takes values and the time, and gives values back."""
        wrong = [
            f"{file.relative_to(REPOSITORY)} imports {name}"
            for file, part, name in our_imports()
            if name.split(".")[0] in {"twisted", "txaio"} and part not in MAY_IMPORT_TWISTED
        ]
        self.assertEqual(wrong, [])

    def test_autobahn_is_behind_one_file_on_each_side(self) -> None:
        """One file of the server and one of the client know that there is an Autobahn."""
        files = {(file, part) for file, part, name in our_imports() if name.startswith("autobahn.")}
        count = Counter(part for _, part in files)
        self.assertLessEqual(count.keys(), MAY_IMPORT_AUTOBAHN_ONCE, files)
        self.assertLessEqual(set(count.values()), {1}, files)

    def test_the_plain_half_runs_without_twisted(self) -> None:
        """Importing it brings no Twisted in, by way of a third package or a lazy name either."""
        plain = sorted(module for module in all_modules() if part_of(module) in PLAIN | {""})
        code = f"import sys, {', '.join(plain)}; print({{'twisted', 'autobahn'}} & sys.modules.keys())"
        shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
        self.assertEqual((shown.stdout, shown.stderr), ("set()\n", ""))


class ImportsTests(SynchronousTestCase):
    """The reading of imports, of which the rules make use."""

    def test_finds_every_form(self) -> None:
        """Relative ones are named in full, and those inside functions count too."""
        source = (
            "import os.path, sys\nfrom meteor_net.state import fields\nfrom . import outbox\n"
            "from ..chat.lines import Line\ndef late():\n    from .. import room\n"
        )
        self.assertEqual(
            set(imports(source, "meteor_net.session")),
            {
                "os.path",
                "sys",
                "meteor_net.state.fields",
                "meteor_net.session.outbox",
                "meteor_net.chat.lines.Line",
                "meteor_net.room",
            },
        )
