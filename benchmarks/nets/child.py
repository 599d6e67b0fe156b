"""A process that answers commands, a line each."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from pathlib import Path

#: A process may take so long to answer a command (it waits 90 s itself until all is heard), and to end, in seconds.
ANSWER_S, END_S = 150.0, 1.0
REPOSITORY = Path(__file__).parents[2]


class RunFailed(Exception):
    """Something else went wrong than what is looked for: nothing was shown."""


class Child:
    """A process that answers commands, a line each.

    Args:
        name: For what is told.
        command: Starts it.
        log: Takes what it says besides, such as tracebacks.
    """

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self._name = name
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, bufsize=0, cwd=REPOSITORY
            )
        self._came = b""

    def answer(self, within_s: float = ANSWER_S) -> str:
        """Wait for its next line.

        Raises:
            RunFailed: It ended, or takes too long.
        """
        assert self._process.stdout is not None
        end_s = time.monotonic() + within_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._came:
                if not selector.select(max(0.0, end_s - time.monotonic())):
                    raise RunFailed(f"{self._name} did not answer within {within_s:g} s")
                more = os.read(self._process.stdout.fileno(), 4_096)
                if not more:
                    raise RunFailed(f"{self._name} ended, with status {self._process.wait()}")
                self._came += more
        line, _, self._came = self._came.partition(b"\n")
        return line.decode()

    def ask(self, command: str) -> None:
        """Give it a command."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{command}\n".encode())
        except BrokenPipeError:
            raise RunFailed(f"{self._name} ended, with status {self._process.wait()}") from None

    def end(self) -> None:
        """Let it end; by force, if it does not soon."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def command(relay: Child, text: str) -> dict[str, int]:
    """Have the relay do something; what it has counted."""
    relay.ask(text)
    counts: dict[str, int] = json.loads(relay.answer())
    return counts


def all_do(groups: list[Child], text: str) -> list[str]:
    """Have all do something, at the same time, and wait until they have; what they answer."""
    for group in groups:
        group.ask(text)
    return [group.answer() for group in groups]
