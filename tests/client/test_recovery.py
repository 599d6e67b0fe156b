"""Tests of `meteor_net.client.recovery`: what every error means, and what is done about it."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from meteor_net import messages as wire
from meteor_net.client import NetworkErrorHandler
from meteor_net.client.recovery import CODES, REASONS, Answer, Fault, Pause, Verdict, row_of_code
from meteor_net.client.transports import OpenFailed
from meteor_net.errors import CloseCode, ConnectionFailed, MessageError, Refused, come_back
from meteor_net.state.errors import FrameError

from .test_client import ClientCase


class TableTests(SynchronousTestCase):
    """One row for each error."""

    def test_codes(self) -> None:
        """Every code has a row, and it agrees with the wire page on who comes back."""
        for code in range(65536):
            self.assertEqual(row_of_code(code).answer is Answer.RESUME, come_back(code), code)
        for code in CloseCode:
            self.assertIn(row_of_code(code).answer, (Answer.RESUME, Answer.GIVE_UP))

    def test_fault(self) -> None:
        """Who is sent away did something; what the network does is nobody's."""
        for code, fault in {
            CloseCode.KICKED: Fault.OURS, CloseCode.FLOOD: Fault.OURS, CloseCode.NOT_ALLOWED: Fault.OURS,
            CloseCode.ABNORMAL: Fault.NETWORK, CloseCode.SILENT: Fault.NETWORK, CloseCode.TOO_SLOW: Fault.NETWORK,
            CloseCode.RESTARTING: Fault.THEIRS, CloseCode.BAD_PACKET: Fault.THEIRS, 4242: Fault.THEIRS, 4999: Fault.OURS,
        }.items():  # fmt: skip
            self.assertIs(row_of_code(code).fault, fault, code)

    def test_pauses(self) -> None:
        """By the code: half a second, doubled up to eight; two for a whole crowd; longer where the server is full."""
        mosts = {
            code: [row_of_code(code).pause.most_s(rounds) for rounds in range(7)] for code in (1006, 4000, 4001, 4003, 1013)
        }
        self.assertEqual(mosts[1006], [0.5, 1, 2, 4, 8, 8, 8])
        self.assertEqual(mosts[4000], [2, 1, 2, 4, 8, 8, 8])
        self.assertEqual(mosts[4001], [1, 2, 4, 8, 8, 8, 8])
        self.assertEqual(mosts[4003], mosts[4001])
        self.assertEqual(mosts[1013], [5, 10, 20, 30, 30, 30, 30])
        self.assertEqual(Pause().most_s(10_000), 8)
        self.assertTrue(set(CODES) >= {1006, 4000, 4001, 4003, 1013})


class HandlerTests(SynchronousTestCase):
    """Classify, report, do."""

    def setUp(self) -> None:
        self.done: list[Answer] = []
        self.heard: list[Verdict] = []
        remedies: Any = {
            answer: lambda answer=answer: self.done.append(answer)
            for answer in (Answer.RESUME, Answer.FALLBACK, Answer.GIVE_UP)
        }
        self.handler = NetworkErrorHandler(remedies, self.heard.append)

    def test_connection_errors(self) -> None:
        """The close code decides; what must fail again is given up; another transport comes before both."""
        cases: list[tuple[Exception, bool, Answer]] = [
            (ConnectionFailed("cut"), False, Answer.RESUME),
            (ConnectionFailed("removed", CloseCode.KICKED), False, Answer.GIVE_UP),
            (OpenFailed("refused", reached=True), False, Answer.RESUME),
            (OpenFailed("refused", reached=True), True, Answer.FALLBACK),
            (OpenFailed("403", reached=True, final=True), False, Answer.GIVE_UP),
            (OpenFailed("403", reached=True, final=True), True, Answer.FALLBACK),
            (Refused("full", "room-full"), False, Answer.GIVE_UP),
        ]
        for error, fall_back, answer in cases:
            verdict = self.handler.handle_connection_error(error, fall_back)  # type: ignore[arg-type]
            self.assertIs(verdict.answer, answer)
            self.assertIs(verdict.error, error)
            self.assertEqual(verdict.final, answer is Answer.GIVE_UP)
            self.assertEqual(self.handler.attempt_recovery(), answer is not Answer.GIVE_UP)
        self.assertEqual(self.done, [answer for _, _, answer in cases])
        self.assertEqual([verdict.answer for verdict in self.heard], self.done)
        counters = self.handler.counters
        self.assertEqual((counters["give-up"], counters["resume"], counters["fallback"]), (3, 2, 2))
        self.assertEqual((counters["network"], counters["ours"]), (5, 2))

    def test_message_errors(self) -> None:
        """A frame is asked for anew, a line is said again; anything else is not."""
        for error, answer, fault in (
            (FrameError("no such base"), Answer.RESYNC, Fault.THEIRS),
            (MessageError("no such event"), Answer.GIVE_UP, Fault.THEIRS),
            (Refused("too fast", "slow-down"), Answer.RESEND, Fault.OURS),
            (Refused("may be kept", "unknown"), Answer.RESEND, Fault.THEIRS),
            (Refused("no", "refused"), Answer.GIVE_UP, Fault.OURS),
        ):
            verdict = self.handler.handle_message_error(error)
            self.assertEqual((verdict.answer, verdict.fault), (answer, fault))
        self.assertEqual(set(REASONS), {"slow-down", "unknown"})

    def test_nothing_yet(self) -> None:
        """Before the first error there is nothing to recover from."""
        self.assertTrue(self.handler.attempt_recovery())
        self.assertEqual(self.done, [])

    def test_text(self) -> None:
        """A verdict says all of it in a line."""
        verdict = self.handler.handle_connection_error(ConnectionFailed("cut"))
        self.assertEqual(str(verdict), "cut (temporary, network: resume)")
        verdict = self.handler.handle_connection_error(ConnectionFailed("", CloseCode.KICKED))
        self.assertEqual(str(verdict), "ConnectionFailed (final, ours: give-up)")


