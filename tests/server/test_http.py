"""The way over HTTP (wire page, clause 11): what a peer that keeps the rules gets, and what becomes of one that does not."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from meteor_net.codec import encode_packet
from meteor_net.errors import CloseCode
from meteor_net.limits import Limits
from meteor_net.messages import (
    Ack,
    ActionMessage,
    Frame,
    Goodbye,
    Held,
    Hello,
    History,
    Join,
    Joined,
    Line,
    Ping,
    Pong,
    Said,
    Say,
    Welcome,
)
from meteor_net.server import http_links
from meteor_net.server.channel import BODY_S
from meteor_net.server.http_link import LAST_WORD_S, LISTEN_S, MAX_PACKETS, POLL_S, UNHEARD_S
from tests.server.asker import Asker, framed
from tests.server.harbour import HarbourCase

HELLO = encode_packet([Hello([1], "stranger")])


class HttpCase(HarbourCase):
    """The neighbour has a WebSocket; the others have not."""

    def asker(self) -> Asker:
        """A machine that asks."""
        self.askers = getattr(self, "askers", 0) + 1
        return Asker(self.network, self.network.wire(f"asker {self.askers}"))

    def streaming(self) -> Asker:
        """One that has opened a link and listens to its stream."""
        asker = self.asker()
        asker.open()
        asker.listen()
        return asker

    def polling(self) -> Asker:
        """One that has opened a link, and asks."""
        asker = self.asker()
        asker.open()
        asker.poll()
        return asker

    def pipe(self) -> Any:
        """The only one that is none of a WebSocket."""
        (pipe,) = [session.pipe for session in self.server.host.registry if session.pipe and session.pipe.kind == "http"]
        return pipe

    def links(self) -> int:
        """How many the server has."""
        health = json.loads(self.asker().ask("GET", "/health").body)
        return int(health["over_http"])


class StreamTests(HttpCase):
    """A response that goes on."""

    def test_play(self) -> None:
        """HELLO, JOIN, frames at every tick, lines, actions: the same as on a WebSocket, in order."""
        asker = self.streaming()
        self.assertEqual((asker.stream.status, asker.stream.packets), (200, [b""]))
        headers = asker.stream.headers
        self.assertEqual(headers["content-type"], "application/octet-stream")
        self.assertEqual(headers["cache-control"], "no-store, no-transform")
        self.assertEqual(headers["x-accel-buffering"], "no")
        asker.inside()
        self.assertEqual([type(message) for message in asker.heard[:2]], [Welcome, Joined])
        joined = asker.found(Joined)[0]
        asker.say(Say(joined.channels[0][0], "c1", 0, "ahoy"), ActionMessage(joined.room, 1, 0, 1, [0]))
        self.advance(1)
        self.assertEqual([said.cid for said in asker.found(Said)], ["c1"])
        self.assertEqual([ack.seq for ack in asker.found(Ack)][-1:], [1])
        self.assertEqual(asker.found(Line)[-1].text, "ahoy")
        self.assertIn("ahoy", self.neighbour.lines)
        ticks = [frame.tick16 for frame in asker.found(Frame)]
        self.assertGreater(len(ticks), 20)
        self.assertEqual([second - first for first, second in pairwise(ticks)][1:], [1] * (len(ticks) - 2))
        self.check_neighbour()

    def test_goodbye(self) -> None:
        """A server that stops says so, and then the stream ends."""
        asker = self.streaming()
        asker.inside()
        self.wait(self.server.stop())
        self.assertEqual(asker.goodbye, CloseCode.RESTARTING)
        self.advance(0.1)
        self.assertTrue(asker.stream.lost)
        self.assertEqual(asker.stream.bytes[-5:], b"0\r\n\r\n")

    def test_leaves(self) -> None:
        """Who says GOODBYE is gone for good, at once."""
        asker = self.streaming()
        asker.inside()
        asker.say(Goodbye(1000, "bye"))
        self.assertEqual(len(self.room.players), 1)
        self.assertTrue(asker.stream.lost)
        self.assertEqual((self.links(), self.server.host.health()["sessions"]), (0, 1))

    def test_lost(self) -> None:
        """A stream that is lost leaves its player away; the session is taken up on another link, or by a WebSocket."""
        asker = self.streaming()
        asker.inside()
        asker.stream.transport.abortConnection()
        self.advance(0.1)
        self.assertEqual((asker.ask("GET", f"/http/{asker.id}/x").status, self.links()), (404, 1))
        self.advance(LAST_WORD_S)
        self.assertEqual((self.links(), self.room.game.told[-1]), (0, "stranger away"))
        again = self.streaming()
        again.say(Hello([1], "stranger", resume=asker.found(Welcome)[0].resume))
        again.say(Join(""))
        self.assertEqual(again.found(Welcome)[0].session, asker.found(Welcome)[0].session)
        self.assertEqual(self.room.game.told[-1], "stranger back")
        other = self.stranger()
        other.hello(resume=again.found(Welcome)[0].resume)
        self.advance(0.1)
        self.assertEqual(other.found(Welcome)[0].session, asker.found(Welcome)[0].session)
        self.advance(0.1)
        self.assertEqual((again.goodbye, self.links()), (CloseCode.REPLACED, 0))
        self.check_neighbour()

    def test_http_1_0(self) -> None:
        """A proxy that speaks HTTP/1.0 to us gets a body that ends with the connection."""
        asker = self.asker()
        asker.open()
        exchange = asker.connect()
        exchange.transport.write(f"GET /http/{asker.id}/down HTTP/1.0\r\nHost: 10.0.0.1\r\n\r\n".encode())
        asker.stream = exchange
        asker.inside()
        self.assertNotIn("transfer-encoding", exchange.headers)
        self.assertGreater(len(asker.found(Frame)), 2)

    def test_heartbeat(self) -> None:
        """A peer that reads and never answers is gone within 45 s, as one on a WebSocket is."""
        asker = self.streaming()
        asker.inside()
        self.advance(46)
        self.assertGreater(len(asker.found(Ping)), 2)
        self.assertTrue(asker.stream.lost)
        self.assertEqual(self.links(), 0)
        self.assertEqual(self.room.game.told[-1], "stranger away")

    def test_half_open(self) -> None:
        """A peer whose cable was pulled is gone within 45 s, stream or question."""
        for asker in (self.streaming(), self.polling()):
            asker.inside()
            asker.wire.stall()
        self.assertEqual(self.links(), 2)
        self.advance(46)
        self.assertEqual(self.links(), 0)
        self.assertEqual(self.server.host.health()["connections"], 1)
        self.check_neighbour()


class SlowReaderTests(HttpCase):
    """One that does not read its stream."""

    limits = Limits(outbox_bytes=32 * 1024)

    def test_slow_reader(self) -> None:
        """It costs little, and is sent away when lines could not be kept for it; by force, as it does not read that either."""
        asker = self.streaming()
        asker.inside()
        asker.stream.transport.pauseProducing()
        link = self.pipe()
        most = 0
        for number in range(400):
            asker.say(Pong(number, 0), seconds=0.01)
            self.room.notice("x" * 1000)
            most = max(most, link.unsent)
            if link._ending:
                break
        self.assertEqual((link._ending, self.links()), (CloseCode.TOO_SLOW, 1))
        self.assertLess(most, 2 * Limits().unsent_bytes)
        self.advance(Limits().close_s + 1.1)
        self.assertEqual((self.links(), asker.wire.connections), (0, 0))
        self.assertEqual(self.server.host.counters["closed_1006"], 1)
        self.check_neighbour()


class PollTests(HttpCase):
    """Questions, for where a stream is held back."""

    def test_play(self) -> None:
        """What is said between two questions waits for the next, in order; of the state only the newest is sent."""
        asker = self.polling()
        asker.inside()
        for number in range(30):
            self.room.notice(f"notice {number}")
            asker.poll()
            if frames := asker.found(Frame):
                asker.say(Held(asker.found(Joined)[0].room, frames[-1].tick16), seconds=0.05)
        self.assertEqual([type(message) for message in asker.heard[:2]], [Welcome, Joined])
        lines = [line.text for line in [*asker.found(History)[0].lines, *asker.found(Line)]]
        self.assertEqual(lines[-29:], [f"notice {number}" for number in range(1, 30)])
        ticks = [frame.tick16 for frame in asker.found(Frame)]
        self.assertEqual(ticks, sorted(set(ticks)))
        self.assertGreater(len(ticks), 20)
        self.assertGreater(ticks[-1], self.room.tick - 20)
        self.assertEqual(self.server.host.counters["http_polling"], 1)

    def test_empty(self) -> None:
        """A question is answered after 20 s, even with nothing."""
        asker = self.streaming()
        answer = asker.poll()
        self.assertTrue(asker.stream.lost)
        asker.say(Hello([1], "stranger"))
        self.assertEqual([type(message) for message in asker.heard], [Welcome])
        self.assertEqual(answer.status, 200)
        answer = asker.poll(seconds=POLL_S + 1.5)
        self.assertEqual((answer.status, answer.headers["content-length"]), (200, str(len(answer.body))))

    def test_goodbye(self) -> None:
        """A server that stops tells it in the next answer, which ends its connection."""
        asker = self.polling()
        connection = asker.connect()
        asker.say(Hello([1], "stranger"))
        asker.poll(on=connection)
        self.assertEqual(connection.status, 0)
        asker.say(Ping(1, 0))
        self.assertEqual(connection.status, 200)
        stopped = self.server.stop()
        asker.answers.append(asker.poll(on=connection))
        self.wait(stopped)
        self.assertEqual((asker.goodbye, connection.lost), (CloseCode.RESTARTING, True))

    def test_not_asked_again(self) -> None:
        """Who stops asking is gone after 10 s."""
        asker = self.polling()
        asker.inside()
        self.advance(UNHEARD_S + 1.5)
        self.assertEqual((self.links(), self.room.game.told[-1]), (0, "stranger away"))

    def test_lost_question(self) -> None:
        """A question whose connection is lost ends the link."""
        asker = self.polling()
        asker.say(Hello([1], "stranger"))
        answer = asker.poll()
        answer.transport.abortConnection()
        self.advance(LAST_WORD_S + 0.1)
        self.assertEqual(self.links(), 0)

    def test_last_word(self) -> None:
        """A page that is closed loses its stream before its goodbye arrives: it is heard all the same."""
        for make in (self.streaming, self.polling):
            asker = make()
            asker.inside()
            listening = asker.stream if asker.stream.status else asker.poll()
            listening.transport.abortConnection()
            self.advance(0.1)
            self.assertEqual(asker.say(Goodbye(1000, "the page was closed")).status, 204)
            self.assertEqual(self.room.game.told[-1], "stranger left")
            self.advance(Limits().close_s + 1.1)
            self.assertEqual(self.links(), 0)

    def test_the_same_question_again(self) -> None:
        """Whose answer was lost, so that somebody on the way asks again: the link is over, not the packets lost."""
        asker = self.polling()
        asker.inside()
        answer = asker.poll(0)
        self.assertEqual((answer.status, self.links()), (409, 0))
        self.assertEqual(self.room.game.told[-1], "stranger away")

    def test_unread_answers(self) -> None:
        """One that asks on without reading the answers is sent away."""
        asker = self.polling()
        asker.inside()
        answer = asker.connect()
        asker.poll(on=answer, seconds=0.01)
        answer.transport.pauseProducing()
        self.pipe().send(framed(bytes(300_000)))  # more than kernels hold
        self.advance(0.1)
        self.assertEqual(asker.poll().status, 409)
        self.assertEqual(self.links(), 0)

    def test_other_answers(self) -> None:
        """What else was asked for on the connection of the last answer may still be on its way when the next question comes."""
        asker = self.polling()
        asker.inside()
        connection = asker.connect()
        asker.answers.append(asker.poll(on=connection))
        pipe = self.pipe()
        asker.up(framed(encode_packet([Ping(1, 0)])), on=connection)
        connection.transport.pauseProducing()
        pipe._channel.transport.write(bytes(300_000))  # more than kernels hold
        self.assertGreater(pipe._channel.transport.unsent_bytes, 0)
        self.assertEqual(asker.poll().status, 200)

    def test_two_questions_at_once(self) -> None:
        """Who asks again, on the same connection, before the answer is read, is sent away."""
        asker = self.polling()
        asker.inside()
        asker.poll()
        connection = asker.connect()
        self.pipe().send(framed(bytes(300_000)))
        connection.transport.pauseProducing()
        for number in range(asker.polls, asker.polls + 2):
            connection.transport.write(f"GET /http/{asker.id}/poll?n={number} HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n".encode())
        self.advance(0.1)
        self.assertEqual(self.links(), 0)


class UpTests(HttpCase):
    """Bodies."""

    def ends(self, body: bytes, code: int, why: str) -> None:
        """A body ends the connection with a code, and a text that says what was wrong."""
        asker = self.streaming()
        asker.inside()
        asker.up(body)
        self.assertEqual((asker.goodbye, asker.stream.lost), (code, True), why)
        self.assertIn(why, asker.found(Goodbye)[0].text)

    def test_mistakes(self) -> None:
        """Bodies that are not packets behind their lengths, and packets that are none."""
        bad = CloseCode.BAD_PACKET
        ping = encode_packet([Ping(1, 0)])
        self.ends(b"", bad, "not packets")
        self.ends(bytes(4), bad, "not packets")
        self.ends(b"\0\0\0", bad, "not packets")
        self.ends(b"\0\0\0\x05abcd", bad, "not packets")
        self.ends(framed(ping) + b"\0", bad, "not packets")
        self.ends(b"\xff\xff\xff\xff" + ping, CloseCode.TOO_BIG, "a packet of 4294967295 bytes")
        self.ends(framed(bytes(16 * 1024 + 1)), CloseCode.TOO_BIG, "a packet of 16385 bytes")
        self.ends(framed(b"hello"), bad, "")
        self.ends(framed(*[ping] * (MAX_PACKETS + 1)), bad, "more than 256 packets")
        self.check_neighbour()

    def test_several(self) -> None:
        """All packets of a body are taken, in order."""
        asker = self.streaming()
        asker.inside()
        asker.up(framed(*(encode_packet([Ping(number, 0)]) for number in range(20))))
        self.assertEqual([pong.number for pong in asker.found(Pong)], list(range(20)))

    def test_the_rate_is_that_of_all(self) -> None:
        """The limits of messages are those of a WebSocket: who says too much for too long is closed with 4506."""
        asker = self.streaming()
        asker.inside()
        packet = encode_packet([Ping(1, 0)] * 200)
        for _ in range(20):
            asker.up(framed(packet))
        self.assertEqual(asker.goodbye, CloseCode.FLOOD)

    def test_repeated(self) -> None:
        """A request up that comes again, as its answer was lost, is answered and not taken again."""
        asker = self.streaming()
        asker.inside()
        body = framed(encode_packet([Ping(7, 0)]))
        self.assertEqual(asker.up(body).status, 204)
        self.assertEqual(asker.up(body, asker.ups - 1).status, 204)
        self.assertEqual([pong.number for pong in asker.found(Pong)], [7])
        request = f"POST /http/{asker.id}/up?n={asker.ups - 1} HTTP/1.1\r\nHost: 10.0.0.1\r\nContent-Length: 0\r\n\r\n"
        asker.connect().transport.write(request.encode() * 2_000)
        self.advance(0.5)
        self.assertEqual(asker.goodbye, CloseCode.FLOOD)

    def test_out_of_order(self) -> None:
        """A request up that is not the next one ends the link: packets are missing."""
        asker = self.streaming()
        asker.inside()
        self.assertEqual(asker.up(framed(HELLO), asker.ups + 1).status, 409)
        self.assertEqual((self.links(), self.room.game.told[-1]), (0, "stranger away"))
        self.assertEqual(asker.up(framed(HELLO)).status, 400)

    def test_large_body(self) -> None:
        """64 KiB is the most; more is refused before it comes, and so is any body for a link that is not there."""
        asker = self.streaming()
        asker.inside()
        packet = encode_packet([Ping(1, 0)])
        self.assertEqual(asker.up(packet, content_length="65537").status, 400)
        self.assertEqual(asker.ask("POST", "/http", b"x").status, 400)
        self.assertEqual(asker.ask("POST", f"/http/{asker.id}/down", b"x").status, 400)
        self.assertEqual(asker.ask("POST", f"/http/{'0' * 32}/up?n=0", b"x").status, 400)
        self.assertEqual(asker.ask("POST", f"/http/{asker.id}/up?n=2", transfer_encoding="chunked").status, 400)
        self.assertEqual(self.links(), 1)

    def test_slow_body(self) -> None:
        """A body has 20 s to come."""
        asker = self.streaming()
        asker.inside()
        exchange = asker.connect()
        exchange.transport.write(
            f"POST /http/{asker.id}/up?n={asker.ups} HTTP/1.1\r\nHost: 10.0.0.1\r\nContent-Length: 50\r\n\r\n".encode()
        )
        for _ in range(BODY_S - 1):
            exchange.transport.write(b"x")
            self.advance(1)
        self.assertFalse(exchange.lost)
        self.advance(1.5)
        self.assertTrue(exchange.lost)


class DoorTests(HttpCase):
    """Who gets a link at all, and how many."""

    limits = Limits(connections_per_address=20)

    def test_ids(self) -> None:
        """Each link has an id of 128 random bits; no other is found."""
        ids = {self.asker().open() for _ in range(5)}
        self.assertEqual(len(ids), 5)
        for id in ids:
            self.assertRegex(id, "^[0-9a-f]{32}$")
        asker = self.asker()
        for path in ("/http/" + "0" * 32 + "/down", "/http/" + "0" * 32 + "/poll?n=0", "/http/", "/http/../health",
                     f"/http/{next(iter(ids))}", f"/http/{next(iter(ids))}/x"):  # fmt: skip
            self.assertEqual(asker.ask("GET", path).status, 404, path)
        self.assertEqual(self.links(), 5)

    def test_methods(self) -> None:
        """POST opens and sends, GET listens and asks."""
        asker = self.asker()
        asker.open()
        for method, path, allowed in (
            ("GET", "/http", "POST"), ("HEAD", f"/http/{asker.id}/down", "GET"), ("POST", f"/http/{asker.id}/poll?n=0", "GET"),
            ("OPTIONS", f"/http/{asker.id}/up?n=0", "POST"),
        ):  # fmt: skip
            exchange = asker.ask(method, path)
            self.assertEqual((exchange.status, exchange.headers["allow"]), (405, allowed))

    def test_numbers(self) -> None:
        """Questions and requests up are numbered, or wrong."""
        asker = self.asker()
        asker.open()
        for number in ("", "-1", "1e3", "x", "9" * 16, "%d9%a1"):
            self.assertEqual(asker.ask("GET", f"/http/{asker.id}/poll?n={number}").status, 400)
        self.assertEqual(asker.ask("GET", f"/http/{asker.id}/poll").status, 400)
        self.assertEqual(self.links(), 1)

    def test_two_listeners(self) -> None:
        """A second one that listens takes the place of a stream that has said nothing; else it ends the link."""
        asker = self.streaming()
        first = asker.stream
        second = asker.listen()
        self.assertTrue(first.lost)
        asker.say(Hello([1], "stranger"))
        self.assertEqual([type(message) for message in asker.heard], [Welcome])
        self.assertEqual(asker.ask("GET", f"/http/{asker.id}/down").status, 409)
        self.assertEqual((second.lost, self.links()), (True, 0))
        asker = self.polling()
        self.assertEqual(asker.ask("GET", f"/http/{asker.id}/poll?n=1").status, 409)
        self.assertEqual(self.links(), 0)

    def test_host_and_origin(self) -> None:
        """The same pages get a link as get a WebSocket, and may read the answer."""
        asker = self.asker()
        self.assertEqual(asker.ask("POST", "/http", Host="evil.com").status, 403)
        for origin in ("null", "http://evil.com", "http://10.0.0.1:3000"):
            exchange = asker.ask("POST", "/http", Origin=origin)
            self.assertEqual(exchange.status, 403)
            self.assertNotIn("access-control-allow-origin", exchange.headers)
        exchange = asker.ask("POST", "/http", Origin="http://10.0.0.1")
        self.assertEqual((exchange.status, exchange.headers["access-control-allow-origin"]), (200, "http://10.0.0.1"))
        self.assertEqual(exchange.headers["cache-control"], "no-store")
        id = exchange.body.decode().strip()
        self.assertEqual(asker.ask("GET", f"/http/{id}/down", Origin="http://evil.com").status, 403)

    def test_too_many(self) -> None:
        """Links count as connections: of one address, of all, and those to which nobody listens."""
        asker = self.asker()
        answers = [asker.ask("POST", "/http") for _ in range(21)]
        self.assertEqual([answer.status for answer in answers], [200] * 20 + [503])
        self.assertIn(b"too many connections", answers[-1].body)
        self.patch(http_links, "MAX_UNHEARD", 20)
        other = self.asker()
        self.assertIn(b"too many others", other.ask("POST", "/http").body)
        self.advance(UNHEARD_S + 1.5)
        self.assertEqual(self.links(), 0)
        other.open()
        self.check_neighbour()

    def test_no_hello(self) -> None:
        """A link without HELLO ends, listened to or not."""
        asker = self.streaming()
        self.advance(LISTEN_S + Limits().hello_s + 2)
        self.assertEqual((asker.goodbye, self.links()), (CloseCode.HELLO_TIMEOUT, 0))
        asker = self.polling()
        self.advance(Limits().hello_s + 2)
        self.assertEqual((asker.goodbye, self.links()), (CloseCode.HELLO_TIMEOUT, 0))

    def test_a_mistake_of_ours(self) -> None:
        """A link that cannot be looked after hurts itself only: the others are."""
        asker, other = self.streaming(), self.polling()
        routes: Any = self.server._site.resource
        links = routes._links._links
        mistaken = self.patch(links[asker.id], "look", lambda now: 1 / 0)
        other.say(Hello([1], "stranger"))
        self.advance(UNHEARD_S + 1.5)
        self.assertEqual(list(links), [asker.id])
        mistaken.restore()
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))
        self.check_neighbour()

    def test_a_stream_is_no_strangers_connection(self) -> None:
        """It is counted with the connections, not with those that have said nothing yet."""
        before = self.server._site.plain_connections
        self.streaming()
        self.advance(10)
        self.assertEqual(self.server._site.plain_connections, before)
