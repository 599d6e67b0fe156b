"""Players that play by themselves: to see a game in motion, and to load a server."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, TypeAlias

from twisted.internet.defer import DeferredList, ensureDeferred
from twisted.internet.task import deferLater

from ..state import Action
from .client import NetworkClient
from .config import NetworkConfig
from .flying import courses
from .run import run

#: Made for each bot when it is in: takes the client and a source of chance, gives what tells what to
#: do at a time in seconds; None: nothing.
Strategy: TypeAlias = Callable[[NetworkClient, Random], Callable[[float], Action | None]]

#: Between two bots' connecting, in seconds, so that a crowd does not come in one blow.
ENTER_S = 0.01
#: Acts of one bot in a second, at most.
ACTS_PER_S = 20.0


def wander(game: NetworkClient, random: Random) -> Callable[[float], Action | None]:
    """Steer by the game's first input, smoothly and at random; a game without inputs is watched."""
    schema = game.schema
    described = schema.describe()["actions"]
    for number, action in enumerate(described):
        if action["input"]:
            kind = schema.actions[number]
            ways = courses(action, random)
            return lambda now: kind(**{name: course(now) for name, course in ways.items()})
    return lambda now: None


async def fly(
    url: str | Sequence[str],
    count: int = 8,
    *,
    seconds: float | None = None,
    strategy: Strategy = wander,
    acts_per_s: float = ACTS_PER_S,
    name: str = "bot",
    seed: int = 0,
    reactor: Any = None,
    **options: Any,
) -> list[NetworkClient]:
    """Connect bots and let them play.

    Args:
        url: Where the server is; or several, among which they spread, and of which each takes another if its own fails.
        count: How many.
        seconds: How long they play; None until each is sent away.
        strategy: What they do.
        acts_per_s: How often each does something, at most once a tick.
        name: Each is called so, with its number.
        seed: Of their chance: the same seed, the same courses.
        reactor: Twisted's; None for the global one.
        options: As those of NetworkConfig, for all of them.

    Returns:
        The clients, disconnected.

    Raises:
        ConnectionFailed: If not one of them came in.
        ConfigError: If an option is wrong.
    """
    if reactor is None:
        from twisted.internet import reactor
    urls = [url] if isinstance(url, str) else list(url)
    bots = []
    for number in range(1, count + 1):
        at = (number - 1) % len(urls)
        options_of_one = {"name": f"{name} {number}", "random": Random(f"{seed}/{number}/ids")}
        others = urls[at + 1 :] + urls[:at]
        config = NetworkConfig(url=urls[at], urls=others, reactor=reactor, **{**options_of_one, **options})
        bots.append((NetworkClient(config), Random(f"{seed}/{number}")))
    flights = [
        ensureDeferred(_fly_one(game, random, strategy, acts_per_s, number * ENTER_S))
        for number, (game, random) in enumerate(bots)
    ]
    stop = None
    if seconds is not None:
        stop = reactor.callLater(seconds, _stop, [game for game, _ in bots])
    results = await DeferredList(flights, consumeErrors=True)
    if stop is not None and stop.active():
        stop.cancel()
    await DeferredList([game.disconnect() for game, _ in bots])  # until the goodbyes are written
    failures: list[Any] = [failure for success, failure in results if not success]
    if failures and len(failures) == len(bots):
        raise failures[0].value
    return [game for game, _ in bots]


async def _fly_one(game: NetworkClient, random: Random, strategy: Strategy, acts_per_s: float, after_s: float) -> None:
    """Play until there are no more ticks."""
    await deferLater(game.config.reactor, after_s)
    await game.connect()
    decide = strategy(game, random)
    seconds = game.config.reactor.seconds
    next_s = began = seconds()
    async for _ in game.ticks():
        now = seconds()
        if now < next_s:
            continue
        next_s = max(next_s + 1 / acts_per_s, now)
        action = decide(now - began)
        if action is not None:
            answer = game.act(action)
            if answer is not None:
                answer.addErrback(lambda _: None)  # a bot does not mind being refused


def _stop(games: Sequence[NetworkClient]) -> None:
    for game in games:
        game.disconnect()


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("meteor-net bots", description="Let bots play in a room.")
    parser.add_argument("--url", action="append", help="server; may be given several times (default: ws://127.0.0.1:8080)")
    parser.add_argument("--room", default="", help="room (default: the server's first)")
    parser.add_argument("--count", type=int, default=8, help="how many (default: %(default)s)")
    parser.add_argument("--seconds", type=float, help="how long (default: until Ctrl-C)")
    parser.add_argument("--name", default="bot", help="what they are called (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same courses (default: 0)")
    parser.add_argument("--token", help="proves who they are; guests by default")
    parser.add_argument("--trust-root", help="PEM file with the certificates to trust")
    options = parser.parse_args(argv)
    options.url = options.url or ["ws://127.0.0.1:8080"]
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Run `meteor-net bots`.

    Returns:
        The exit status.
    """
    try:
        run(_fly_and_tell, _options(argv))
    except SystemExit as end:
        return int(end.code or 0)


async def _fly_and_tell(options: argparse.Namespace) -> None:
    games = await fly(
        options.url,
        options.count,
        seconds=options.seconds,
        name=options.name,
        seed=options.seed,
        room=options.room,
        token=options.token,
        trust_root=options.trust_root,
    )
    for line in _summary(games):
        print(line)


def _summary(games: Sequence[NetworkClient]) -> Iterator[str]:
    """Tell how it went, all bots together."""
    totals: dict[str, float] = {}
    for game in games:
        for source in game.report().totals.values():
            for name, value in source.items():
                totals[name] = totals.get(name, 0) + value
    yield (
        f"{len(games)} bots: {totals['frames']:,.0f} frames, {totals['bytes_in']:,.0f} bytes in, "
        f"{totals['bytes_out']:,.0f} bytes out, {totals['lost']:,.0f} connections lost"
    )
