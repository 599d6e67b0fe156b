"""Start the server anew when its Python files change; players come back by themselves."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

#: How often the files are looked at.
INTERVAL_S = 0.5

_PACKAGE = Path(__file__).parent.parent

_log = Logger()


def loaded_files(folders: Iterable[Path]) -> set[str]:
    """Find the files of the modules in use that lie in these folders, and that somebody may be editing."""
    inside = tuple(str(folder) + os.sep for folder in folders)
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return {file for file in files if file and file.startswith(inside) and f"{os.sep}site-packages{os.sep}" not in file}


def run_again() -> None:
    """Become the same command anew."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


class Reloader(Service):
    """Watches the files of the modules in use, and ends the reactor once one has changed and makes sense.

    Args:
        folder: The author's folder; meteor_net's own is watched too.
        reactor: What to end.
        again: What to do when all is closed.
    """

    def __init__(self, folder: Path, reactor: Any, again: Callable[[], None] = run_again) -> None:
        self._folders = [folder, _PACKAGE]
        self._reactor, self._again = reactor, again
        self._stamps: dict[str, int] = {}
        self._loop = LoopingCall(self.look)
        self._loop.clock = reactor

    def startService(self) -> None:
        super().startService()
        self._stamps = self._read()
        self._loop.start(INTERVAL_S, now=False)

    def stopService(self) -> None:
        super().stopService()
        if self._loop.running:
            self._loop.stop()

    def look(self) -> None:
        """Compare the files with how they were."""
        stamps = self._read()
        changed = [file for file, stamp in stamps.items() if self._stamps.get(file, stamp) != stamp]
        self._stamps = stamps
        if changed and all(map(self._compiles, changed)):
            _log.info("{file} has changed: starting anew", file=changed[0])
            self._loop.stop()
            self._reactor.addSystemEventTrigger("after", "shutdown", self._again)
            self._reactor.stop()

    def _read(self) -> dict[str, int]:
        stamps = {}
        for file in loaded_files(self._folders):
            try:
                stamps[file] = os.stat(file).st_mtime_ns
            except FileNotFoundError:  # being replaced by an editor
                stamps[file] = self._stamps.get(file, 0)
        return stamps

    def _compiles(self, file: str) -> bool:
        """Tell whether a start would not fail at once."""
        try:
            compile(Path(file).read_bytes(), file, "exec")
        except (SyntaxError, ValueError, OSError) as error:
            _log.error("{file} has changed, but: {error}", file=file, error=error)
            return False
        return True
