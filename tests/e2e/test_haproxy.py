"""TLS, in HAProxy as docs/howto/deploy.md has it and in the server itself: players come through by WebSocket and over HTTP."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import trustme
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from meteor_net.client import NetworkClient, NetworkConfig
from tests import pages
from tests.requirements import REPOSITORY, require

from .ports import free_port, listens
from .proxies import Proxy, over_http
from .test_python_client import Server, said, until

reactor: Any = global_reactor


class TLSTests(TestCase):
    """Two players, one of them without WebSockets."""

    timeout = 90

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tls"))
        self.addCleanup(shutil.rmtree, self.folder)
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost")
        authority.cert_pem.write_to_path(self.folder / "ca.pem")
        certificate.private_key_and_cert_chain_pem.write_to_path(self.folder / "game.pem")

    async def player(self, name: str, port: str, transport: str) -> NetworkClient:
        """Let one in."""
        game = NetworkClient(NetworkConfig(
            url=f"https://localhost:{port}", name=name, reactor=reactor, transports=(transport,),
            trust_root=self.folder / "ca.pem",
        ))  # fmt: skip
        self.addCleanup(game.disconnect)
        return await game.connect()

    async def talk(self, port: str) -> None:
        """Each hears the other, and sees both."""
        ann, bob = await self.player("ann", port, "http"), await self.player("bob", port, "websocket")
        for number in range(10):
            await (ann, bob)[number % 2].say(str(number))
            await until(lambda number=number: len(said(ann)) == len(said(bob)) == number + 1)
        self.assertEqual((said(ann), said(bob)), ([str(number) for number in range(10)],) * 2)
        await until(lambda: len(ann.world.craft) == len(bob.world.craft) == 2)
        ticks: list[int] = []
        ann.on("frame", ticks.append)
        await until(lambda: len(ticks) >= 20)
        self.assertEqual(ticks, sorted(set(ticks)))

    def test_haproxy(self) -> Deferred[None]:
        """The configuration of the page, with other ports and another certificate."""

        async def play() -> None:
            server = Server(self.mktemp())
            self.addCleanup(lambda: ensureDeferred(server.stop()))
            await server.start()
            page = REPOSITORY / "docs" / "howto" / "deploy.md"
            (config,) = [block.text for block in pages.blocks(page) if block.file == "haproxy.cfg"]
            port = free_port()
            for old, new in ((":443", f"127.0.0.1:{port}"), ("/etc/haproxy", str(self.folder)), (":8080", f":{server.port}")):
                self.assertIn(old, config)
                config = config.replace(old, new)
            (self.folder / "haproxy.cfg").write_text(config)
            proxy = Proxy(require("haproxy"), "-db", "-f", str(self.folder / "haproxy.cfg"))
            self.addCleanup(proxy.stop)
            await deferToThread(proxy.listening, port)
            await self.talk(port)
            self.assertEqual(await deferToThread(over_http, server.port), 1)

        return ensureDeferred(play())

    def test_own(self) -> Deferred[None]:
        """The server's own TLS."""

        async def play() -> None:
            port, pem = free_port(), self.folder / "game.pem"
            listen = f"ssl:{port}:privateKey={pem}:certKey={pem}:interface=127.0.0.1"
            server = subprocess.Popen(
                [sys.executable, "-m", "twisted", "meteor", "--listen", listen, "--data-dir", str(self.folder / "data")],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            self.addCleanup(server.wait)
            self.addCleanup(server.terminate)
            await until(lambda: listens(port))
            await self.talk(port)

        return ensureDeferred(play())
