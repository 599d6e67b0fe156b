"""What every storage promises: one suite, which the tests of each are made of."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.threads import blockingCallFromThread, deferToThread
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from meteor_net.errors import Refused, StorageError
from meteor_net.interfaces import Identity, IStorage, StoredLine
from meteor_net.messages import MAX_REACTIONS

from .model import DELETE, EDIT, EMOJI, NOTICE, PRIVATE, REACTION, TEXT, UNREACTION, Model, line

if TYPE_CHECKING:
    Base = TestCase
else:
    Base = object
_T = TypeVar("_T")

#: Tests of a storage on a disk may take longer than trial's two minutes only when something hangs.
EXAMPLES = 40


class StorageTests(Base):
    """Mix this into a TestCase, and say how a storage is made."""

    storage: Any

    async def begin(self) -> Any:
        """Make the storage that is tested, ready for use; it is closed at the end."""
        raise NotImplementedError

    def setUp(self) -> Any:
        async def begin() -> None:
            self.storage = await self.begin()

        return Deferred.fromCoroutine(begin())

    def tearDown(self) -> Any:
        return self.close(self.storage)

    def close(self, storage: Any) -> Deferred[None]:
        """Close a storage."""
        return ensureDeferred(_await(storage.close()))

    async def say(self, text: str = "hi", sender: str = "ann", kind: int = TEXT, channel: str = "a", **more: Any) -> Any:
        """Keep a line."""
        moderator = more.pop("moderator", False)
        return await self.storage.append(channel, line(text, sender, kind, **more), moderator)

    async def refused(self, *args: Any, **more: Any) -> str:
        """Try to keep a line; answer why that is refused."""
        place = await self.storage.open("a")
        try:
            await self.say(*args, **more)
        except Refused as error:
            self.assertTrue(error.text)
            self.assertEqual(await self.storage.open("a"), place, "what is refused takes no offset")
            return error.reason
        raise AssertionError("this was not refused")

    async def texts(self, after: int = -1, limit: int = 100, channel: str = "a") -> list[str]:
        """The texts of the lines after an offset."""
        return [line.text for line in await self.storage.lines(channel, after, limit)]

    async def at(self, offset: int, reader: str = "", channel: str = "a") -> StoredLine:
        """One line as it stands now, by both ways of reading."""
        (found,) = await self.storage.lines(channel, offset - 1, 1, reader)
        for other in await self.storage.page(channel, offset + 1, 1, reader):
            if other.offset == offset:
                self.assertEqual(other, found)
        self.assertEqual(found.offset, offset)
        return found  # type: ignore[no-any-return]

    # --- lines ---

    def test_interface(self) -> None:
        """It is a storage as any other."""
        verifyObject(IStorage, self.storage)

    async def test_as_said(self) -> None:
        """A line comes back as it was said, whatever it holds."""
        data = {"card": [1, -2, 2.5, None, True, b"\x00\xff", "ä"], "place": {"x": 2**53 - 1}}
        said = [
            line("ä\n\u2028😀", cid="1", mentions=("bob", "cid"), time=2**41, tick=2**40),
            line("", kind=64, data=data, cid="2"),
            line("x" * 8_192, "", NOTICE, name=""),
            line("psst", kind=PRIVATE, to="bob", cid="3"),
            line("👍", kind=EMOJI, cid="4"),
            line("yes", "bob", about=0, cid="1"),
        ]
        for offset, one in enumerate(said):
            self.assertEqual(await self.storage.append("a", one), one._replace(offset=offset))
        kept = [one._replace(offset=offset) for offset, one in enumerate(said)]
        self.assertEqual(await self.storage.lines("a", -1, 9), kept)
        self.assertEqual(await self.storage.page("a", None, 9), kept)
        self.assertIs(type(kept[0].mentions), tuple)

    async def test_offsets(self) -> None:
        """Each channel counts its own lines from 0, and knows what comes next."""
        self.assertEqual([(await self.say(text)).offset for text in "xyz"], [0, 1, 2])
        self.assertEqual((await self.say(channel="b")).offset, 0)
        self.assertEqual((await self.storage.open("a")).next, 3)
        self.assertEqual([line.offset for line in await self.storage.lines("a", -1, 9)], [0, 1, 2])

    async def test_place(self) -> None:
        """A channel's epoch is told before its first line, and stays; its 48 bits are not all the same for all time."""
        before = await self.storage.open("a")
        self.assertEqual(before.next, 0)
        self.assertTrue(0 < before.epoch < 2**48)
        await self.say()
        self.assertEqual(await self.storage.open("a"), (before.epoch, 1))

    async def test_together(self) -> None:
        """Lines that are given at once are kept in that order, without holes, whichever channel they are for."""
        kept = [self.storage.append("ab"[number % 2], line(str(number), cid=str(number))) for number in range(50)]
        started = [ensureDeferred(_await(one)) for one in kept]
        offsets = [(await one).offset for one in started]
        self.assertEqual(offsets, [number // 2 for number in range(50)])
        self.assertEqual(await self.texts(), [str(number) for number in range(0, 50, 2)])

    async def test_said_again(self) -> None:
        """A line with an id that its sender used is kept once; another sender's, or one without id, is another line."""
        first = await self.say("one", cid="1")
        self.assertEqual(await self.say("two", cid="1"), first)
        self.assertEqual((await self.say(cid="1", sender="bob")).offset, 1)
        self.assertEqual([(await self.say()).offset, (await self.say()).offset], [2, 3])
        self.assertEqual((await self.say(cid="1", channel="b")).offset, 0)
        self.assertEqual((await self.storage.open("a")).next, 4)
        self.assertEqual((await self.at(0)).text, "one")

    async def test_said_again_at_once(self) -> None:
        """The same when the second comes before the first is kept."""
        both = [ensureDeferred(_await(self.storage.append("a", line("one", cid="1")))) for _ in range(2)]
        self.assertEqual([(await one).offset for one in both], [0, 0])
        self.assertEqual((await self.storage.open("a")).next, 1)

    async def test_reading(self) -> None:
        """Lines after a place, the oldest first; or the newest; within a limit, which may be 0."""
        for text in "abcde":
            await self.say(text)
        self.assertEqual(await self.texts(), list("abcde"))
        self.assertEqual(await self.texts(after=1, limit=2), ["c", "d"])
        self.assertEqual([await self.texts(limit=0), await self.texts(after=4), await self.texts(after=99)], [[], [], []])
        for limit, newest in ((0, ""), (1, "e"), (2, "de"), (9, "abcde")):
            self.assertEqual("".join(line.text for line in await self.storage.page("a", None, limit)), newest)
        for before, older in ((5, "de"), (4, "cd"), (1, "a"), (0, ""), (99, "de")):
            self.assertEqual("".join(line.text for line in await self.storage.page("a", before, 2)), older)
        self.assertEqual([await self.storage.page("other", None, 5), await self.texts(channel="other")], [[], []])

    # --- lines about lines ---

    async def test_reactions(self) -> None:
        """One of each for a user, counted for each emoji in the order of first use, and each reader sees which are its own."""
        await self.say()
        for sender, emoji, count in (("ann", "👍", 1), ("bob", "🎉", 1), ("bob", "👍", 2)):
            kept = await self.say(emoji, sender, REACTION, about=0)
            self.assertEqual(kept.reactions, ((emoji, count, False),))
        self.assertEqual(await self.refused("👍", "bob", REACTION, about=0), "already")
        for reader, mine in (("ann", (True, False)), ("bob", (True, True)), ("", (False, False))):
            self.assertEqual((await self.at(0, reader)).reactions, (("👍", 2, mine[0]), ("🎉", 1, mine[1])))
        self.assertEqual(await self.refused("🎉", "ann", UNREACTION, about=0), "already")
        self.assertEqual((await self.say("👍", "ann", UNREACTION, about=0)).reactions, (("👍", 1, False),))
        self.assertEqual((await self.at(0)).reactions, (("👍", 1, False), ("🎉", 1, False)))
        self.assertEqual((await self.say("👍", "bob", UNREACTION, about=0)).reactions, (("👍", 0, False),))
        self.assertEqual((await self.at(0)).reactions, (("🎉", 1, False),))
        await self.say("👍", "ann", REACTION, about=0)
        self.assertEqual((await self.at(0)).reactions, (("🎉", 1, False), ("👍", 1, False)))
        self.assertEqual((await self.at(1)).reactions, (("👍", 1, False),), "a change says how its line stands now")

    async def test_many_reactions(self) -> None:
        """Different emojis of one line are bounded; users of one that is there are not."""
        await self.say()
        for number in range(MAX_REACTIONS):
            await self.say(chr(0x1F600 + number), kind=REACTION, about=0)
        self.assertEqual(await self.refused("👍", "bob", REACTION, about=0), "too-many")
        await self.say(chr(0x1F600), "bob", REACTION, about=0)
        await self.say(chr(0x1F601), kind=UNREACTION, about=0)
        await self.say("👍", "bob", REACTION, about=0)

    async def test_reaction_again(self) -> None:
        """A reaction that is said again under its id is no second one."""
        await self.say()
        first = await self.say("👍", kind=REACTION, about=0, cid="1")
        self.assertEqual(await self.say("👍", kind=REACTION, about=0, cid="1"), first)
        self.assertEqual((await self.at(0, "ann")).reactions, (("👍", 1, True),))

    async def test_edit(self) -> None:
        """An edit by its author changes the line; older texts are gone, in earlier edits too."""
        await self.say("one", mentions=("bob",))
        self.assertEqual((await self.say("two", kind=EDIT, about=0, mentions=("cid",))).text, "two")
        self.assertEqual((await self.at(0))[6:13], ("two", "", -1, "", ("cid",), None, 1))
        await self.say("three", kind=EDIT, about=0)
        self.assertEqual(await self.texts(), ["three", "", "three"])
        self.assertEqual((await self.at(1)).mentions, ())
        self.assertEqual([line.text for line in await self.storage.page("a", None, 9)], ["three"])

    async def test_edit_of_words_alone(self) -> None:
        """An emoji, a notice and a line of a game's own kind are not edited, by their author or a moderator."""
        for kind in (EMOJI, NOTICE, 64, 65_535):
            line = await self.say("6", kind=kind)
            self.assertEqual(await self.refused("1", kind=EDIT, about=line.offset), "refused")
            self.assertEqual(await self.refused("1", kind=EDIT, about=line.offset, moderator=True), "refused")
            self.assertEqual((await self.at(line.offset)).text, "6")

    async def test_delete(self) -> None:
        """A deleted line is empty, its edits and reactions too; its offset stays."""
        await self.say("one", data={"a": 1}, mentions=("bob",))
        await self.say("two", kind=EDIT, about=0, mentions=("bob",))
        await self.say("👍", "bob", REACTION, about=0)
        await self.say("", kind=DELETE, about=0)
        self.assertEqual((await self.at(0))[6:], ("", "", -1, "", (), None, 2, ()))
        self.assertEqual((await self.at(1))[6:], ("", "", 0, "", (), None, 0, ()))
        self.assertEqual((await self.at(2)).reactions, (("👍", 0, False),))
        self.assertEqual([line.offset for line in await self.storage.page("a", None, 9)], [0])

    async def test_not_there(self) -> None:
        """What a line is about must be a line that is there, and no change itself."""
        self.assertEqual(await self.refused("x", kind=EDIT, about=0), "not-there")
        await self.say("one")
        await self.say("two", kind=EDIT, about=0)
        for about in (-1, -2, 1, 2, 2**53 - 1):
            for kind in (REACTION, UNREACTION, EDIT, DELETE):
                self.assertEqual(await self.refused("x", kind=kind, about=about), "not-there")
        self.assertEqual(await self.refused("yes", about=1), "not-there")
        self.assertEqual(await self.refused("yes", about=7), "not-there")
        await self.say(kind=DELETE, about=0)
        for kind in (TEXT, REACTION, UNREACTION, EDIT, DELETE):
            self.assertEqual(await self.refused("x", kind=kind, about=0), "not-there")

    async def test_not_yours(self) -> None:
        """Others may neither edit nor delete a line, but for moderators."""
        await self.say("one")
        for kind in (EDIT, DELETE):
            self.assertEqual(await self.refused("x", "bob", kind, about=0), "not-yours")
        await self.say("two", "bob", EDIT, about=0, moderator=True)
        await self.say("", "bob", DELETE, about=0, moderator=True)
        self.assertEqual((await self.at(0)).state, 2)

    async def test_refused_among_others(self) -> None:
        """Of lines that are given at once, those that are refused hurt no other."""
        said = [line("a"), line("b", kind=EDIT, about=9), line("c"), line("d", "bob", DELETE, about=0), line("e")]
        started = [ensureDeferred(_await(self.storage.append("a", one))) for one in said]
        kept: list[Any] = []
        for one in started:
            try:
                kept.append((await one).offset)
            except Refused as error:
                kept.append(error.reason)
        self.assertEqual(kept, [0, "not-there", 1, "not-yours", 2])
        self.assertEqual(await self.texts(), ["a", "c", "e"])

    # --- users and data ---

    async def test_users(self) -> None:
        """A user is found by id, or by the newest name; of two with one name, who was seen last."""
        self.assertIsNone(await self.storage.find("ann"))
        await self.storage.seen(Identity("1", "ann"), 1_000)
        await self.storage.seen(Identity("2", "ann"), 2_000)
        self.assertEqual(await self.storage.find("ann"), Identity("2", "ann"))
        await self.storage.seen(Identity("1", "ann"), 3_000)
        self.assertEqual(await self.storage.find("ann"), Identity("1", "ann"))
        await self.storage.seen(Identity("1", "eve"), 4_000)
        self.assertEqual(await self.storage.find("ann"), Identity("2", "ann"))
        self.assertEqual(await self.storage.find("1"), Identity("1", "eve"))
        await self.storage.seen(Identity("3", "1"), 5_000)
        self.assertEqual(await self.storage.find("1"), Identity("1", "eve"), "an id comes before a name")
        await self.storage.seen(Identity("1", "old"), 3_500)
        self.assertEqual(await self.storage.find("1"), Identity("1", "eve"), "what is older changes nothing")

    async def test_kept(self) -> None:
        """Bytes are kept under a name until others are, or None."""
        self.assertIsNone(await self.storage.kept("sea"))
        for data in (b"\x00\xff" * 50_000, b"", b"new"):
            await self.storage.keep("sea", data)
            self.assertEqual(await self.storage.kept("sea"), data)
        await self.storage.keep("other", b"1")
        await self.storage.keep("sea", None)
        await self.storage.keep("never", None)
        self.assertEqual([await self.storage.kept("sea"), await self.storage.kept("other")], [None, b"1"])

    # --- everything at once ---

    def test_model(self) -> Any:
        """Random histories are as the plainest storage would have them, however they are read."""
        return deferToThread(self._histories)

    def _histories(self) -> None:
        channels = iter(range(10_000))

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(histories())
        def check(history: list[tuple[Any, ...]]) -> None:
            model, channel = Model(), f"h{next(channels)}"
            for step in history:
                self.assertEqual(self._answer(self.storage, channel, step), _model_answer(model, step))

        check()

    def _answer(self, storage: Any, channel: str, step: tuple[Any, ...]) -> Any:
        verb, *args = step
        try:
            return blockingCallFromThread(
                reactor,  # type: ignore[arg-type]
                lambda: ensureDeferred(_await(getattr(storage, verb)(channel, *args))),
            )
        except Refused as error:
            return error.reason


def _model_answer(model: Model, step: tuple[Any, ...]) -> Any:
    verb, *args = step
    try:
        return getattr(model, verb)(*args)
    except Refused as error:
        return error.reason


async def storage_error(awaitable: Awaitable[Any]) -> StorageError:
    """The error of storage that something ends with."""
    try:
        answer = await awaitable
    except StorageError as error:
        return error
    raise AssertionError(f"no error, but {answer!r}")


async def _await(awaitable: Awaitable[_T]) -> _T:
    return await awaitable


USERS = st.sampled_from(["ann", "bob"])
OFFSETS = st.integers(-1, 12)


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Steps of one channel: (verb, arguments). Most are about the three lines at its beginning."""
    cids = st.sampled_from(["", "", "", "1", "2"])
    about = st.sampled_from([0, 0, 0, 1, 1, 2]) | OFFSETS
    kinds = {
        TEXT: st.text("abc", max_size=3), 64: st.just(""), REACTION: st.sampled_from("👍🎉"),
        UNREACTION: st.sampled_from("👍🎉"), EDIT: st.sampled_from("xyz"), DELETE: st.just(""),
    }  # fmt: skip
    steps: list[tuple[Any, ...]] = [("append", line(text, "ann"), False) for text in "abc"]
    for _ in range(draw(st.integers(5, 30))):
        kind = draw(st.sampled_from([TEXT, 64, *[REACTION] * 4, *[UNREACTION] * 2, EDIT, EDIT, DELETE]))
        place = -1 if kind in (TEXT, 64) and draw(st.booleans()) else draw(about)
        more = {"data": draw(OFFSETS)} if kind == 64 else {}
        said = line(draw(kinds[kind]), draw(USERS), kind, cid=draw(cids), about=place, **more)
        steps.append(("append", said, draw(st.booleans())))
        if draw(st.integers(0, 5)) == 0:
            steps.append(("lines", draw(OFFSETS), draw(st.integers(0, 15)), draw(USERS)))
            steps.append(("page", draw(OFFSETS.map(abs) | st.none()), draw(st.integers(0, 15)), draw(USERS)))
    return [*steps, ("lines", -1, 99, draw(USERS)), ("page", None, 99, draw(USERS))]