class ClientTests(ClientCase):
    """What a client's hearers of errors are told."""

    def setUp(self) -> None:
        super().setUp()
        self.verdicts = self.heard("error")

    def told(self) -> list[tuple[Fault, Answer, str]]:
        """Give what was heard."""
        return [(verdict.fault, verdict.answer, str(verdict.error)) for verdict in self.verdicts]

    def test_frame_that_does_not_fit(self) -> None:
        """LOST asks for a keyframe; the world stands again with it."""
        self.server.say(wire.Frame(5, 2, 1 << 3, b"\xff\xff", []))
        self.server.run()
        self.assertEqual([verdict.answer for verdict in self.verdicts], [Answer.RESYNC])
        self.assertIsInstance(self.verdicts[0].error, FrameError)
        self.assertEqual(len(self.server.found(wire.Lost)), 1)
        self.assertEqual(self.game.status, "online")

    def test_line_that_may_be_kept(self) -> None:
        """It is said again under its id."""
        self.server.answers[wire.Say] = lambda say: [wire.Unsaid(7, say.cid, "unknown", "the disk is full")]
        kept = self.game.say("hello")
        self.server.run()
        self.assertEqual(self.told(), [(Fault.THEIRS, Answer.RESEND, "the disk is full")])
        self.server.answers[wire.Say] = self.server._said
        self.server.run(3)
        self.successResultOf(kept)
        self.assertEqual(len({say.cid for say in self.server.found(wire.Say)}), 1)

    def test_lost_and_another_session(self) -> None:
        """A loss is temporary; that the server does not know us any more is told, and the room is joined anew."""
        self.server.session = "s2"
        self.server.close(4000, "back soon")
        self.server.run(3)
        self.assertEqual(
            [(fault, answer) for fault, answer, _ in self.told()],
            [(Fault.THEIRS, Answer.RESUME), (Fault.NETWORK, Answer.REJOIN)],
        )

    def test_final(self) -> None:
        """What ends it for good is told too, once."""
        self.server.close(4506, "too many messages")
        self.assertEqual(self.told(), [(Fault.OURS, Answer.GIVE_UP, "too many messages")])
        self.assertEqual(self.game.status, "offline: too many messages")

    def test_out_of_the_room(self) -> None:
        """So is being put out of the room."""
        self.server.say(wire.Left(3, "removed", "no swearing"))
        self.server.run()
        self.assertEqual(self.told(), [(Fault.OURS, Answer.GIVE_UP, "out of the room: no swearing")])

    def test_not_let_in(self) -> None:
        """So is a room that does not let us in."""
        self.game.disconnect()
        self.server.run()
        self.server.answers[wire.Join] = lambda _: [wire.ErrorMessage(50, "room-full", "64 play")]
        self.game.connect().addErrback(lambda _: None)
        self.server.run()
        self.assertEqual(self.told(), [(Fault.OURS, Answer.GIVE_UP, "64 play")])

    def test_disconnected_by_who_hears_of_it(self) -> None:
        """A hearer of a loss may disconnect: nothing more is tried."""
        self.game.on("error", lambda verdict: self.game.disconnect())
        self.server.cut()
        self.server.run(20)
        self.assertEqual((self.game.status, len(self.server.attempts)), ("offline", 1))
        self.assertEqual(self.server.clock.getDelayedCalls(), [])

    def test_room_that_does_not_answer(self) -> None:
        """A server that lives, and never answers JOIN, is left and tried again."""
        self.server.answers[wire.Join] = lambda _: []
        self.server.cut()
        self.server.run(1.0)
        for _ in range(28):
            self.server.say(wire.Ping(1, self.server.time))
            self.server.run(1.0)
        self.assertEqual(len(self.told()), 1)
        self.server.run(2.0)
        self.assertEqual(self.told()[1:], [(Fault.NETWORK, Answer.RESUME, "no answer to JOIN within 30 s")])
        self.server.answers[wire.Join] = self.server._joined
        self.server.run(2)
        self.assertEqual(self.game.status, "online")
