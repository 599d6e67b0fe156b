"""`twistd meteor`, its command line."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path
from typing import Any

from twisted.application.service import IServiceMaker
from twisted.plugin import getPlugins
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from meteor_net.server import tap
from meteor_net.server.tap import Options, makeService


class OptionsTests(SynchronousTestCase):
    """Parsing."""

    def setUp(self) -> None:
        for name in [name for name in os.environ if name.startswith("METEOR_")]:
            self.patch(os, "environ", {key: value for key, value in os.environ.items() if key != name})

    def parse(self, *words: str) -> Options:
        """Parse a command line."""
        options = Options()
        options.parseOptions(list(words))
        return options

    def refused(self, *words: str) -> str:
        """Parse a wrong one; answer what is told."""
        text = str(self.assertRaises(SystemExit, self.parse, *words).code)
        self.assertEqual(text[:8], "meteor: ")
        self.assertNotIn("\n", text)
        return text

    def test_all(self) -> None:
        """Every option reaches the settings."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "key").write_text("k" * 32)
        settings = self.parse(
            "--listen", "tcp:1", "--listen=tcp:2", "--game", "a.B", "--game", "c=d.E", "--chat", "f.G", "--site", str(folder),
            "--guests", "no", "--secret-file", str(folder / "key"), "--origin", "https://a", "--origin", "https://b",
            "--host", "c", "--host", "d", "--data-dir", str(folder / "data"), "--python-path", str(folder),
            "--database", f"sqlite:///{folder}/db", "--keep-days", "30", "--keep-lines", "1000", "--migrate-only",
            "--reload", "--self-signed", "--check", "--verbose",
        ).settings  # fmt: skip
        self.assertEqual(settings.listen, ("tcp:1", "tcp:2"))
        self.assertEqual(settings.games, {"b": "a.B", "c": "d.E"})
        self.assertEqual((settings.chat, settings.guests, settings.secret), ("f.G", False, b"k" * 32))
        self.assertEqual((settings.origin, settings.host), (("https://a", "https://b"), ("c", "d")))
        self.assertEqual((settings.site, settings.python_path), (str(folder.absolute()),) * 2)
        self.assertEqual(settings.data_dir, str(folder.absolute() / "data"))
        self.assertEqual(settings.database_url, f"sqlite:///{folder.absolute()}/db")
        self.assertEqual((settings.keep_days, settings.keep_lines, settings.migrate_only), (30, 1_000, True))
        self.assertTrue(settings.reload and settings.self_signed and settings.check and settings.verbose)

    def test_none(self) -> None:
        """Without options all is as the page of options says."""
        settings = self.parse().settings
        self.assertEqual((settings.listen, settings.guests, settings.check), ((), True, False))

    def test_mistakes(self) -> None:
        """A mistake is one line, and the exit status of the process is not 0."""
        self.assertEqual(self.refused("--bogus"), "meteor: option --bogus not recognized; --help lists them")
        self.assertIn("--listen", self.refused("--listen"))
        self.assertIn("'extra' belongs to no option", self.refused("extra"))
        self.assertIn("--guests: say yes or no", self.refused("--guests", "maybe"))
        self.assertIn("--keep-days: say a whole number, not 'few'", self.refused("--keep-days", "few"))
        self.assertIn("--keep-lines: 0 is too few", self.refused("--keep-lines", "0"))
        self.assertIn("--site: ", self.refused("--site", "/nowhere/at/all"))

    def test_usage_error(self) -> None:
        """For twistd, a mistake in what was chosen is one of usage."""
        options = Options()
        options["site"] = "/nowhere/at/all"
        self.assertRaises(usage.UsageError, options.postOptions)

    def test_version(self) -> None:
        """--version tells ours and ends well."""
        self.patch(sys, "stdout", io.StringIO())
        self.assertEqual(self.assertRaises(SystemExit, self.parse, "--version").code, 0)
        out: Any = sys.stdout
        self.assertIn("meteor_net ", out.getvalue())

    def test_documented(self) -> None:
        """The page of options has each of them, and no other."""
        page = (Path(tap.__file__).parents[2] / "docs" / "reference" / "options.md").read_text()
        documented = set(re.findall(r"^\| `--([a-z-]+)", page, re.MULTILINE))
        known = {name.rstrip("=") for name in Options().longOpt if len(name) > 2} - {"help"}
        self.assertEqual(documented, known)


