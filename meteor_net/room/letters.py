"""Private messages: to whom, and into which inboxes (wire page, clause 10.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..chat.channel import Kept
from ..errors import Refused, StorageError
from ..interfaces import Identity, StoredLine
from ..requests import Failed, Find
from .asking import Asking
from .player import Player
from .surroundings import Surroundings

if TYPE_CHECKING:
    from .room import Room


def why(error: BaseException) -> Refused:
    """What a player is told of a line that is not kept: the storage's own words, or that nobody knows."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, StorageError):
        return Refused(error.text, "unknown" if error.unknown else "failed")
    return Refused("nobody knows whether the line is kept; say it again", "unknown")


class Letters:
    """Sends the private messages of one room's players."""

    def __init__(self, room: Room, asking: Asking, around: Surroundings) -> None:
        self._room = room
        self._asking = asking
        self._around = around

    def send(
        self, sender: Player, to: str, line: StoredLine, kept: Kept, failed: Failed, now: float, *, by_name: bool
    ) -> None:  # fmt: skip
        """Keep a line in the inbox of a user, then in the sender's own.

        Args:
            sender: Who says it.
            to: The user's id; or also the name, of somebody in the room first.
            line: The line.
            kept: Told the offset in the sender's inbox.
            failed: Told why not: Refused, if there is no such user, or several in the room have the name.
            now: The time in seconds.
            by_name: Whether `to` may be a name.
        """

        def found(identity: Identity | None, now: float) -> None:
            if identity is None or (identity.user != to and not by_name):
                failed(Refused(f"there is nobody called {to}", "no-such-user"), now)
            else:
                self._keep(sender.user, line._replace(to=identity.user), kept, failed, now)

        here = self._here(to, by_name)
        if len(here) > 1:  # anybody may take a name: what is for one is told to no other
            failed(Refused(f"there are {len(here)} called {to} here; say the id of one", "no-such-user"), now)
        elif here:
            found(here[0], now)
        else:
            self._asking.wait_for(sender, lambda then, failed: Find(then, failed, to), found, failed)

    def _here(self, to: str, by_name: bool) -> list[Identity]:
        """Who in the room has an id, or else a name."""
        people = {player.user: Identity(player.user, player.name) for player in self._room.players}
        if to in people:
            return [people[to]]
        return [one for one in people.values() if by_name and one.name.casefold() == to.casefold()]

    def _keep(self, sender: str, line: StoredLine, kept: Kept, failed: Failed, now: float) -> None:
        def theirs_kept(offset: int, now: float) -> None:
            if line.to == sender:
                kept(offset, now)
            else:
                self._around.inbox(sender, passing=True).say(line, kept, own_failed, now)

        def own_failed(error: BaseException, now: float) -> None:
            # The other one has it: whatever became of the copy, saying it again is what is safe.
            failed(StorageError(why(error).text, unknown=True), now)

        self._around.inbox(line.to, passing=True).say(line, theirs_kept, failed, now)
