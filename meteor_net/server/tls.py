"""Where a server listens: endpoint strings, with TLS of our choice for `ssl:` ones.

`ssl:` strings are read here and not by Twisted, which would allow old cipher suites and knows no self-signed certificate.
TLS 1.2 and newer with the AEAD suites of Mozilla's intermediate profile. A certificate that was renewed on disk is used from
the next connection on.
"""

from __future__ import annotations

import ipaddress
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint, serverFromString
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from ..errors import ConfigError
from .transport import DirectTLS

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint

#: Connections that the kernel holds until we accept them: all players come back at once after a restart.
BACKLOG = 4096
#: Mozilla's intermediate profile for TLS 1.2, without DHE; TLS 1.3 has AEAD suites only.
TLS12_SUITES = b":".join(
    b"ECDHE-%b-%b" % (key, suite)
    for suite in (b"AES128-GCM-SHA256", b"AES256-GCM-SHA384", b"CHACHA20-POLY1305")
    for key in (b"ECDSA", b"RSA")
)
#: Groups of the key exchange, best first.
GROUPS = b"X25519:P-256:P-384"
#: A self-signed certificate lives so long (browsers take no more than 825 days), and is made anew a month before its end.
SELF_SIGNED_DAYS, RENEW_DAYS = 397, 30

_log = Logger()


class Listener(NamedTuple):
    """A place to listen at.

    Attributes:
        text: The endpoint string, as the operator gave it.
        endpoint: What listens.
        certificates: What a TLS connection is made with, if we make it.
    """

    text: str
    endpoint: IStreamServerEndpoint
    certificates: Certificates | None

    def listen(self, factory: IProtocolFactory, reactor: Any) -> Deferred[IListeningPort]:
        """Begin to listen."""
        if self.certificates is not None:
            factory = TLSMemoryBIOFactory(self.certificates, False, factory, reactor)
            factory.protocol = DirectTLS
        port: Deferred[IListeningPort] = self.endpoint.listen(factory)
        return port


def listener(text: str, reactor: Any, self_signed: Path | None = None) -> Listener:
    """Read an endpoint string.

    Args:
        text: `tcp:…`, `ssl:…`, or any other that Twisted knows.
        reactor: What it will listen with.
        self_signed: The folder of the self-signed certificate, for an `ssl:` string that names none.

    Raises:
        ConfigError: One line: the string, and what is wrong with it.
    """
    try:
        kind, _, rest = text.partition(":")
        if kind == "ssl":
            return _ssl_listener(text, rest, reactor, self_signed)
        if kind in {"tcp", "tcp6"}:
            _check_port(re.split(r"(?<!\\):", rest)[0].removeprefix("port="))
            more = "" if ":backlog=" in text else f":backlog={BACKLOG}"
            return Listener(text, serverFromString(reactor, text + more), None)
        return Listener(text, serverFromString(reactor, text), None)
    except ConfigError as error:
        raise ConfigError(f"cannot listen on {text!r}: {error}") from None
    except Exception as error:
        hint = "write it like tcp:8080:interface=127.0.0.1 or ssl:8443:privateKey=key.pem:certKey=chain.pem"
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"cannot listen on {text!r}: {reason}; {hint}") from error


