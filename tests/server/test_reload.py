"""Starting anew when a file changes."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.server import reload
from meteor_net.server.reload import INTERVAL_S, Reloader, loaded_files


class ReloadTests(SynchronousTestCase):
    """A game's file is edited while the server runs."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        (self.folder / "site-packages").mkdir(parents=True)
        self.game = self.module("reload_game", self.folder / "game.py")
        self.reactor = cast(Any, MemoryReactorClock())
        self.ends: list[str] = []
        self.reactor.stop = lambda: self.ends.append("stop")
        self.reloader = Reloader(self.folder, self.reactor, lambda: self.ends.append("again"))
        self.reloader.startService()
        self.addCleanup(self.reloader.stopService)

    def module(self, name: str, path: Path) -> Path:
        """Have a module in use."""
        path.write_text("x = 1\n")
        module = ModuleType(name)
        module.__file__ = str(path)
        sys.modules[name] = module
        self.addCleanup(sys.modules.pop, name)
        return path

    def edit(self, path: Path, text: str) -> None:
        """Write a file, at another time than before, and let the reloader look."""
        stamp = os.stat(path).st_mtime_ns + 1
        path.write_text(text)
        os.utime(path, ns=(stamp, stamp))
        self.reactor.advance(INTERVAL_S)

    def test_quiet(self) -> None:
        """Nothing happens while nothing changes."""
        for _ in range(5):
            self.reactor.advance(INTERVAL_S)
        self.assertEqual(self.ends, [])

    def test_edit(self) -> None:
        """An edit ends the server in order, players told, and the same command starts once all is closed; once."""
        self.edit(self.game, "x = 2\n")
        self.assertEqual(self.ends, ["stop"])
        after = self.reactor.triggers["after"]["shutdown"]
        self.assertEqual(len(after), 1)
        call, args, named = after[0]
        call(*args, **named)
        self.assertEqual(self.ends, ["stop", "again"])
        self.edit(self.game, "x = 3\n")
        self.assertEqual(self.ends, ["stop", "again"])

    def test_mistake(self) -> None:
        """A file that Python cannot read does not cost the running server; the next edit has its chance."""
        self.edit(self.game, "x = = 2\n")
        self.assertEqual(self.ends, [])
        self.edit(self.game, "x = 2\n")
        self.assertEqual(self.ends, ["stop"])

    def test_being_replaced(self) -> None:
        """An editor that takes the file away for a moment does not confuse."""
        self.game.unlink()
        self.reactor.advance(INTERVAL_S)
        self.assertEqual(self.ends, [])
        self.game.write_text("x = 2\n")
        self.reactor.advance(INTERVAL_S)
        self.assertEqual(self.ends, ["stop"])

    def test_later_modules(self) -> None:
        """A module that is imported later is watched from then on."""
        late = self.module("reload_late", self.folder / "late.py")
        self.reactor.advance(INTERVAL_S)
        self.assertEqual(self.ends, [])
        self.edit(late, "x = 2\n")
        self.assertEqual(self.ends, ["stop"])

    def test_which_files(self) -> None:
        """The author's and meteor_net's own are watched, installed libraries are not."""
        self.module("reload_library", self.folder / "site-packages" / "library.py")
        files = loaded_files([self.folder])
        self.assertEqual(files, {str(self.game)})
        self.assertIn(reload.__file__, loaded_files([Path(reload.__file__).parent]))

    def test_stop_before_start(self) -> None:
        """It may be stopped whatever became of it."""
        other = Reloader(self.folder, self.reactor)
        other.stopService()
        self.reloader.stopService()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_run_again(self) -> None:
        """The process becomes the very command that it was."""
        calls: list[Any] = []
        self.patch(os, "execv", lambda *args: calls.append(args))
        self.patch(sys, "orig_argv", ["python3", "-m", "twisted", "meteor", "--reload"])
        reload.run_again()
        self.assertEqual(calls, [(sys.executable, [sys.executable, "-m", "twisted", "meteor", "--reload"])])
