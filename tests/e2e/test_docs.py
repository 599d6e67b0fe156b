"""The pages of the docs, done from top to bottom as a reader would do them."""

import doctest
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests import pages
from tests.e2e.ports import free_port, listens
from tests.requirements import REPOSITORY

PORTS_IN_PAGES = ("8080", "8443", "9000")
COMMAND_S = 120
LISTENS_WITHIN_S = 30
ENDS_WITHIN_S = 15


class Reader:
    """Does what a page says, in a folder of its own and on ports of its own."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, and a free port for each that pages speak of."""
        self.folder = folder
        self.ports = {number: free_port() for number in PORTS_IN_PAGES}
        self.environ = {
            **os.environ,
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
            "METEOR_LISTEN": f"tcp:{self.ports['8080']}:interface=127.0.0.1",
            "METEOR_DATA_DIR": str(folder / "data"),
        }

    def follow(self, page: Path) -> None:
        """Do the blocks of the page in order, and end its servers at last."""
        with ExitStack() as servers:
            for block in pages.blocks(page):
                match block.use:
                    case "file":
                        pages.save(block, self.folder, self._on_own_ports(block.text))
                    case "run":
                        self._run([sys.executable, "-c", self._on_own_ports(block.text)], block.where)
                    case "commands":
                        self._do_commands(block)
                    case "server":
                        for command, _ in block.commands():
                            servers.enter_context(self._serving(self._on_own_ports(command), block.where))

    def _on_own_ports(self, text: str) -> str:
        for number, port in self.ports.items():
            text = text.replace(number, port)
        return text

    def _do_commands(self, block: pages.Block) -> None:
        for command, expected in block.commands():
            shown = self._run(["sh", "-c", self._on_own_ports(command)], f"{block.where}: {command}")
            flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            if "output" in block.words and not doctest.OutputChecker().check_output(self._on_own_ports(expected), shown, flags):
                raise AssertionError(f"{block.where}: {command}\nexpected:\n{expected}\nshown:\n{shown}")

    def _run(self, command: list[str], where: str) -> str:
        """Run a command to its end, and answer what it printed."""
        done = subprocess.run(
            command,
            cwd=self._place(command[-1]),
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_S,
        )
        if done.returncode:
            raise AssertionError(f"{where}: ended with {done.returncode}\n{done.stdout}")
        return done.stdout

    @contextmanager
    def _serving(self, command: str, where: str) -> Iterator[None]:
        """Run a server until the page has ended; it must listen soon."""
        log = self.folder / "server.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                ["sh", "-c", f"exec {command}"],
                cwd=self._place(command),
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            port = next((port for port in self.ports.values() if port in command), self.ports["8080"])
            deadline = time.monotonic() + LISTENS_WITHIN_S
            while not listens(port):
                if server.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"{where}: {command} does not listen\n{log.read_text()}")
                time.sleep(0.05)
            yield
        finally:
            server.terminate()
            try:
                server.wait(ENDS_WITHIN_S)
            finally:
                server.kill()  # nothing, where it has ended

    def _place(self, command: str) -> Path:
        return REPOSITORY if command.startswith("make ") else self.folder


class ReaderTests(SynchronousTestCase):
    """The pages, and a page that shows that the reader does as it is told."""

    def follow(self, page: Path) -> Path:
        """Do what the page says; answer the folder that it was done in."""
        folder = Path(self.mktemp()).resolve()
        folder.mkdir(parents=True)
        Reader(folder).follow(page)
        return folder

    def test_follows(self) -> None:
        """Files are saved, commands succeed and print what the page shows, a server serves and ends."""
        page = Path(self.mktemp())
        page.write_text(
            "```html file=index.html\nhello\n```\n"
            "```console server\n$ python -m http.server --bind 127.0.0.1 8080\n```\n"
            "```python file=ask.py\nfrom urllib.request import urlopen\n"
            "print(urlopen('http://127.0.0.1:8080/').read())\n```\n"
            "```console output\n$ python ask.py\nb'hel...\n```\n"
            "```python run\nopen('ran', 'w')\n```\n"
            "```text\nnothing to do\n```\n"
        )
        folder = self.follow(page)
        self.assertTrue((folder / "ran").exists())
        self.assertIn("GET / ", (folder / "server.log").read_text())

    def test_tells_what_failed(self) -> None:
        """A page that does not do as it says fails with its line, the command and the output."""
        for block, reason in (
            ("console\n$ echo oh; false", r":1: echo oh; false: ended with 1\noh"),
            ("console output\n$ echo oh\nah", r":1: echo oh\nexpected:\nah\n\nshown:\noh"),
            ("console server\n$ echo oh", r":1: echo oh does not listen\noh"),
        ):
            page = Path(self.mktemp())
            page.write_text(f"```{block}\n```\n")
            self.assertIn(reason.replace(r"\n", "\n"), str(self.assertRaises(AssertionError, self.follow, page)))


def _test_of(page: Path) -> Callable[[ReaderTests], object]:
    def test(self: ReaderTests) -> None:
        self.follow(page)

    test.__doc__ = f"{page.relative_to(REPOSITORY)} does what it says."
    return test


for _page in pages.all_pages():
    if any(block.use != "shown" for block in pages.blocks(_page)):
        _name = "_".join(_page.relative_to(REPOSITORY).with_suffix("").parts)
        setattr(ReaderTests, f"test_{_name.lower()}", _test_of(_page))
