"""What a server plays, as its operator chose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.testing import MemoryReactorClock

from meteor_net.drift import Drift
from meteor_net.errors import ConfigError
from meteor_net.replay import Replay, ReplayChat, record
from meteor_net.server.playing import playing
from meteor_net.server.service import build
from meteor_net.server.settings import Settings, load

from ..replay.cove import Cove, CoveCase


class PlayingTests(CoveCase):
    """A game, or a recording of one."""

    def film(self, seconds: float = 0.5) -> Path:
        """Record the cove."""
        self.player("ann")
        recorder = record(self.room, self.mktemp())
        self.advance(seconds)
        recorder.close()
        return recorder.file.path.absolute()

    def settings(self, *games: str, replay: Path | None = None, **said: str) -> Settings:
        """What the operator chose."""
        chosen: dict[str, Any] = {**said, "game": games} if games else {**said}
        return Settings(**chosen, replay=None if replay is None else str(replay), python_path=str(Path.cwd()))

    def test_games(self) -> None:
        """The first one's page, and the chat handler, are those of the games."""
        what = playing(self.settings("cove=tests.replay.cove.Cove", "drift=meteor_net.drift.Drift"))
        self.assertEqual((what.games, what.chat, what.page_of), ({"cove": Cove, "drift": Drift}, None, Cove))
        self.assertEqual(what.told, ("game", "cove (tests.replay.cove.Cove), drift (meteor_net.drift.Drift)"))
        self.assertIs(playing(self.settings(chat="meteor_net.replay.ReplayChat")).chat, ReplayChat)

    def test_a_recording(self) -> None:
        """It is the only game, under the name that it had; its page is that of its game, if that is among those of --game."""
        film = self.film()
        what = playing(self.settings("drift=meteor_net.drift.Drift", "tests.replay.cove.Cove", replay=film))
        self.assertEqual((list(what.games), what.chat, what.page_of), (["cove"], ReplayChat, Cove))
        self.assertTrue(issubclass(what.games["cove"], Replay))
        self.assertEqual(what.told, ("replay", f"cove/main, 0:00.6 long ({film})"))

    def test_its_game_is_not_imported(self) -> None:
        """A file does not say what is imported: the plain page is shown, and how to have the other one is told."""
        film = self.film()
        what = playing(self.settings(replay=film))
        self.assertIs(what.page_of, Replay)
        self.assertIn("; --game tests.replay.cove.Cove shows its page", what.told[1])
        other = playing(self.settings("sea=tests.plain.Sea", replay=film)).page_of
        self.assertEqual(other.__name__, "Sea", "the operator knows better")

    def test_no_recording(self) -> None:
        """It is told which file, and what is wrong with it."""
        error = self.assertRaises(ConfigError, playing, self.settings(replay=Path("/nowhere")))
        self.assertEqual(str(error), "--replay: /nowhere: No such file or directory")

    def test_nothing_is_kept(self) -> None:
        """A server of a replay has its database in memory, whatever else was said."""
        service = build(self.settings(replay=self.film(), database="sqlite:////nowhere/at/all"), MemoryReactorClock())
        self.assertRaises(ConfigError, service.migrate)

    def test_recording_is_ended(self) -> None:
        """What a server records is whole when it has stopped."""
        folder = Path(self.mktemp())
        service = build(self.settings("tests.plain.Sea", database="memory", record=str(folder)), MemoryReactorClock())
        self.assertIsNotNone(service.host.opened)
        service.startService()
        self.successResultOf(service.stopService())

    def test_settings(self) -> None:
        """A recording of a replay is none; a file is no folder."""
        error = self.assertRaises(ConfigError, load, {"record": "a", "replay": "b"}, {})
        self.assertIn("--record and --replay: ", str(error))
        error = self.assertRaises(ConfigError, load, {"record": __file__}, {})
        self.assertIn("is there, and is not a folder", str(error))
        self.assertEqual(load({}, {"METEOR_RECORD": "films"}).record, str(Path("films").absolute()))
