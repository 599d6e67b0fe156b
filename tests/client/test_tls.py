"""Tests of the client over TLS on this machine: chain and host are verified."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme
from twisted.internet import reactor as global_reactor
from twisted.internet import ssl
from twisted.internet.defer import inlineCallbacks
from twisted.trial.unittest import TestCase

from meteor_net.client import NetworkClient, NetworkConfig
from meteor_net.client.transports import make_endpoint, parse_address
from meteor_net.errors import ConfigError, ConnectionFailed

from .memory import MemoryServer

reactor: Any = global_reactor
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


class TLSTests(TestCase):
    """Who the server is, is checked before a byte is said."""

    timeout = 30

    def setUp(self) -> None:
        self.authority = trustme.CA()
        self.trusted = Path(self.mktemp())
        self.authority.cert_pem.write_to_path(str(self.trusted))
        self.server = MemoryServer()
        # Twisted hands pyOpenSSL's objects to pyOpenSSL, which says at length that it should not
        self.addCleanup(self.flushWarnings)

    def client(self, certificate: trustme.LeafCert, trust_root: Path | None) -> NetworkClient:
        """Serve with a certificate, and make a client of that server."""
        bytes_of = certificate.private_key_and_cert_chain_pem.bytes()
        context = ssl.PrivateCertificate.loadPEM(bytes_of).options()
        port = reactor.listenSSL(0, self.server.factory(), context, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        url = f"wss://127.0.0.1:{port.getHost().port}"
        return NetworkClient(NetworkConfig(url=url, room="a", trust_root=trust_root, reactor=reactor))

    @inlineCallbacks
    def test_trusted(self) -> Any:
        """A certificate of an authority that we trust, for this host: we are in."""
        game = self.client(self.authority.issue_cert("127.0.0.1"), self.trusted)
        yield game.connect()
        self.assertEqual(game.status, "online")
        yield game.disconnect()

    @inlineCallbacks
    def refused(self, certificate: trustme.LeafCert, trust_root: Path | None, why: str) -> Any:
        """Ask that the client refuses a certificate, at once and for good."""
        game = self.client(certificate, trust_root)
        try:
            yield game.connect()
        except ConnectionFailed as error:
            self.assertIn(why, str(error))
        else:
            self.fail("the client is in")
        self.assertEqual(self.server.heard, [])
        self.assertEqual(game.report().totals["connection"]["failed_attempts"], 1)
        # Autobahn says it too, as an error that is no failure; flush what trial took for one
        self.flushLoggedErrors()

    def test_untrusted(self) -> Any:
        """An authority that nobody trusts is refused: by default the system's are trusted."""
        return self.refused(self.authority.issue_cert("127.0.0.1"), None, "certificate verify failed")

    def test_wrong_host(self) -> Any:
        """A certificate for another host is refused."""
        return self.refused(self.authority.issue_cert("play.example"), self.trusted, "not for this host")

    def test_expired(self) -> Any:
        """A certificate that has expired is refused."""
        certificate = self.authority.issue_cert("127.0.0.1", not_before=YESTERDAY, not_after=YESTERDAY)
        return self.refused(certificate, self.trusted, "certificate verify failed")


class TrustRootTests(TestCase):
    """The file of trusted certificates."""

    def test_several(self) -> None:
        """It may hold several, and text between them."""
        path = Path(self.mktemp())
        pems = [trustme.CA().cert_pem.bytes().decode() for _ in range(2)]
        path.write_text(f"first\n{pems[0]}second\n{pems[1]}")
        make_endpoint(parse_address("wss://play.example"), NetworkConfig(url="wss://play.example", trust_root=path), reactor)
        make_endpoint(parse_address("ws://play.example"), NetworkConfig(url="ws://play.example"), reactor)

    def test_bad(self) -> None:
        """One without certificates, or with a broken one, is refused, by its name."""
        for text in ("nothing here", "-----BEGIN CERTIFICATE-----\nrubbish\n"):
            path = Path(self.mktemp())
            path.write_text(text)
            with self.assertRaisesRegex(ConfigError, f"trust_root: .*{path.name}"):
                config = NetworkConfig(url="wss://play.example", trust_root=path)
                make_endpoint(config.addresses[0], config, reactor)
