"""Games that an operator names in text."""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import ConfigError
from meteor_net.server.dotted import load_chat, load_games

MODULE = """
from meteor_net import Chat, Game
class Mine(Game): pass
class Talk(Chat): pass
class Other: pass
thing = 1
"""


class DottedTests(SynchronousTestCase):
    """Import by name, and what is told when that fails."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.patch(sys, "path", list(sys.path))
        self.addCleanup(sys.path_importer_cache.clear)

    def module(self, name: str, text: str = MODULE) -> None:
        """Write a module; it is forgotten after the test."""
        (self.folder / f"{name}.py").write_text(text)
        self.addCleanup(sys.modules.pop, name, None)

    def refused(self, dotted: str) -> str:
        """Load what is wrong; answer what is told."""
        text = str(self.assertRaises(ConfigError, load_games, {"x": dotted}, str(self.folder)))
        self.assertNotIn("\n", text)
        return text

    def test_loads(self) -> None:
        """A game and a chat handler of the operator's folder are found."""
        self.module("dotted_fine")
        self.assertEqual(load_games({"m": "dotted_fine.Mine"}, str(self.folder))["m"].__name__, "Mine")
        self.assertEqual(load_chat("dotted_fine.Talk", str(self.folder)).__name__, "Talk")

    def test_no_module(self) -> None:
        """A module that is not there is told with the folder that was looked in."""
        text = self.refused("dotted_nowhere.sub.Mine")
        self.assertIn("there is no module dotted_nowhere", text)
        self.assertIn(str(self.folder), text)

    def test_mistakes_in_a_module(self) -> None:
        """A module that fails is told with file and line, also when it is the import of another one that fails."""
        self.module("dotted_syntax", "x = 1\ny = = 2\n")
        self.assertIn("dotted_syntax.py, line 2: ", self.refused("dotted_syntax.Mine"))
        self.module("dotted_fails", "x = 1\n\nx / 0\n")
        self.assertIn("dotted_fails.py, line 3: ZeroDivisionError", self.refused("dotted_fails.Mine"))
        self.module("dotted_needs", "import dotted_absent\n")
        self.assertIn("dotted_needs.py, line 1: ModuleNotFoundError", self.refused("dotted_needs.Mine"))

    def test_mistakes_that_we_find(self) -> None:
        """What meteor_net finds wrong is told with the line of the game that it stands in, not with its own."""
        self.module("dotted_range", "from meteor_net import Fixed\n\nx = Fixed(step=1, low=9, high=0)\n")
        self.assertIn("dotted_range.py, line 3: fixed: step must be", self.refused("dotted_range.Mine"))
        self.module("dotted_handles", "from meteor_net import handles\n\n\n@handles\ndef f(): ...\n")
        self.assertIn("dotted_handles.py, line 4: @handles takes", self.refused("dotted_handles.Mine"))

    def test_no_game(self) -> None:
        """What is not a game is refused before anything listens."""
        self.module("dotted_other")
        self.assertIn("has no Absent", self.refused("dotted_other.Absent"))
        for name in ("Other", "thing", "Talk"):
            self.assertIn("make it a subclass of meteor_net.Game", self.refused(f"dotted_other.{name}"))
        error = self.assertRaises(ConfigError, load_chat, "dotted_other.Mine", str(self.folder))
        self.assertIn("make it a subclass of meteor_net.Chat", str(error))
