"""Colyseus, installed from npm when the benchmark runs, in a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

from .browser import node
from .progress import say

FOLDER = Path(__file__).parents[1] / "peers"
SCRIPT = Path(__file__).with_name("peer.mjs")
WANTED = {"@colyseus/core": "0.18", "@colyseus/schema": "5"}
INSTALL_S, LONGEST_S = 120, 240


class PeerError(Exception):
    """The peer could not be installed or did not answer: there is nothing to compare with."""


class Peer:
    """A running peer.

    Args:
        process: Which reads orders and writes answers, a line each.

    Attributes:
        name: Its packages, with their versions.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.name = ", ".join(f"{name} {version}" for name, version in installed().items())
        self._process = process

    def ask(self, do: str, **order: Any) -> dict[str, Any]:
        """Give an order, and wait for the answer.

        Raises:
            PeerError: none came.
        """
        assert self._process.stdin and self._process.stdout
        try:
            print(json.dumps({"do": do, **order}), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            raise PeerError(f"the peer ended instead of an answer to {do!r}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def installed(packages: Mapping[str, str] = WANTED) -> dict[str, str]:
    """Tell which of the wanted packages are there, and in which version."""
    found = {}
    for name, wanted in packages.items():
        described = FOLDER / "node_modules" / name / "package.json"
        if described.is_file():
            version = json.loads(described.read_text(encoding="utf-8"))["version"]
            if f"{version}.".startswith(f"{wanted}."):
                found[name] = version
    return found


def install(packages: Mapping[str, str] = WANTED) -> None:
    """Install what is missing.

    Args:
        packages: Name -> how the version begins.

    Raises:
        PeerError: npm is missing, or failed.
    """
    if len(installed(packages)) < len(packages):
        npm = shutil.which("npm")
        if npm is None:
            raise PeerError("npm is not found: install Node.js with npm (Debian: nodejs npm)")
        say("installing the peer from npm into benchmarks/peers")
        FOLDER.mkdir(exist_ok=True)
        if not (FOLDER / "package.json").is_file():
            (FOLDER / "package.json").write_text('{"private": true}\n')
        wanted = [f"{name}@{version}" for name, version in packages.items()]
        # Its peers of other databases are no business of ours, and one of them comes from git.
        command = [npm, "install", "--legacy-peer-deps", "--no-audit", "--no-fund", "--loglevel=error", *wanted]
        try:
            subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=INSTALL_S, check=True)
        except subprocess.SubprocessError as error:
            raise PeerError(f"npm failed: {error}\n{getattr(error, 'stderr', '') or ''}") from None


@contextmanager
def running() -> Iterator[Peer]:
    """Start the peer, and end it afterwards."""
    install()
    script = FOLDER / SCRIPT.name
    shutil.copyfile(SCRIPT, script)
    process = subprocess.Popen([node(), str(script)], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    late = Timer(LONGEST_S, process.kill)  # whoever waits for an answer then sees that none comes
    late.start()
    try:
        yield Peer(process)
    finally:
        late.cancel()
        process.kill()
        process.communicate()
