"""Which sessions there are, and the tokens that find them again."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from meteor_net.codec import encode_packet
from meteor_net.interfaces import Identity
from meteor_net.limits import MAX_NAME_CHARS, Limits
from meteor_net.messages import Line
from meteor_net.session.registry import SLOTS, Registry


class RegistryTests(SynchronousTestCase):
    """The sessions of one process."""

    def setUp(self) -> None:
        self.registry = Registry(Limits(), Random(1))

    def test_make(self) -> None:
        """Every session has an id of its own, and is found among the others until it is forgotten."""
        ann = self.registry.make(Identity("u1", "ann"), 1.0)
        bob = self.registry.make(Identity("u2", "bob"), 1.0)
        self.assertEqual((len(self.registry), list(self.registry)), (2, [ann, bob]))
        self.assertNotEqual(ann.id, bob.id)
        self.assertTrue(self.registry.forget(ann))
        self.assertEqual(list(self.registry), [bob])

    def test_names(self) -> None:
        """Whatever an authenticator answers, the wire can carry it."""
        session = self.registry.make(Identity("u" * 99, "a\ud800" * 99), 1.0)
        self.assertEqual((len(session.user), len(session.name)), (MAX_NAME_CHARS, MAX_NAME_CHARS))
        self.assertTrue(encode_packet([Line(0, 0, 0, 0, 0, session.user, session.name, "")]))

    def test_users(self) -> None:
        """A user with two sessions is gone when both are; forgetting twice does no harm."""
        first = self.registry.make(Identity("u1", "ann"), 1.0)
        second = self.registry.make(Identity("u1", "ann"), 1.0)
        self.assertFalse(self.registry.forget(first))
        self.assertFalse(self.registry.forget(first))
        self.assertEqual(self.registry.of("u1"), [second])
        self.assertTrue(self.registry.forget(second))
        self.assertTrue(self.registry.forget(second))
        self.assertEqual(self.registry.of("u1"), [])

    def test_same_seed(self) -> None:
        """With one seed, ids and tokens repeat themselves; with another, they do not."""

        def drawn(seed: int) -> tuple[str, str]:
            registry = Registry(Limits(), Random(seed))
            session = registry.make(Identity("u1", "ann"), 1.0)
            return session.id, registry.token(session)

        self.assertEqual(drawn(1), drawn(1))
        self.assertNotEqual(drawn(1), drawn(2))


class TokenTests(SynchronousTestCase):
    """Resuming."""

    def setUp(self) -> None:
        self.registry = Registry(Limits(), Random(1))
        self.session = self.registry.make(Identity("u1", "ann"), 1.0)

    def test_resume(self) -> None:
        """A token finds its session; none, or another, finds nothing."""
        token = self.registry.token(self.session)
        self.assertIs(self.registry.resume(token), self.session)
        self.assertIsNone(self.registry.resume(None))
        self.assertIsNone(self.registry.resume("x"))

    def test_lost_welcome(self) -> None:
        """A WELCOME may be lost with its token, and the next one too: what was presented stays good until the new one came."""
        first = self.registry.token(self.session)
        second = self.registry.token(self.session, first)
        third = self.registry.token(self.session, first)
        self.assertIs(self.registry.resume(first), self.session)
        self.assertIs(self.registry.resume(second), self.session)
        self.assertIs(self.registry.resume(third), self.session)
        self.assertFalse(self.registry.is_settled(self.session))
        self.registry.settle(self.session)
        self.assertTrue(self.registry.is_settled(self.session))
        self.assertEqual([self.registry.resume(old) for old in (first, second)], [None, None])
        self.assertIs(self.registry.resume(third), self.session)
        self.registry.settle(self.session)
        self.assertEqual(self.session.tokens, [third])
        fourth = self.registry.token(self.session, third)
        self.assertEqual(self.session.tokens, [third, fourth])

    def test_bounded(self) -> None:
        """However often one is presented, few are good."""
        first = self.registry.token(self.session)
        given = [self.registry.token(self.session, first) for _ in range(9)]
        self.assertEqual(self.session.tokens, [given[6], given[7], first, given[8]])
        self.assertIsNone(self.registry.resume(given[5]))

    def test_own_user(self) -> None:
        """Where it was proved who brings a token, it finds only a session of the same user."""
        token = self.registry.token(self.session)
        self.assertIs(self.registry.resume(token, Identity("u1", "another name")), self.session)
        self.assertIsNone(self.registry.resume(token, Identity("u2", "ann")))
        long = self.registry.make(Identity("u" * 99, "ann"), 1.0)
        self.assertIs(self.registry.resume(self.registry.token(long), Identity("u" * 99, "ann")), long)

    def test_forgotten(self) -> None:
        """The tokens of a session that is over are worth nothing."""
        first = self.registry.token(self.session)
        tokens = [first, self.registry.token(self.session, first)]
        self.registry.forget(self.session)
        self.assertEqual([self.registry.resume(token) for token in tokens], [None, None])


class SlotTests(SynchronousTestCase):
    """The heartbeat's tenths."""

    def test_slots(self) -> None:
        """Every session is in one slot, and the slots are of one size, so that no look takes long."""
        registry = Registry(Limits(), Random(1))
        sessions = [registry.make(Identity(f"u{number}", ""), 1.0) for number in range(25)]
        slots = [registry.slot(number) for number in range(SLOTS)]
        self.assertEqual(sorted(map(len, slots)), [2] * 5 + [3] * 5)
        self.assertEqual({session for slot in slots for session in slot}, set(sessions))
        self.assertEqual(registry.slot(SLOTS), slots[0])
        registry.forget(sessions[0])
        self.assertEqual(registry.slot(0), slots[0][1:])
