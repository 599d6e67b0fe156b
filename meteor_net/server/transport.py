"""The TCP transport of a listening port: what is written goes out at once when nothing waits before it.

Twisted's own waits for the next round of the reactor, which costs two epoll calls and a copy a write: half of what sending a
frame costs. Only the moment changes, never the order; whatever is out of the ordinary takes the ordinary path. All names of
Twisted's that are not public are used in this file alone, and pinned by its tests.
"""

from __future__ import annotations

import select
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from twisted.internet import tcp
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The kernel takes so much beyond what is on its way. More would be seconds of old state for a slow reader.
NOTSENT_LOWAT_BYTES = 16 * 1024
#: Sockets that are looked after in one turn of the reactor, where it is epoll's; then timers and ticks have their turn. Twisted
#: takes all that are ready: a thousand players who come back at once are a thousand upgrades before anything else happens.
EVENTS = 48
#: Connections accepted in one turn, of each port. Twisted takes a hundred, and more from time to time.
ACCEPTS = 24
#: Some builds of Python do not name it.
_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", {"linux": 25, "darwin": 0x201}.get(sys.platform))


class DirectServer(tcp.Server):
    """One accepted connection.

    Attributes:
        unsent_bytes: That wait in this process; kept, for it is looked at for each frame.
        send_now: The kernel's own `send`, for who has seen that nothing waits here (see session/burst.py).
    """

    unsent_bytes = 0

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.send_now = self.socket.send
        self.setTcpNoDelay(True)
        if _NOTSENT_LOWAT is not None:
            with suppress(OSError):  # a kernel that does not know it, or a peer that is gone already
                self.socket.setsockopt(socket.IPPROTO_TCP, _NOTSENT_LOWAT, NOTSENT_LOWAT_BYTES)

    def _count(self) -> None:
        self.unsent_bytes = len(self.dataBuffer) - self.offset + self._tempDataLen

    def doWrite(self) -> Any:
        """The kernel takes more."""
        done = super().doWrite()
        self._count()
        return done

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        """Write several pieces, the ordinary way."""
        super().writeSequence(pieces)
        self._count()

    def write(self, data: bytes) -> None:
        """Send now what the kernel takes at once, and leave the rest to the reactor.

        Errors are never raised here: the reactor finds them when it sends the rest, and tells the protocol.
        """
        if (
            self._tempDataLen
            or self.dataBuffer
            or type(data) is not bytes
            or self.TLS  # begun on this connection by startTLS: what is written goes another way
            or not self.connected
            or self.disconnecting
            or self._writeDisconnecting
            or self._writeDisconnected
            or self._aborting
            or (self.producer is not None and (not self.streamingProducer or self.producerPaused))
        ):
            super().write(data)
            self._count()
            return
        try:
            sent = self.socket.send(data)
        except OSError:
            sent = 0
        if sent < len(data):
            super().write(data[sent:] if sent else data)
            self._count()


class DirectTLS(TLSMemoryBIOProtocol):
    """TLS that encrypts what is written at once; Twisted's default gathers writes until the next round of the reactor."""

    @property
    def unsent_bytes(self) -> int:
        """Bytes that wait in this process, before and after encryption."""
        waiting = sum(map(len, self._appSendBuffer))
        return waiting + unsent_bytes(self.transport)


def unsent_bytes(transport: Any) -> int:
    """Tell how many bytes of a connection wait in this process; 0 for a transport that cannot tell."""
    return int(getattr(transport, "unsent_bytes", 0))


class FewEvents:
    """A `select.epoll` that gives a few events at a time; the kernel gives the others, who have waited longer, the next time.

    Args:
        poller: The real one.
    """

    def __init__(self, poller: Any) -> None:
        self._poller = poller

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poller, name)

    def poll(self, timeout: float, most: int) -> Any:
        """Wait for events."""
        return self._poller.poll(timeout, min(most, EVENTS))


def few_at_once(reactor: Any) -> None:
    """Let a reactor look after a few sockets in a turn; one that is not epoll's stays as it is."""
    poller = getattr(reactor, "_poller", None)
    if hasattr(select, "epoll") and isinstance(poller, select.epoll):
        reactor._poller = FewEvents(poller)


def send_directly(port: Any) -> None:
    """Let a listening port make connections that send at once, a few in a turn.

    Args:
        port: What an endpoint's `listen` gave. One that is not TCP stays as it is.
    """
    if isinstance(port, tcp.Port):
        port.transport = cast(Any, DirectServer)
        if isinstance(port.factory, TLSMemoryBIOFactory):
            port.factory.protocol = DirectTLS
        few_at_once(port.reactor)
        accept = port.doRead

        def accept_some() -> None:
            port.numberAccepts = ACCEPTS  # Twisted changes it each time
            accept()

        port.doRead = accept_some  # type: ignore[method-assign]
