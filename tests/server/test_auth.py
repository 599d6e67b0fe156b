"""Tests of who may enter."""

from __future__ import annotations

import time
from random import Random
from typing import Any

import jwt
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from meteor_net import ConfigError, ConnectionFailed, Refused
from meteor_net.errors import CloseCode
from meteor_net.interfaces import IAuthenticator
from meteor_net.server.auth import Guests, Tokens, make_token
from meteor_net.testing import GameTestCase
from tests.server.harbour import Harbour

SECRET = b"a secret of thirty-two bytes....."
LATER = int(time.time()) + 3600


class GuestTests(SynchronousTestCase):
    """Anybody."""

    def test_guests(self) -> None:
        """Each is somebody new, under the name it wishes, or under its id."""
        guests = Guests(Random(1))
        verifyObject(IAuthenticator, guests)
        ann, nobody = guests.authenticate(None, " Ann ", "::1"), guests.authenticate(None, " ", "::1")
        self.assertEqual((ann.name, nobody.name), ("Ann", nobody.user))
        self.assertNotEqual(ann.user, nobody.user)

    def test_bad_names(self) -> None:
        """A name with control characters, or one that is too long, is refused and says why."""
        for name in ("a\nb", "x" * 65):
            self.assertRaises(Refused, Guests().authenticate, None, name, "::1")


class TokenTests(SynchronousTestCase):
    """Users whom the operator vouches for."""

    def enter(self, token: str | None, name: str | None = None, guests: bool = False) -> Any:
        """Come with a token."""
        return Tokens(SECRET, guests).authenticate(token, name, "::1")

    def claims(self, key: Any = SECRET, algorithm: str | None = "HS256", **changes: Any) -> str:
        """A token, with some of its claims changed; None leaves one out."""
        claims = {"sub": "ann", "aud": "meteor_net", "exp": LATER, **changes}
        return jwt.encode({name: claim for name, claim in claims.items() if claim is not None}, key, algorithm=algorithm)

    def test_good(self) -> None:
        """The token says who it is; the name is the token's, else the wished one, else the id."""
        verifyObject(IAuthenticator, Tokens(SECRET))
        self.assertEqual(self.enter(make_token(SECRET, "u1", LATER, "Ann"), "Bob"), ("u1", "Ann"))
        self.assertEqual(self.enter(make_token(SECRET, "u1", LATER), "Bob"), ("u1", "Bob"))
        self.assertEqual(self.enter(make_token(SECRET, "u1", LATER)), ("u1", "u1"))

    def test_bad(self) -> None:
        """Expired, for others, unsigned, signed otherwise, incomplete, or no token: all get one answer."""
        other = b"another secret, of as many bytes!"
        bad = [
            self.claims(exp=1),
            self.claims(exp=None),
            self.claims(aud="elsewhere"),
            self.claims(aud=None),
            self.claims(sub=None),
            self.claims(sub="a\nb"),
            self.claims(nbf=LATER),
            self.claims(other),
            self.claims(None, None),
            self.claims(SECRET * 2, "HS512"),
            self.claims()[:-2],
            "",
            "x.y.z",
        ]
        for token in bad:
            error = self.assertRaises(Refused, self.enter, token, "Ann", guests=True)
            self.assertEqual((error.text, error.reason), ("this token is not good here", "not-allowed"), token)

    def test_none(self) -> None:
        """Without a token one is a guest, where guests are let in."""
        self.assertEqual(self.enter(None, "Ann", guests=True).name, "Ann")
        error = self.assertRaises(Refused, self.enter, None, "Ann")
        self.assertEqual(error.text, "a token is needed to enter")

    def test_short_secret(self) -> None:
        """A secret that could be guessed is refused at start."""
        self.assertRaises(ConfigError, Tokens, b"x" * 31)


class DoorTests(GameTestCase):
    """Clients at a server that wants tokens."""

    game = Harbour
    authenticator = Tokens(SECRET)

    def test_let_in(self) -> None:
        """A client with a token is the user whom the token names."""
        ann = self.player("ann", token=make_token(SECRET, "u1", LATER))
        self.assertEqual(ann.game.user, "u1")

    def test_sent_away(self) -> None:
        """One without, or with a bad one, is told so, and stays away: it tries once."""
        for token, text in ((None, "a token is needed"), ("x.y.z", "this token is not good")):
            error = self.assertRaises(ConnectionFailed, self.player, "bob", token=token)
            self.assertEqual(error.code, CloseCode.NOT_ALLOWED)
            self.assertIn(text, str(error))
