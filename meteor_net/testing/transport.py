"""One end of a connection in memory, as protocols know it from TCP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IConsumer, IPushProducer, ITCPTransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from .clock import SteppedClock
from .way import Way

#: With more than this waiting in the process, a producer is paused; as Twisted's TCP has it.
BUFFER_BYTES = 65_536
_log = Logger()


@implementer(ITCPTransport, IConsumer, IPushProducer)
class Transport:
    """One end.

    What is written goes on its way at once while there is room, and waits here when there is none; nothing that a protocol
    calls here calls it back before it has returned.

    Attributes:
        protocol: Is told what comes; another one may be put here, as an upgrade of HTTP does.
        connected: False once the connection is gone, and `protocol` knows it.
        reading: Whether bytes are wanted.
    """

    protocol: Any

    def __init__(self, clock: SteppedClock, inward: Way, outward: Way, here: IPv4Address, there: IPv4Address) -> None:
        self.connected = True
        self.disconnecting = False
        self.reading = True
        self.producer: Any = None
        self.streaming = False
        self._paused = False
        self._clock = clock
        self._in, self._out = inward, outward
        self._here, self._there = here, there
        self._waiting = bytearray()
        self._no_delay = self._keep_alive = False
        inward.reader = outward.writer = self

    @property
    def unsent_bytes(self) -> int:
        """Bytes that wait in this process."""
        return len(self._waiting)

    # --- writing ---

    def write(self, data: bytes) -> None:
        """Send bytes; once the connection is gone, nothing happens."""
        if not isinstance(data, bytes):
            raise TypeError(f"a transport takes bytes, not {type(data).__name__}")
        if not self.connected or not data:
            return
        self._waiting += data
        self._send()
        if self.streaming and self.producer is not None and not self._paused and len(self._waiting) > BUFFER_BYTES:
            self._paused = True
            self.producer.pauseProducing()
        elif self.producer is not None or self.disconnecting:
            self._clock.callLater(0, self.drained)

    def send_now(self, data: bytes) -> int:
        """Do as a socket's `send`: take what there is room for.

        Raises:
            BlockingIOError: There is no room, or the connection is gone.
        """
        size = min(self._out.room, len(data)) if self.connected else 0
        if size <= 0:
            raise BlockingIOError
        self._out.put(data[:size])
        return size

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send bytes."""
        self.write(b"".join(data))

    def _send(self) -> None:
        size = min(self._out.room, len(self._waiting))
        if size > 0:
            data = bytes(self._waiting[:size])
            del self._waiting[:size]
            self._out.put(data)

    @property
    def waits(self) -> bool:
        """Whether there is anything to do when there is room again."""
        return bool(self._waiting) or self.producer is not None or self.disconnecting

    def drained(self) -> None:
        """There is room: send on, ask the producer for more, or close if that was all."""
        if not self.connected:
            return
        self._send()
        if self._waiting:
            return
        if self.producer is not None and (not self.streaming or self._paused):
            self._paused = False
            self.producer.resumeProducing()
        elif self.disconnecting:
            self._out.finish()
            self._gone(ConnectionDone())

    # --- closing ---

    def loseConnection(self) -> None:
        """Close when all that was written is on its way."""
        if self.connected and not self.disconnecting:
            self.disconnecting = True
            self.reading = False
            self._clock.callLater(0, self.drained)

    def abortConnection(self) -> None:
        """Close now; what waits is lost."""
        if self.connected:
            self.disconnecting = True
            self.reading = False
            self._waiting.clear()
            self._out.reset()
            self._clock.callLater(0, self._gone, ConnectionAborted())

    def cut(self) -> None:
        """The network has lost the connection; the other end is told by others."""
        self._waiting.clear()
        self._clock.callLater(0, self._gone, ConnectionLost())

    def die(self) -> None:
        """The machine was killed: whoever ran on it is told nothing, and does nothing any more."""
        self.connected = self.reading = False
        self.disconnecting = True
        self.producer = None
        self._waiting.clear()

    def loseWriteConnection(self) -> None:
        """Close one direction; no protocol here half-closes, so it closes both."""
        self.loseConnection()

    def _gone(self, reason: Exception) -> None:
        if not self.connected:
            return
        self.connected = self.reading = False
        self._waiting.clear()
        self._in.close()
        producer, self.producer = self.producer, None
        if producer is not None:
            producer.stopProducing()
        self._guarded(self.protocol.connectionLost, Failure(reason))

    # --- what comes ---

    def arrived(self, data: bytes) -> None:
        """Bytes came; a protocol that raises loses its connection, as a reactor has it."""
        if not self._guarded(self.protocol.dataReceived, data):
            self.abortConnection()

    def ended(self, reason: Exception) -> None:
        """The other end has closed."""
        self._out.close()
        self._gone(reason)

    def _guarded(self, call: Any, *args: Any) -> bool:
        try:
            call(*args)
        except Exception:
            _log.failure("a protocol failed")
            return False
        return True

    # --- producers ---

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let a producer know when it may write.

        Raises:
            RuntimeError: If there is one already.
        """
        if self.producer is not None:
            raise RuntimeError(f"cannot register {producer}: {self.producer} was never unregistered")
        if not self.connected:
            producer.stopProducing()
            return
        self.producer, self.streaming, self._paused = producer, streaming, False
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """Let it go."""
        self.producer = None
        if self.disconnecting:
            self._clock.callLater(0, self.drained)

    def pauseProducing(self) -> None:
        """Read no more; what comes fills the network."""
        self.reading = False

    def resumeProducing(self) -> None:
        """Read again."""
        if self.connected and not self.disconnecting:
            self.reading = True
            self._in.look()

    def stopProducing(self) -> None:
        """Close."""
        self.loseConnection()

    # --- what TCP tells and can be told ---

    def getHost(self) -> IPv4Address:
        """Our own address."""
        return self._here

    def getPeer(self) -> IPv4Address:
        """The other end's."""
        return self._there

    def getTcpNoDelay(self) -> bool:
        """Whether small writes go out at once; here they always do."""
        return self._no_delay

    def setTcpNoDelay(self, enabled: bool) -> None:
        """See `getTcpNoDelay`."""
        self._no_delay = enabled

    def getTcpKeepAlive(self) -> bool:
        """Whether a silent connection is probed; here it never is."""
        return self._keep_alive

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """See `getTcpKeepAlive`."""
        self._keep_alive = enabled
