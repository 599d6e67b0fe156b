"""Where to listen, and TLS of our choice."""

from __future__ import annotations

import contextlib
import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from meteor_net.errors import ConfigError
from meteor_net.server import tls
from meteor_net.server.tls import BACKLOG, Certificates, listener, self_signed_files
from meteor_net.server.transport import DirectTLS


class ListenerTests(SynchronousTestCase):
    """Endpoint strings."""

    def setUp(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.folder = Path(self.mktemp())
        key, certificate = self_signed_files(self.folder)
        self.files = f"privateKey={key}:certKey={certificate}"

    def listen(self, text: str, self_signed: Path | None = None) -> Any:
        """Listen; answer what the reactor was asked for."""
        self.successResultOf(listener(text, self.reactor, self_signed).listen(Factory(), self.reactor))
        return self.reactor.tcpServers[-1]

    def refused(self, text: str) -> str:
        """Read what is wrong; answer what is told."""
        told = str(self.assertRaises(ConfigError, listener, text, self.reactor))
        self.assertNotIn("\n", told)
        self.assertIn(text, told)
        return told

    def test_tcp(self) -> None:
        """Plain TCP is Twisted's, with room for all players to come back at once."""
        port, _, backlog, interface = self.listen("tcp:8080:interface=127.0.0.1")
        self.assertEqual((port, backlog, interface), (8080, BACKLOG, "127.0.0.1"))
        self.assertEqual(self.listen("tcp:port=1:backlog=7")[2], 7)
        self.assertEqual(self.listen(r"tcp6:0:interface=\:\:1")[3], "::1")

    def test_ssl(self) -> None:
        """`ssl:` is ours: TLS that sends at once."""
        port, factory, backlog, interface = self.listen(f"ssl:8443:{self.files}:interface=127.0.0.1")
        self.assertEqual((port, backlog, interface), (8443, BACKLOG, "127.0.0.1"))
        self.assertIsInstance(factory, TLSMemoryBIOFactory)
        self.assertIs(factory.protocol, DirectTLS)
        self.assertEqual(self.listen(rf"ssl:port=0:{self.files}:interface=\:\:1:backlog=3")[2:], (3, "::1"))

    def test_one_pem(self) -> None:
        """Key and certificate may be one file."""
        key, certificate = self_signed_files(self.folder)
        both = self.folder / "both.pem"
        both.write_bytes(key.read_bytes() + certificate.read_bytes())
        self.assertIsInstance(self.listen(f"ssl:1:privateKey={both}")[1], TLSMemoryBIOFactory)

    def test_self_signed(self) -> None:
        """An `ssl:` that names no key takes this machine's own, if that is asked for."""
        self.assertIsInstance(self.listen("ssl:8443", self.folder / "own")[1], TLSMemoryBIOFactory)
        self.assertTrue((self.folder / "own" / "self-signed.crt").exists())
        self.assertIn("add --self-signed", self.refused("ssl:8443"))

    def test_others(self) -> None:
        """Any other endpoint is Twisted's."""
        self.successResultOf(listener("unix:/tmp/x", self.reactor).listen(Factory(), self.reactor))
        self.assertEqual(self.reactor.unixServers[0][0], "/tmp/x")

    def test_mistakes(self) -> None:
        """Each mistake is one line with the string and what is wrong in it."""
        self.assertIn("Unknown endpoint type", self.refused("8080x:1"))
        self.assertIn("write it like tcp:8080", self.refused("8080"))
        for text in ("tcp:", "tcp:http", "tcp:99999", "tcp:-1", "ssl:", "ssl:x"):
            self.assertIn("is not a port", self.refused(text))
        self.assertIn("write it like", self.refused("tcp:1:colour=red"))
        self.assertIn("ssl: has no 'sslmethod'", self.refused(f"ssl:1:{self.files}:sslmethod=SSLv3_METHOD"))
        self.assertIn("No such file", self.refused("ssl:1:privateKey=missing.pem"))
        self.assertIn("write it like", self.refused(f"ssl:1:{self.files}:backlog=x"))
        text = f"ssl:1:privateKey={__file__}"
        self.assertIn("are not a PEM key and its certificate", self.refused(text))


class SelfSignedTests(SynchronousTestCase):
    """This machine's own certificate."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()) / "data"
        self.key, self.certificate = self_signed_files(self.folder)

    def read(self) -> x509.Certificate:
        """Read the certificate."""
        return x509.load_pem_x509_certificate(self.certificate.read_bytes())

    def test_for_this_machine_alone(self) -> None:
        """It speaks for localhost and the loopback addresses, and signs no other."""
        extensions = self.read().extensions
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual([str(name.value) for name in names], ["localhost", "127.0.0.1", "::1"])
        self.assertFalse(extensions.get_extension_for_class(x509.BasicConstraints).value.ca)

    def test_the_key_is_the_owners(self) -> None:
        """Nobody else may read the key."""
        self.assertEqual(stat.S_IMODE(os.stat(self.key).st_mode), 0o600)

    def test_reused(self) -> None:
        """A second start uses it again: a browser that was told to trust it still does."""
        before = self.certificate.read_bytes()
        self_signed_files(self.folder)
        self.assertEqual(self.certificate.read_bytes(), before)

    def test_made_anew(self) -> None:
        """It is made anew when it ends soon, when the key is another's, and when a file is broken."""

        def broken() -> None:
            self.key.write_text("no key")

        def foreign() -> None:
            other, _ = self_signed_files(self.folder / "other")
            self.key.write_bytes(other.read_bytes())

        def old() -> None:
            self.patch(tls, "SELF_SIGNED_DAYS", tls.RENEW_DAYS - 1)
            self.key.unlink()
            self_signed_files(self.folder)
            self.patch(tls, "SELF_SIGNED_DAYS", 397)

        for spoil in (broken, foreign, old):
            before = self.read()
            spoil()
            self_signed_files(self.folder)
            self.assertNotEqual(self.read(), before)
            self.assertGreater(self.read().not_valid_after_utc - before.not_valid_before_utc, timedelta(days=300))


class CertificatesTests(SynchronousTestCase):
    """What TLS we speak."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.key, self.certificate = self_signed_files(self.folder)
        self.certificates = Certificates(str(self.key), str(self.certificate))

    def shake_hands(self, context: SSL.Context) -> tuple[SSL.Connection, SSL.Connection]:
        """Connect a client with this context: (client, server)."""
        server = self.certificates.serverConnectionForTLS(None)
        client = SSL.Connection(context, None)
        client.set_connect_state()
        server.set_accept_state()
        for _ in range(4):
            for one, other in ((client, server), (server, client)):
                with contextlib.suppress(SSL.WantReadError):
                    one.do_handshake()
                with contextlib.suppress(SSL.WantReadError):
                    other.bio_write(one.bio_read(100_000))
        return client, server

    def client(self) -> SSL.Context:
        """Make a client's context."""
        return SSL.Context(SSL.TLS_CLIENT_METHOD)

    def test_interface(self) -> None:
        """It is what Twisted wants."""
        verifyObject(IOpenSSLServerConnectionCreator, self.certificates)

    def test_modern(self) -> None:
        """A modern client gets TLS 1.3."""
        client, _ = self.shake_hands(self.client())
        self.assertEqual(client.get_protocol_version_name(), "TLSv1.3")

    def test_intermediate(self) -> None:
        """A client of TLS 1.2 gets an AEAD suite with forward secrecy."""
        context = self.client()
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        client, _ = self.shake_hands(context)
        self.assertRegex(client.get_cipher_name() or "", "^ECDHE-ECDSA-.*(GCM|POLY1305)")

    def test_old(self) -> None:
        """Older versions, and suites without AEAD, are refused."""
        old, weak = self.client(), self.client()
        old.set_cipher_list(b"ALL:@SECLEVEL=0")
        old.set_max_proto_version(SSL.TLS1_1_VERSION)
        weak.set_max_proto_version(SSL.TLS1_2_VERSION)
        weak.set_cipher_list(b"ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA")
        for context in (old, weak):
            self.assertRaises(SSL.Error, self.shake_hands, context)

    def test_groups(self) -> None:
        """The key exchange is X25519, P-256 or P-384; a pin of the name that pyOpenSSL has no public one for."""
        choose = getattr(SSL, "_lib").SSL_CTX_set1_curves_list  # noqa: B009
        for group, fine in ((b"X25519", True), (b"P-256", True), (b"P-384", True), (b"P-521", False), (b"X448", False)):
            context = self.client()
            self.assertEqual(choose(context._context, group), 1)
            if fine:
                self.assertEqual(self.shake_hands(context)[0].get_protocol_version_name(), "TLSv1.3")
            else:
                self.assertRaises(SSL.Error, self.shake_hands, context)

    def test_unknown_groups(self) -> None:
        """An OpenSSL that lacks them is told, not silently left with others."""
        self.patch(tls, "GROUPS", b"no-such-group")
        self.assertRaises(ConfigError, Certificates, str(self.key), str(self.certificate))

    def subject_of(self) -> bytes:
        """Tell which certificate a client gets."""
        found = self.shake_hands(self.client())[0].get_peer_certificate(as_cryptography=True)
        assert found is not None
        return found.public_bytes(Encoding.PEM)

    def test_renewed(self) -> None:
        """A certificate renewed on disk is used from the next connection on."""
        before = self.subject_of()
        self.key.unlink()
        self_signed_files(self.folder)
        after = self.subject_of()
        self.assertNotEqual(before, after)
        self.assertEqual(after, self.certificate.read_bytes())

    def test_half_renewed(self) -> None:
        """While files are missing or do not belong together, the old ones serve."""
        before = self.subject_of()
        self.certificate.rename(self.folder / "away")
        self.assertEqual(self.subject_of(), before)
        self.certificate.write_text("broken")
        self.assertEqual(self.subject_of(), before)

    def test_chain(self) -> None:
        """Further certificates of a chain go along, from a file of their own."""
        certificates = Certificates(str(self.key), str(self.certificate), str(self.certificate))
        self.certificates = certificates
        chain = self.shake_hands(self.client())[0].get_peer_cert_chain(as_cryptography=True)
        self.assertEqual(len(chain or []), 2)
