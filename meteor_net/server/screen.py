"""What the operator's terminal shows: our own lines, a game's, and whatever is a warning; not Twisted's small talk."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any, TextIO

from twisted.logger import (
    FilteringLogObserver,
    ILogFilterPredicate,
    ILogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    PredicateResult,
    formatEvent,
)
from zope.interface import implementer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twisted.logger import LogEvent

#: Libraries whose news below a warning nobody reads.
QUIET = ("twisted", "autobahn", "txaio")
_PORT_LINE = re.compile(r"\S+( \(TLS\))? starting on .+|\(.+ Port .+ Closed\)")
_IDLE_LINE = "Timing out client: {peer}"  # each browser's connections that fetched the page


@implementer(ILogFilterPredicate)
class NoSmallTalk:
    """Leave out what listening ports and idle connections of Twisted's log of themselves, in nobody's or in our name."""

    def __call__(self, event: LogEvent) -> Any:
        if event.get("log_format") == _IDLE_LINE:
            return PredicateResult.no
        text = event.get("log_text") if event.get("log_namespace") == "log_legacy" else None
        if isinstance(text, str) and _PORT_LINE.fullmatch(text):
            return PredicateResult.no
        return PredicateResult.maybe


@implementer(ILogObserver)
class Lines:
    """Write an event as one line, with the time in front unless it is of the first screen."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __call__(self, event: LogEvent) -> None:
        text = formatEvent(event)
        if not event.get("first_screen"):
            level = event.get("log_level", LogLevel.info)
            mark = "" if level <= LogLevel.info else f"{level.name.upper()} "
            text = time.strftime("%H:%M:%S ", time.localtime(event["log_time"])) + mark + text
        if (failure := event.get("log_failure")) is not None:
            text += "\n" + failure.getTraceback().rstrip()
        self._out.write(text + "\n")
        self._out.flush()


def observer(out: TextIO) -> ILogObserver:
    """Make the log observer of a terminal."""
    levels = LogLevelFilterPredicate(defaultLogLevel=LogLevel.info)
    for namespace in QUIET:
        levels.setLogLevelForNamespace(namespace, LogLevel.warn)
    filtered: ILogObserver = FilteringLogObserver(Lines(out), [NoSmallTalk(), levels])
    return filtered


def wants_own_log(twistd: Mapping[str, Any] | None) -> bool:
    """Tell whether twistd would log to the terminal in its own way, and was not told how."""
    if twistd is None or not (twistd.get("nodaemon") or twistd.get("debug")):
        return False
    return not (twistd.get("logger") or twistd.get("syslog") or twistd.get("logfile"))
