"""What an operator may say, where, and what is told of mistakes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.errors import ConfigError
from meteor_net.server.settings import Settings, load, truth

SECRET = "s" * 32


class SettingsTests(SynchronousTestCase):
    """Flags, environment, file, defaults."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def config(self, text: str) -> str:
        """Write a TOML file."""
        path = self.folder / "meteor.toml"
        path.write_text(text)
        return str(path)

    def load(self, toml: str | None = None, environ: dict[str, str] | None = None, **flags: Any) -> Settings:
        """Load from a file, an environment and flags."""
        given = {name.replace("_", "-"): value for name, value in flags.items()}
        if toml is not None:
            given["config"] = self.config(toml)
        return load(given, environ or {})

    def refused(self, *args: Any, **flags: Any) -> str:
        """Load what is wrong; answer what is told."""
        text = str(self.assertRaises(ConfigError, self.load, *args, **flags))
        self.assertNotIn("\n", text)
        return text

    def test_defaults(self) -> None:
        """Nothing said: the demo, for guests, on this machine alone, data in the current folder."""
        settings = self.load()
        self.assertEqual(settings.endpoints, ("tcp:8080:interface=127.0.0.1",))
        self.assertEqual(settings.games, {"drift": "meteor_net.drift.Drift"})
        self.assertTrue(settings.guests)
        self.assertEqual(settings.data_dir, os.path.abspath("meteor-data"))
        self.assertEqual(settings.python_path, os.getcwd())

    def test_self_signed_listens_with_tls(self) -> None:
        """--self-signed alone listens on 8443; --listen still has the say."""
        self.assertEqual(self.load(self_signed=True).endpoints, ("ssl:8443:interface=127.0.0.1",))
        self.assertEqual(self.load(self_signed=True, listen=["ssl:1"]).endpoints, ("ssl:1",))

    def test_flag_beats_environment_beats_file(self) -> None:
        """A list is taken whole from the first place that names it."""
        toml = 'listen = ["tcp:1"]\nguests = false\nsecret-file = "key"\n'
        (self.folder / "key").write_text(SECRET)
        environ = {"METEOR_LISTEN": "tcp:2 tcp:3", "METEOR_GUESTS": "yes"}
        self.assertEqual(self.load(toml).listen, ("tcp:1",))
        self.assertFalse(self.load(toml).guests)
        self.assertEqual(self.load(toml, environ).listen, ("tcp:2", "tcp:3"))
        self.assertTrue(self.load(toml, environ).guests)
        self.assertEqual(self.load(toml, environ, listen=["tcp:4"]).listen, ("tcp:4",))

    def test_config_from_the_environment(self) -> None:
        """METEOR_CONFIG names the file, too."""
        path = self.config('host = ["Game.Example.org"]')
        self.assertEqual(load({}, {"METEOR_CONFIG": path}).host, ("game.example.org",))

    def test_paths_of_a_file_are_relative_to_it(self) -> None:
        """A file means its own neighbours, wherever the server was started."""
        (self.folder / "page").mkdir()
        self.assertEqual(self.load('site = "page"').site, os.path.abspath(self.folder / "page"))

    def test_database(self) -> None:
        """A file in the data folder, or what was said; a path is made absolute, and memory is a word."""
        self.assertEqual(self.load(data_dir="/data").database_url, "sqlite:////data/meteor.sqlite3")
        self.assertEqual(self.load(database="memory").database_url, "memory")
        here = f"sqlite:///{os.path.abspath('chat.db')}"
        self.assertEqual(self.load(database="sqlite:///chat.db").database_url, here)
        self.assertEqual(self.load(database="sqlite:////a/../b c?.db").database_url, "sqlite:////b c?.db")
        beside = f"sqlite:///{os.path.abspath(self.folder / 'chat.db')}"
        self.assertEqual(self.load('database = "sqlite:///chat.db"').database_url, beside)
        self.assertEqual(self.load(environ={"METEOR_DATABASE": "postgres://db/game"}).database_url, "postgres://db/game")

    def test_database_shown(self) -> None:
        """A password is never shown: not in mistakes, not where all settings are."""
        for url, shown in (
            ("memory", "memory"),
            ("sqlite:////a/b.db", "/a/b.db"),
            ("postgresql://ann:hunter2@db:5433/game?password=hunter2", "postgresql://ann@db:5433/game"),
            ("postgresql:///game?host=/run/x", "postgresql:///game"),
        ):
            settings = self.load(database=url)
            self.assertEqual(settings.database_url.shown, shown)
            self.assertNotIn("hunter2", repr(settings))
        for wrong in ("mysql://ann:hunter2@db", "sqlite://", "sqlite:///", "postgresql://", "hunter2", "sqlite://hunter2"):
            text = self.refused(environ={"METEOR_DATABASE": wrong})
            self.assertEqual(text, "METEOR_DATABASE: say memory, sqlite:///path or postgresql://user@host/name")

    def test_keep(self) -> None:
        """How long lines are kept is a whole number, wherever it is said."""
        self.assertEqual((self.load().keep_days, self.load().keep_lines), (None, None))
        self.assertEqual(self.load("keep-days = 30\nkeep-lines = 9").keep_days, 30)
        self.assertEqual(self.load(environ={"METEOR_KEEP_LINES": "1000"}).keep_lines, 1_000)
        self.assertIn("METEOR_KEEP_DAYS: say a whole number, not 'x'", self.refused(environ={"METEOR_KEEP_DAYS": "x"}))
        self.assertIn("keep-days: 0 is too few", self.refused("keep-days = 0"))
        self.assertIn("keep-days: Expected `int", self.refused('keep-days = "9"'))

    def test_limits(self) -> None:
        """The table [limits] sets single limits and leaves the others."""
        limits = self.load("[limits]\nline_chars = 200\nhello_s = 2.5").limits
        self.assertEqual((limits.line_chars, limits.hello_s, limits.rooms), (200, 2.5, 1_000))
        self.assertIn("meteor.toml: limits: rooms must be more than 0", self.refused("[limits]\nrooms = 0"))
        self.assertIn("meteor.toml: limits: line_chars is -1; at least 0", self.refused("[limits]\nline_chars = -1"))
        self.assertIn("limits: ", self.refused("[limits]\nrooom = 1"))
        self.assertIn("limits: rooms: Expected `int`", self.refused('[limits]\nrooms = "many"'))

    def test_mistakes_in_a_file(self) -> None:
        """A file's mistake names the file and what is wrong in it."""
        self.assertIn("meteor.toml: there is no option 'lisen'; is it 'listen'?", self.refused('lisen = ["tcp:1"]'))
        self.assertIn("there is no option 'data_dir'; is it 'data-dir'?", self.refused('data_dir = "x"'))
        self.assertIn("there is no option 'secret'; is it 'secret-file'?", self.refused('secret = "x"'))
        self.assertIn("there is no option 'zzz'", self.refused("zzz = 1"))
        self.assertIn("meteor.toml: listen: Expected `array`", self.refused('listen = "tcp:1"'))
        self.assertIn("meteor.toml: listen: [1]: Expected `str`", self.refused('listen = ["tcp:1", 2]'))
        self.assertIn("meteor.toml: guests: Expected `bool`", self.refused('guests = "yes"'))
        self.assertIn("meteor.toml: ", self.refused("guests = = 1"))
        self.assertIn("No such file", self.refused(config="missing.toml"))

    def test_mistakes_in_the_environment(self) -> None:
        """A variable's mistake names the variable."""
        self.assertIn("METEOR_GUESTS: say yes or no", self.refused(environ={"METEOR_GUESTS": "perhaps"}))
        self.assertIn("METEOR_LISTEN: ", self.refused(environ={"METEOR_LISTEN": "'tcp:1"}))

    def test_truth(self) -> None:
        """Several words mean yes and no."""
        for yes, no in (("yes", "no"), ("True", "FALSE"), ("on", "off"), ("1", "0")):
            self.assertEqual((truth(yes, "x"), truth(no, "x")), (True, False))

    def test_folders_must_be_there(self) -> None:
        """A site or a Python path that is not there is a mistake; a data folder is made when it is needed."""
        self.assertIn("--site: ", self.refused(site="nowhere"))
        self.assertIn("is not a folder", self.refused(python_path="nowhere"))
        self.assertEqual(self.load(data_dir="nowhere").data_dir, os.path.abspath("nowhere"))

    def test_games(self) -> None:
        """A game is named, or is called as its class; names are unique."""
        games = self.load(game=["mine=a.b.Mine", "a.Other_2"]).games
        self.assertEqual(games, {"mine": "a.b.Mine", "other_2": "a.Other_2"})
        self.assertIn("not [name=]module.Class", self.refused(game=["Mine"]))
        self.assertIn("no name for a game", self.refused(game=["My Game=a.Mine"]))
        self.assertIn("two games are called mine", self.refused(game=["a.Mine", "b.Mine"]))
        self.assertIn("name a game", self.refused("game = []"))

    def test_origins_and_hosts(self) -> None:
        """Origins are brought into the form that browsers send; anything else is a mistake."""
        origins = ["HTTPS://Game.Example.org/", "http://a:80", "http://b:8080", "http://[::1]:9"]
        expected = ("https://game.example.org", "http://a", "http://b:8080", "http://[::1]:9")
        self.assertEqual(self.load(origin=origins).origin, expected)
        for bad in (
            "*",
            "game.example.org",
            "http://",
            "http://a/b",
            "http://a:x",
            "ftp://a",
            "null",
            "http://u@a",
            "http://[x",
        ):
            self.assertIn("is not an origin", self.refused(origin=[bad]))
        self.assertEqual(self.load(host=["My-Box.", "[::1]"]).host, ("my-box", "[::1]"))
        for bad in ("http://a", "a:80", "*", ""):
            self.assertIn("is not a host name", self.refused(host=[bad]))

    def test_secret_from_a_file(self) -> None:
        """The key is the file's content without the line's end, and is never shown."""
        path = self.folder / "key"
        path.write_text(SECRET + "\n")
        settings = self.load(secret_file=str(path))
        self.assertEqual(settings.secret, SECRET.encode())
        self.assertNotIn(SECRET, repr(settings) + str(settings.secret))

    def test_secret_from_the_environment(self) -> None:
        """METEOR_SECRET holds the key; a flag beats it, and two variables are one too many."""
        environ = {"METEOR_SECRET": SECRET}
        self.assertEqual(self.load(environ=environ).secret, SECRET.encode())
        path = self.folder / "key"
        path.write_text("t" * 40)
        self.assertEqual(self.load(environ=environ, secret_file=str(path)).secret, b"t" * 40)
        self.assertEqual(self.load('secret-file = "key"', environ).secret, SECRET.encode())
        environ["METEOR_SECRET_FILE"] = str(path)
        self.assertIn("both set", self.refused(environ=environ))

    def test_secret_mistakes(self) -> None:
        """A short key, a missing file, and a server that nobody could enter are told."""
        self.assertIn("has 5 bytes and needs 32", self.refused(environ={"METEOR_SECRET": "short"}))
        self.assertIn("--secret-file: ", self.refused(secret_file="missing"))
        self.assertIn("nobody could enter", self.refused(guests=False))
