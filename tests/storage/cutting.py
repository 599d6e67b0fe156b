"""A proxy before PostgreSQL's socket that cuts a connection at the worst moment: after the commit, before its answer."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path
from threading import Thread

#: The name of PostgreSQL's socket in its folder.
SOCKET = ".s.PGSQL.5432"
_COMMIT = b"COMMIT\0"


class CuttingProxy:
    """Hands bytes to and fro.

    Attributes:
        cuts: Commits that are still to be cut off from their answer.
    """

    def __init__(self, folder: Path) -> None:
        self.cuts = 0
        self.folder = Path(tempfile.mkdtemp(prefix="meteor-proxy-"))
        self._behind = str(folder / SOCKET)
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self.folder / SOCKET))
        self._listening.listen()
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()
        (self.folder / SOCKET).unlink()
        self.folder.rmdir()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._behind)
            for source, to in ((client, server), (server, client)):
                Thread(target=self._hand_on, args=(source, to, source is client), daemon=True).start()

    def _hand_on(self, source: socket.socket, to: socket.socket, asks: bool) -> None:
        try:
            while data := source.recv(65_536):
                if asks and _COMMIT in data and self.cuts:
                    self.cuts -= 1
                    # Nobody reads the answer, which comes when the commit is done.
                    source.shutdown(socket.SHUT_RDWR)
                to.sendall(data)
        except OSError:
            pass
        finally:
            if not asks or not self.cuts:
                for end in (source, to):
                    end.close()
