"""A game of nothing but talk, with room for a crowd."""

from __future__ import annotations

from pathlib import Path

from meteor_net import Game

#: The room that its players are in.
ROOM = "hall/main"
SECRET = b"only for a benchmark on loopback, never for players"

#: Nobody is refused for being fast: what is measured is how fast the server is.
CONFIG = """\
game = ["hall=benchmarks.chat.hall.Hall"]
secret-file = "secret"

[limits]
lines_per_s = 100000
lines_burst = 100000
messages_per_s = 100000
pages_per_s = 100000
pages_burst = 100000
joins_per_s = 1000
joins_burst = 1000
resume_lines = 5000
outbox_bytes = 4194304
"""


class Hall(Game):
    """No world: lines alone."""

    tick_hz = 1
    max_players = 1_000


def configure(folder: Path) -> list[str]:
    """Write a server's configuration into a folder of its own, and give the options that name it.

    Args:
        folder: Where; the server keeps its data there too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "secret").write_bytes(SECRET)
    config = folder / "meteor.toml"
    config.write_text(CONFIG)
    repository = Path(__file__).parents[2]
    return ["--config", str(config), "--data-dir", str(folder / "data"), "--python-path", str(repository)]
