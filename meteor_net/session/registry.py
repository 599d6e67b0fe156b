"""The sessions of one process: by id, by resume token, and the slots of the heartbeat."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ..interfaces import Identity
from ..limits import MAX_NAME_CHARS, Limits
from ..messages import fitting
from .session import Session

#: The heartbeat looks at one slot of the sessions at a time, so that no look is long.
SLOTS = 10
#: Tokens of one session that were given and not used, beside the one presented and the newest.
MAX_UNSETTLED = 2


class Registry:
    """Which sessions there are.

    Attributes:
        dirty: Sessions with something to flush at the end of the turn, in the order in which that came.
        away: Sessions that wait for their users, the longest first.
    """

    def __init__(self, limits: Limits, random: Random) -> None:
        self._limits = limits
        self._random = random
        self._sessions: dict[str, Session] = {}
        self._by_token: dict[str, Session] = {}
        self._slots: list[dict[Session, None]] = [{} for _ in range(SLOTS)]
        self._users: dict[str, dict[Session, None]] = {}
        self._made = 0
        # a dict, for a set would flush in the order of memory addresses: another one in each run
        self.dirty: dict[Session, None] = {}
        self.away: dict[Session, None] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def make(self, identity: Identity, now: float) -> Session:
        """A new session for a user."""
        # An authenticator is the operator's own: its texts may hold what the wire cannot carry.
        known = Identity(fitting(identity.user, MAX_NAME_CHARS), fitting(identity.name, MAX_NAME_CHARS))
        session = Session(f"{self._random.getrandbits(64):016x}", known, self._limits, self, now)
        self._sessions[session.id] = session
        self._users.setdefault(session.user, {})[session] = None
        self._slots[self._made % SLOTS][session] = None
        self._made += 1
        return session

    def of(self, user: str) -> list[Session]:
        """The sessions of a user, the oldest first."""
        return list(self._users.get(user, ()))

    def token(self, session: Session, presented: str | None = None) -> str:
        """Give the session a new resume token.

        Args:
            session: Whose.
            presented: The one with which it was just taken up. It stays good until `settle`, as the new one may be lost on its
                way, and the next one too; and so do the newest that were given since, as what is presented here may come late,
                from a connection that the peer has given up.
        """
        token = f"{self._random.getrandbits(256):064x}"
        given = [each for each in session.tokens if each != presented][-MAX_UNSETTLED:]
        self._keep_tokens(session, [token] if presented is None else [*given, presented, token])
        return token

    def is_settled(self, session: Session) -> bool:
        """Whether the connection that has the session has shown that it has the newest token."""
        return len(session.tokens) == 1

    def settle(self, session: Session) -> None:
        """The peer has shown that it has the newest token: those before are worth nothing now."""
        if not self.is_settled(session):
            self._keep_tokens(session, session.tokens[-1:])

    def _keep_tokens(self, session: Session, tokens: list[str]) -> None:
        for old in session.tokens:
            self._by_token.pop(old, None)
        session.tokens = tokens
        for token in tokens:
            self._by_token[token] = session

    def resume(self, token: str | None, identity: Identity | None = None) -> Session | None:
        """The session that a resume token belongs to, if it lives.

        Args:
            token: The resume token.
            identity: Who brings it, where that was proved: a session is found only by its own user.
        """
        session = None if token is None else self._by_token.get(token)
        if session is not None and identity is not None and session.user != fitting(identity.user, MAX_NAME_CHARS):
            return None
        return session

    def forget(self, session: Session) -> bool:
        """The session is over.

        Returns:
            Whether it was the last one of its user.
        """
        self._keep_tokens(session, [])
        for slot in self._slots:
            slot.pop(session, None)
        self.dirty.pop(session, None)
        self.away.pop(session, None)
        self._sessions.pop(session.id, None)
        sessions = self._users.get(session.user, {})
        sessions.pop(session, None)
        if sessions:
            return False
        self._users.pop(session.user, None)
        return True

    def slot(self, number: int) -> list[Session]:
        """One tenth of the sessions, for the heartbeat.

        Those with something that a full pipe would not take become dirty: so it goes when the peer reads again, even
        if nobody says anything more.
        """
        sessions = list(self._slots[number % SLOTS])
        self.dirty.update((session, None) for session in sessions if not session.outbox.empty)
        return sessions

    def flush(self, now: float) -> list[tuple[Session, Exception]]:
        """End of a turn: every session with something to say says it.

        Returns:
            The sessions that could not, and why: that is the end of their connections, and of nothing else.
        """
        failed: list[tuple[Session, Exception]] = []
        while self.dirty:
            dirty, self.dirty = self.dirty, {}
            for session in dirty:
                try:
                    session.flush(now)
                except Exception as error:
                    failed.append((session, error))
        return failed
