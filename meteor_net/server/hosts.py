"""Which names the server answers to, and which pages may talk to it: the `Host` and `Origin` of a request.

The first stops a page elsewhere whose name was made to point here (DNS rebinding), the second a page elsewhere that opens a
WebSocket here with the visitor's rights. Listening on loopback alone stops neither.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+?)\.?(?::(?P<port>[0-9]{1,5}))?")
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<authority>.+)")
_USUAL_PORTS = {"http": 80, "https": 443}


class HostRules:
    """What an operator allows.

    Args:
        hosts: Names that the server answers to, beside localhost and addresses.
        origins: Origins whose pages may connect, beside the server's own.
    """

    def __init__(self, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self._hosts = frozenset(hosts)
        self._origins = frozenset(origins)

    def accepts_host(self, values: Sequence[str], local_address: str | None) -> bool:
        """Tell whether a request may be answered.

        A name is not proved by its spelling, but an address is: a browser that says it went there. So every address will do
        where the connection came in on one that others can reach, and only loopback ones elsewhere.

        Args:
            values: The `Host` headers.
            local_address: The address at which the connection came in, None if it is no IP connection.
        """
        parsed = _authority(values[0]) if len(values) == 1 else None
        if parsed is None:
            return False
        name = parsed[0]
        if name == "localhost" or name in self._hosts:
            return True
        address = _address(name)
        return address is not None and (address.is_loopback or not _is_loopback(local_address))

    def accepts_origin(self, values: Sequence[str], hosts: Sequence[str], secure: bool) -> bool:
        """Tell whether a page may open a WebSocket.

        Args:
            values: The `Origin` headers; a client that is no browser sends none.
            hosts: The `Host` headers.
            secure: Whether the request came over TLS.
        """
        if not values:
            return True
        if len(values) != 1:
            return False
        if values[0] in self._origins:
            return True
        match = _ORIGIN.fullmatch(values[0])
        if match is None or (secure and match["scheme"] != "https"):
            return False
        usual = _USUAL_PORTS[match["scheme"]]
        own, asked = _authority(match["authority"], usual), _authority(hosts[0], usual) if hosts else None
        return own is not None and own == asked


def _authority(text: str, usual_port: int | None = None) -> tuple[str, int | None] | None:
    """Split `name[:port]`; None if it is not that."""
    match = _HOST.fullmatch(text.lower())
    if match is None:
        return None
    return match["name"], int(match["port"]) if match["port"] else usual_port


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None


def _is_loopback(address: str | None) -> bool:
    found = _address(address.partition("%")[0]) if address is not None else None
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    return found is None or found.is_loopback
