"""The console command `meteor-net`, also `python -m meteor_net`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version

USAGE = """\
meteor-net: real-time multiplayer for Python

  meteor-net run [options]           serve a game, the demo by default (meteor-net run --help)
  meteor-net bots [options]          let bots play (meteor-net bots --help)
  meteor-net token --user NAME       make a token for a user (meteor-net token --help)
  meteor-net --version
"""

#: How long a token is good for when it is not said.
TOKEN_HOURS = 24.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Command and options; those of the process if not given.

    Returns:
        The exit status.
    """
    command, *rest = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    if command in {"--help", "-h", "help"}:
        print(USAGE, end="")
        return 0
    if command == "--version":
        print(f"meteor_net {version('meteor-net')}")
        return 0
    if (run_command := COMMANDS.get(command)) is None:
        print(f"meteor-net: there is no command {command!r} (meteor-net --help lists them)", file=sys.stderr)
        return 2
    return run_command(rest)


def run(argv: list[str]) -> int:
    """Serve in the foreground, as `twistd --nodaemon --pidfile= meteor` does; Ctrl-C is a good end."""
    from twisted.scripts._twistd_unix import ServerOptions, UnixApplicationRunner

    config = ServerOptions()
    config.parseOptions(["--nodaemon", "--pidfile=", "meteor", *argv])
    # What twistd.runApp does, without its last line: that ends the process by the signal that it was stopped with.
    UnixApplicationRunner(config).run()
    return 0


def bots(argv: list[str]) -> int:
    """Let bots play."""
    from .client.bots import main as fly

    return fly(argv) or 0


def token(argv: list[str]) -> int:
    """Print a token that lets a user in, for trying a server; a real service makes its own (docs/howto/deploy.md)."""
    parser = argparse.ArgumentParser("meteor-net token", description=token.__doc__)
    parser.add_argument("--user", required=True, help="the user's id")
    parser.add_argument("--name", help="what others see (default: the id)")
    parser.add_argument("--hours", type=float, default=TOKEN_HOURS, help="how long it is good for (default: 24)")
    parser.add_argument("--secret-file", help="file with the key (default: METEOR_SECRET of the environment)")
    options = parser.parse_args(argv)
    from .errors import ConfigError
    from .server.auth import make_token
    from .server.settings import load

    try:
        secret = load({"secret-file": options.secret_file} if options.secret_file else {}, os.environ).secret
    except ConfigError as error:
        parser.error(str(error))
    if secret is None:
        parser.error("give --secret-file, or set METEOR_SECRET")
    print(make_token(secret, options.user, int(time.time() + options.hours * 3600), options.name))
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {"run": run, "bots": bots, "token": token}

if __name__ == "__main__":
    sys.exit(main())
