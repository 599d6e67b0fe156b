"""Proxies between players and a server: HAProxy, and one that holds back what is not whole."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from tests.requirements import REPOSITORY, require

from .ports import free_port, listens

LISTENS_WITHIN_S = 20
#: What a proxy that lets no WebSocket through does with one, and lets through while the list is empty.
REFUSALS = {
    "denies": "http-request deny deny_status 403 if { hdr(Upgrade) -m found } refusing",
    "strips": "http-request del-header Upgrade if refusing",
    "cuts": "http-request silent-drop if { hdr(Upgrade) -m found } refusing",
}
CONFIG = """\
global
    stats socket {folder}/admin level admin
defaults
    mode http
    timeout connect 5s
    timeout client 1m
    timeout server 1m
    timeout tunnel 1h
frontend web
    bind 127.0.0.1:{port}
    acl refusing str(websocket) -m str -f {folder}/refused
    {refusal}
    default_backend meteor
backend meteor
    server one 127.0.0.1:{server}
"""


class Proxy:
    """A process that listens at `port`."""

    def __init__(self, *command: str) -> None:
        self.port = ""
        self._process = subprocess.Popen(
            command, cwd=REPOSITORY, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def listening(self, port: str) -> None:
        """Wait until it listens."""
        self.port = port
        until = time.monotonic() + LISTENS_WITHIN_S
        while not listens(port):
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"the proxy does not listen at {port}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


class HAProxy(Proxy):
    """HAProxy before a server, which refuses WebSockets in a way of `REFUSALS`, until `let_through`."""

    def __init__(self, server: str, refusal: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="haproxy"))  # a short path: that of a socket has a bound
        port = free_port()
        (self._folder / "refused").write_text("websocket\n")
        file = self._folder / "haproxy.cfg"
        file.write_text(CONFIG.format(folder=self._folder, port=port, server=server, refusal=REFUSALS[refusal]))
        super().__init__(require("haproxy"), "-db", "-f", str(file))
        self.listening(port)

    def let_through(self) -> None:
        """Refuse no WebSocket any more."""
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self._folder / "admin"))
            admin.sendall(f"clear acl {self._folder}/refused\n".encode())
            admin.recv(1_000)

    def stop(self) -> None:
        """End it."""
        super().stop()
        shutil.rmtree(self._folder)


def holding(server: str) -> Proxy:
    """A proxy that passes on a response when it is whole, and nothing of a WebSocket but its opening."""
    port = free_port()
    proxy = Proxy(sys.executable, "-m", "tests.server.holding", port, server)
    proxy.listening(port)
    return proxy


def over_http(port: str) -> int:
    """How many connections of a server go over HTTP."""
    with urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
        return int(json.load(answer)["over_http"])
