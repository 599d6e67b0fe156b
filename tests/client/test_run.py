"""Tests of `meteor_net.client.run` and of the bots' command: plain scripts, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase


def python(*arguments: str) -> tuple[int, str, str]:
    """Run Python, and give its exit status and what it printed on stdout and stderr."""
    ran = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)
    return ran.returncode, ran.stdout, ran.stderr


def script(text: str) -> tuple[int, str, str]:
    """Run a script."""
    return python("-c", dedent(text))


class RunTests(SynchronousTestCase):
    """`run(main)` is the last line of a script."""

    def test_runs_to_its_end(self) -> None:
        """The script's function gets its arguments, may await, and the process ends well."""
        ran = script("""
            from meteor_net.client import run
            from twisted.internet.defer import succeed
            async def main(word):
                print(await succeed(word))
            run(main, "done")
        """)
        self.assertEqual(ran, (0, "done\n", ""))

    def test_an_error_of_ours_is_one_line(self) -> None:
        """Nobody needs a traceback to learn that there is no server."""
        status, _, said = script("""
            from meteor_net.client import connect, run
            async def main():
                async with connect("ws://127.0.0.1:1", connect_s=2):
                    print("in")
            run(main)
        """)
        self.assertEqual((status, said.count("\n")), (1, 1))
        self.assertIn("no connection to ws://127.0.0.1:1/ws within 2 s: Connection was refused", said)

    def test_another_error_is_a_traceback(self) -> None:
        """A bug of the script is shown where it is."""
        status, _, said = script("""
            from meteor_net.client import run
            async def main():
                1 / 0
            run(main)
        """)
        self.assertEqual(status, 1)
        self.assertIn("ZeroDivisionError", said)


class BotsTests(SynchronousTestCase):
    """`meteor-net bots`."""

    def test_no_server(self) -> None:
        """It says so in one line, and fails."""
        status, shown, said = python("-m", "meteor_net", "bots", "--url", "ws://127.0.0.1:1", "--count", "2", "--seconds", "1")
        self.assertEqual((status, shown, said.count("\n")), (1, "", 1))
        self.assertIn("refused", said)

    def test_bad_option(self) -> None:
        """A bad address is told before anything is tried."""
        status, _, said = python("-m", "meteor_net", "bots", "--url", "nowhere")
        self.assertEqual((status, said.count("\n")), (1, 1))
        self.assertIn("url: 'nowhere'", said)
