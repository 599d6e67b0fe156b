"""Who may enter: guests, or users with a JSON Web Token (RFC 7519) of the operator's."""

from __future__ import annotations

from random import Random, SystemRandom

import jwt
from zope.interface import implementer

from ..chat.text import check_name
from ..errors import ConfigError, Refused
from ..interfaces import IAuthenticator, Identity

#: RFC 7518 §3.2: a key for HS256 has at least the size of the hash.
MIN_SECRET_BYTES = 32
_ALGORITHM = "HS256"  # fixed here, never read from a token (RFC 8725 §3.1)
_AUDIENCE = "meteor_net"


@implementer(IAuthenticator)
class Guests:
    """Lets everybody in, each as somebody new.

    Args:
        random: Where ids come from.
    """

    def __init__(self, random: Random | None = None) -> None:
        self._random = random or SystemRandom()

    def authenticate(self, token: str | None, name: str | None, address: str) -> Identity:
        """A guest is who it wishes to be, with an id of its own."""
        user = f"guest-{self._random.getrandbits(48):012x}"
        return Identity(user, check_name(name) if name and name.strip() else user)


@implementer(IAuthenticator)
class Tokens:
    """Lets in who brings a token that was signed with the operator's secret; guests too, if they may.

    Args:
        secret: At least 32 bytes.
        guests: Whether those without a token are let in.
        random: Where guests' ids come from.

    Raises:
        ConfigError: If the secret is too short.
    """

    def __init__(self, secret: bytes, guests: bool = False, random: Random | None = None) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ConfigError(f"the secret has {len(secret)} bytes; at least {MIN_SECRET_BYTES} are needed")
        self._secret = secret
        self._guests = Guests(random) if guests else None

    def authenticate(self, token: str | None, name: str | None, address: str) -> Identity:
        """Check a token: signature, `exp`, `aud`; `sub` is the user, `name` the name if it has one.

        Raises:
            Refused: With the same text for every fault, so that nothing can be learnt from it.
        """
        if token is None:
            if self._guests is None:
                raise Refused("a token is needed to enter", "not-allowed")
            return self._guests.authenticate(token, name, address)
        try:
            claims = jwt.decode(
                token, self._secret, algorithms=[_ALGORITHM], audience=_AUDIENCE,
                options={"require": ["exp", "sub", "aud"]},
            )  # fmt: skip
            return Identity(check_name(claims["sub"]), check_name(str(claims.get("name") or name or claims["sub"])))
        except (jwt.PyJWTError, Refused) as error:
            raise Refused("this token is not good here", "not-allowed") from error


def make_token(secret: bytes, user: str, expires: int, name: str | None = None) -> str:
    """Make a token that `Tokens` accepts.

    Args:
        secret: The operator's secret.
        user: The user's id.
        expires: Seconds since 1970.
        name: The name that others see; the id if None.
    """
    claims: dict[str, object] = {"sub": user, "aud": _AUDIENCE, "exp": expires}
    if name is not None:
        claims["name"] = name
    return jwt.encode(claims, secret, algorithm=_ALGORITHM)
