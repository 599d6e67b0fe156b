"""A channel over a storage that answers when, in which order, and how a test says."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.chat.channel import Channel
from meteor_net.errors import Refused
from meteor_net.interfaces import Identity
from meteor_net.limits import Limits
from meteor_net.messages import History, Line, Message
from meteor_net.requests import Pause, Request, ask_storage
from meteor_net.session.registry import Registry
from meteor_net.session.session import Session
from meteor_net.storage.memory import MemoryStorage

from ..plain import FakePipe, run, stored

EPOCH = 77


class Log:
    """A storage that answers when, in which order, and how the test says.

    Attributes:
        lines: What is kept.
        requests: What was asked for, oldest first.
    """

    def __init__(self, **limits: Any) -> None:
        self.requests: list[Request] = []
        self.reports: list[str] = []
        self.channel = Channel(4, "sea/main", Limits(**limits), self.requests, self.report)
        self.storage = MemoryStorage(Random(5), lines=1_000)
        self.storage._epoch = EPOCH
        self.registry = Registry(Limits(), Random(1))
        self.said: list[object] = []

    def report(self, event: str, error: BaseException | None = None, **fields: object) -> None:
        self.reports.append(f"{event} {fields['verb']}: {error}")

    def do(self, request: Request) -> Any:
        """What storage answers to a request."""
        return None if isinstance(request, Pause) else run(ask_storage(self.storage, request))

    def answer(self, place: int = 0) -> None:
        """Do a request, and say so."""
        self.do_but_wait(place)()

    def answer_all(self) -> None:
        """Do all that is asked for, in order."""
        while self.requests:
            self.answer()

    def do_but_wait(self, place: int = 0) -> Any:
        """Do a request, and give a function that says so later."""
        request = self.requests.pop(place)
        try:
            answer = self.do(request)
        except Refused as refused:
            return partial(request.failed, refused, 1.0)
        return partial(request.then, answer, 1.0)

    def fail(self, place: int = 0, *, kept: bool = False, error: Exception | None = None) -> None:
        """Let a request fail, though it may have been done all the same."""
        request = self.requests.pop(place)
        if kept:
            with suppress(Refused):
                self.do(request)
        request.failed(error or OSError("disk full"), 1.0)

    def keep(self, *texts: str) -> None:
        """Lines that are there already, or that somebody else has kept."""
        for text in texts:
            run(self.storage.append("sea/main", stored(text=text)))

    def open(self) -> None:
        """Open the channel."""
        self.channel.open(lambda now: None, lambda error, now: None, 1.0)
        self.answer_all()

    def say(self, text: str, cid: str = "", **more: Any) -> None:
        """Say a line; what becomes of it is in `said`."""
        moderator = more.pop("moderator", False)
        self.channel.say(
            stored(text=text, cid=cid)._replace(**more),
            lambda offset, now: self.said.append((text, offset)),
            lambda error, now: self.said.append((text, str(error))),
            1.0,
            moderator=moderator,
        )

    def hearer(self, *since: int, user: str = "u") -> Ear:
        """Somebody who begins to hear, perhaps from a place."""
        return Ear(self, (since[0], since[1]) if since else None, user)


class Ear:
    """A session that hears."""

    def __init__(self, log: Log, since: tuple[int, int] | None, user: str) -> None:
        self.log = log
        self.pipe = FakePipe()
        self.session: Session = log.registry.make(Identity(user, "ann"), 1.0)
        self.session.attach(self.pipe, 1.0)
        log.channel.hear(self.session, since)

    def read(self) -> list[Message]:
        """Take what came."""
        self.log.registry.flush(1.0)
        return self.pipe.read()

    def heard(self) -> list[str]:
        """Take what came, as text: h[…] for a history, with ! for a gap."""
        found = []
        for message in self.read():
            if isinstance(message, History):
                found.append("h" + "!" * message.gap + "[" + " ".join(line[6] for line in message.lines) + "]")
            else:
                assert isinstance(message, Line)
                found.append(message.text)
        return found


class ChannelCase(SynchronousTestCase):
    """A channel, open."""

    def setUp(self) -> None:
        self.log = Log()
        self.log.open()

    def begin(self, *texts: str, **limits: Any) -> Log:
        """Make it anew, with lines and limits."""
        self.log = Log(**limits)
        self.log.keep(*texts)
        self.log.open()
        return self.log