class MakeServiceTests(SynchronousTestCase):
    """Building."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.patch(sys, "path", list(sys.path))
        (self.folder / "tap_game.py").write_text("from meteor_net import Game\nclass Sea(Game): pass\n")
        self.addCleanup(sys.modules.pop, "tap_game", None)
        self.out = io.StringIO()
        self.patch(sys, "stdout", self.out)

    def options(self, *words: str, parent: dict[str, Any] | None = None) -> Options:
        """Parse a command line for the folder's game."""
        options = Options()
        options.parent = parent  # type: ignore[assignment]
        options.parseOptions(["--python-path", str(self.folder), "--game", "tap_game.Sea", *words])
        return options

    def test_builds(self) -> None:
        """A server is built; it opens nothing."""
        service: Any = makeService(self.options())
        self.assertEqual((service.ports, service._observer), ([], None))

    def test_log(self) -> None:
        """At a terminal our log takes the place of twistd's, unless all was asked for."""
        twistd = {"nodaemon": 1}
        quiet: Any = makeService(self.options(parent=twistd))
        self.assertIsNotNone(quiet._observer)
        verbose: Any = makeService(self.options("--verbose", parent=twistd))
        self.assertIsNone(verbose._observer)

    def test_check(self) -> None:
        """--check builds all and ends well, saying what would be served."""
        self.assertEqual(self.assertRaises(SystemExit, makeService, self.options("--check")).code, 0)
        self.assertEqual(self.out.getvalue(), "ok: sea on tcp:8080:interface=127.0.0.1\n")

    def test_check_makes_nothing(self) -> None:
        """--check leaves no file behind."""
        data = self.folder / "data"
        self.assertRaises(SystemExit, makeService, self.options("--check", "--data-dir", str(data)))
        self.assertFalse(data.exists())

    def test_migrate_only(self) -> None:
        """--migrate-only makes the tables and ends well; without a database there is nothing to do."""
        data = self.folder / "data"
        options = self.options("--migrate-only", "--data-dir", str(data))
        self.assertEqual(self.assertRaises(SystemExit, makeService, options).code, 0)
        self.assertIn(f"ok: the tables in {data}/meteor.sqlite3 are at revision ", self.out.getvalue())
        error = self.assertRaises(SystemExit, makeService, self.options("--migrate-only", "--database", "memory"))
        self.assertIn("nothing to migrate", str(error.code))

    def test_mistakes(self) -> None:
        """What only building finds is one line, too."""
        for words in (("--listen", "bogus"), ("--chat", "tap_game.Nothing")):
            text = str(self.assertRaises(SystemExit, makeService, self.options(*words)).code)
            self.assertEqual(text[:8], "meteor: ")
            self.assertNotIn("\n", text)

    def test_reload_needs_a_foreground(self) -> None:
        """A daemon does not reload."""
        error = self.assertRaises(SystemExit, makeService, self.options("--reload"))
        self.assertIn("--nodaemon", str(error.code))
        self.assertRaises(SystemExit, makeService, self.options("--reload", parent={"nodaemon": 0}))
        makeService(self.options("--reload", parent={"nodaemon": 1}))


class PluginTests(SynchronousTestCase):
    """What twistd sees."""

    def test_found(self) -> None:
        """Twistd finds `meteor`, and by it this module."""
        found: dict[str, Any] = {maker.tapname: maker for maker in getPlugins(IServiceMaker)}
        self.assertEqual(found["meteor"].module, "meteor_net.server.tap")
        self.assertIs(found["meteor"].options, Options)