def _check_port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise ConfigError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def _ssl_listener(text: str, rest: str, reactor: Any, self_signed: Path | None) -> Listener:
    parts = [re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\):", rest)]
    port = _check_port(parts[0].removeprefix("port="))
    named = dict(part.partition("=")[::2] for part in parts[1:])
    interface, backlog = named.pop("interface", ""), int(named.pop("backlog", str(BACKLOG)))
    key, certificate = named.pop("privateKey", None), named.pop("certKey", None)
    chain = named.pop("extraCertChain", None)
    if named:
        raise ConfigError(
            f"ssl: has no {next(iter(named))!r}; it knows privateKey, certKey, extraCertChain, interface, backlog"
        )
    if key is None:
        if self_signed is None:
            raise ConfigError("name privateKey=FILE and certKey=FILE, or add --self-signed")
        key, certificate = map(str, self_signed_files(self_signed))
    certificates = Certificates(key, certificate or key, chain)
    kind = TCP6ServerEndpoint if ":" in interface else TCP4ServerEndpoint
    return Listener(text, kind(reactor, port, backlog, interface), certificates)


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """A key and its certificate chain, read from PEM files, and read again once they change.

    Args:
        key: File of the private key.
        certificate: File of the certificate, its chain behind it.
        chain: File of further certificates of the chain.
    """

    def __init__(self, key: str, certificate: str, chain: str | None = None) -> None:
        self._key, self._certificate, self._chain = key, certificate, chain
        self._stamps = self._read_stamps()
        self._context = self._make_context()

    def serverConnectionForTLS(self, protocol: Any) -> SSL.Connection:
        """Make the TLS side of one connection, as Twisted asks."""
        self._reread()
        return SSL.Connection(self._context, None)

    def _reread(self) -> None:
        try:
            stamps = self._read_stamps()
            if stamps != self._stamps:
                self._stamps = stamps
                self._context = self._make_context()
                _log.info("The certificate {name} was read anew", name=self._certificate)
        except (OSError, ConfigError) as error:
            _log.warn("The certificate {name} is kept as it was: {error}", name=self._certificate, error=error)

    def _read_stamps(self) -> list[int]:
        files = [self._key, self._certificate, *([self._chain] if self._chain else [])]
        try:
            return [os.stat(name).st_mtime_ns for name in files]
        except OSError as error:
            raise ConfigError(f"{error.filename}: {error.strerror}") from None

    def _make_context(self) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_cipher_list(TLS12_SUITES)
        context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # 34 KiB less for an idle connection
        _set_groups(context)
        try:
            context.use_certificate_chain_file(self._certificate)
            if self._chain:
                for one in x509.load_pem_x509_certificates(Path(self._chain).read_bytes()):
                    context.add_extra_chain_cert(one)
            context.use_privatekey_file(self._key)
            context.check_privatekey()
        except (SSL.Error, ValueError, OSError) as error:
            raise ConfigError(f"{self._key} and {self._certificate} are not a PEM key and its certificate") from error
        return context


def _set_groups(context: SSL.Context) -> None:
    """Choose the groups of the key exchange; pyOpenSSL has no public name for it."""
    library = getattr(SSL, "_lib", None)
    choose = getattr(library, "SSL_CTX_set1_curves_list", None)
    if choose is not None and choose(context._context, GROUPS) != 1:
        raise ConfigError("this OpenSSL does not know the groups " + GROUPS.decode())


def self_signed_files(folder: Path) -> tuple[Path, Path]:
    """Find or make a certificate for this machine alone: localhost, 127.0.0.1 and ::1.

    Returns:
        The files of the key, readable by its owner only, and of the certificate.
    """
    key, certificate = folder / "self-signed.key", folder / "self-signed.crt"
    if not _usable(key, certificate):
        folder.mkdir(parents=True, exist_ok=True)
        private = ec.generate_private_key(ec.SECP256R1())
        _write(certificate, _self_signed(private).public_bytes(serialization.Encoding.PEM), 0o644)
        plain = serialization.NoEncryption()
        pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        _write(key, pem, 0o600)
    return key, certificate


def _usable(key: Path, certificate: Path) -> bool:
    """Tell whether both files are there, belong together, and will for a while."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return False
    soon = datetime.now(UTC) + timedelta(days=RENEW_DAYS)
    return found.not_valid_after_utc > soon and found.public_key() == private.public_key()


def _self_signed(private: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "meteor_net on this machine")])
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=SELF_SIGNED_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Put a file in place whole, never readable by more than `mode` says."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    new.replace(path)
