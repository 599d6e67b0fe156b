"""What `make run` does at a terminal: Ctrl-C is a quiet, good end."""

import os
import select
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.e2e.ports import free_port
from tests.requirements import REPOSITORY, require

FOREGROUND = REPOSITORY / ".ci" / "foreground.py"
CTRL_C, CTRL_Z = b"\x03", b"\x1a"
# Like twistd, it ends in good order and then by the signal that it got.
SERVER = """
import signal, sys
def end(number, frame):
    print("ended", flush=True)
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
signal.signal(signal.SIGINT, end)
print("listens", flush=True)
while True:
    signal.pause()
"""

# What a terminal's program does at a login: take standard input as its own terminal, then become the command.
LOGIN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
SILENT_S = 60


def at_terminal(command: list[str], cwd: Path, ready: bytes, keys: bytes) -> tuple[str, int]:
    """Run a command at a terminal of its own and type keys once it has shown the whole line that says it is ready.

    The whole line, because a terminal that is given Ctrl-C forgets what it has not shown yet: the end of that line too.

    Returns:
        What stood on the terminal, and the exit status.
    """
    ours, its = os.openpty()
    login = [sys.executable, "-c", LOGIN, *command]
    # These tests may run by `make test` themselves: a make of theirs is nobody's part.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    with subprocess.Popen(login, cwd=cwd, env=env, stdin=its, stdout=its, stderr=its, start_new_session=True) as process:
        os.close(its)
        shown, typed = b"", False
        while part := read(ours):
            shown += part
            if not typed and b"\n" in shown.partition(ready)[2]:
                os.write(ours, keys)
                typed = True
        os.close(ours)  # which hangs up on whatever still runs there
    return shown.decode(), process.returncode


def read(terminal: int) -> bytes:
    """Read what comes next; nothing when all have left the terminal, or for too long."""
    try:
        return os.read(terminal, 4096) if select.select([terminal], [], [], SILENT_S)[0] else b""
    except OSError:  # how Linux says that all have left
        return b""


class ForegroundTests(SynchronousTestCase):
    """The script between make and the server."""

    def make(self, server: str, keys: bytes) -> tuple[str, int]:
        """Run a server by a recipe of make at a terminal, and type the keys once it listens."""
        make = require("make")
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        (folder / "server.py").write_text(server)
        recipe = f"@{sys.executable} {FOREGROUND} {sys.executable} server.py"
        (folder / "Makefile").write_text(f"run:\n\t{recipe}\n\t@echo recipe goes on\n")
        return at_terminal([make, "run"], folder, b"listens", keys)

    def test_ctrl_c_ends_the_server_alone(self) -> None:
        """The server ends by the signal in good order; make goes on, and has nothing to say."""
        shown, status = self.make(SERVER, CTRL_C)
        self.assertEqual(status, 0)
        self.assertEqual(shown.replace("^C", "").split(), ["listens", "ended", "recipe", "goes", "on"])

    def test_ctrl_z_stops_nothing(self) -> None:
        """A stopped server would leave make waiting for ever."""
        shown, status = self.make(SERVER, CTRL_Z + CTRL_C)
        self.assertEqual(status, 0)
        self.assertIn("recipe goes on", shown)

    def test_a_bad_end_stays_bad(self) -> None:
        """An exit status of the server's own is told on, and make stops."""
        shown, status = self.make("print('listens'); raise SystemExit(3)", b"")
        self.assertEqual(status, 2)
        self.assertIn("Error 3", shown)
        self.assertNotIn("recipe goes on", shown)


class RunTests(SynchronousTestCase):
    """The README's first command."""

    def test_ctrl_c_ends_the_game(self) -> None:
        """`make run` says where it listens, and Ctrl-C ends it: nothing failed, and nothing says that it did."""
        port = free_port()
        options = f"ARGS=--listen tcp:{port}:interface=127.0.0.1 --data-dir {Path(self.mktemp()).resolve()}"
        shown, status = at_terminal([require("make"), "run", options], REPOSITORY, f":{port}/".encode(), CTRL_C)
        self.assertEqual(status, 0, shown)
        self.assertNotRegex(shown, "Error|Traceback")
