"""The console command `meteor-net`."""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path
from typing import Any

import jwt
from twisted.scripts import _twistd_unix
from twisted.trial.unittest import SynchronousTestCase

from meteor_net import __main__ as command
from meteor_net.server.auth import Tokens

SECRET = "s" * 32


class CommandTests(SynchronousTestCase):
    """Its commands."""

    def setUp(self) -> None:
        self.out, self.error = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", self.out)
        self.patch(sys, "stderr", self.error)
        self.patch(os, "environ", {"METEOR_SECRET": SECRET})

    def test_help(self) -> None:
        """It lists its commands, asked or not."""
        for words in ([], ["--help"], ["help"]):
            self.assertEqual(command.main(words), 0)
        self.assertEqual(self.out.getvalue(), command.USAGE * 3)

    def test_words_of_the_process(self) -> None:
        """Without words of its own it takes the process's."""
        self.patch(sys, "argv", ["meteor-net", "--version"])
        self.assertEqual(command.main(), 0)
        self.assertIn("meteor_net ", self.out.getvalue())

    def test_unknown(self) -> None:
        """A command that there is not is told."""
        self.assertEqual(command.main(["dance"]), 2)
        self.assertIn("there is no command 'dance'", self.error.getvalue())

    def test_run(self) -> None:
        """`run` is twistd in the foreground, without a file of the process's number; its end is a good one."""
        ran: list[Any] = []

        class Runner:
            def __init__(self, config: Any) -> None:
                ran.append(config)

            def run(self) -> None:
                """Serve until the end."""

        self.patch(_twistd_unix, "UnixApplicationRunner", Runner)
        self.assertEqual(command.main(["run", "--listen", "tcp:1"]), 0)
        (config,) = ran
        self.assertEqual((config["nodaemon"], config["pidfile"], config.subCommand), (1, "", "meteor"))
        self.assertEqual(config.subOptions.settings.listen, ("tcp:1",))

    def test_bots(self) -> None:
        """`bots` passes its options on."""
        from meteor_net.client import bots

        seen: list[Any] = []
        self.patch(bots, "main", lambda argv: seen.append(argv))
        self.assertEqual(command.main(["bots", "--count", "8"]), 0)
        self.assertEqual(seen, [["--count", "8"]])

    def test_token(self) -> None:
        """`token` makes what lets a user in, for the time that was said."""
        self.assertEqual(command.main(["token", "--user", "ann", "--name", "Ann", "--hours", "1"]), 0)
        token = self.out.getvalue().strip()
        self.assertEqual(Tokens(SECRET.encode()).authenticate(token, None, ""), ("ann", "Ann"))
        claims = jwt.decode(token, options={"verify_signature": False})
        self.assertLess(abs(claims["exp"] - time.time() - 3600), 60)

    def test_token_from_a_file(self) -> None:
        """The key may be a file's."""
        path = Path(self.mktemp())
        path.write_text("t" * 32)
        self.assertEqual(command.main(["token", "--user", "ann", "--secret-file", str(path)]), 0)
        self.assertEqual(Tokens(b"t" * 32).authenticate(self.out.getvalue().strip(), None, "").user, "ann")

    def test_token_without_a_key(self) -> None:
        """Without a key, or with a bad one, it says what to give."""
        self.patch(os, "environ", {})
        self.assertRaises(SystemExit, command.main, ["token", "--user", "ann"])
        self.assertIn("give --secret-file, or set METEOR_SECRET", self.error.getvalue())
        self.assertRaises(SystemExit, command.main, ["token", "--user", "ann", "--secret-file", "/nowhere"])
        self.assertIn("/nowhere", self.error.getvalue())
