import { HttpPackets, framed } from "/meteor-net/http-packets.js";
import { HttpSocket, httpUrl } from "/meteor-net/http-socket.js";
import { equal, ok, settle, test, throws } from "/tests/harness.js";

const ID = "0123456789abcdef0123456789abcdef";
/** Bodies are read by the browser's own streams, which take some turns. */
const rest = async () => { for (let i = 0; i < 8; i++) await settle(); };
const bytes = (...values) => Uint8Array.from(values);

/** A server in memory that a socket's requests come to; a test answers them, in whatever order. */
class FakeHttp {
  requests = [];
  timers = [];
  now = 0;

  browser = {
    fetch: (url, options) => new Promise((resolve, reject) => {
      const request = { url: url.replace("http://test/http", ""), method: options.method ?? "GET", body: options.body, options, open: true };
      request.answer = (status, body = null) => { request.open = false; resolve(new Response(body, { status })); };
      request.fail = (text = "network") => { request.open = false; reject(new TypeError(text)); };
      options.signal.addEventListener("abort", () => { request.aborted = true; request.fail("aborted"); request.stream?.error(new Error("aborted")); });
      this.requests.push(request);
    }),
    setTimeout: (call, ms) => { const timer = { call, at: this.now + ms }; this.timers.push(timer); return timer; },
    clearTimeout: (timer) => { this.timers = this.timers.filter((each) => each !== timer); },
  };

  /** The newest request whose path begins so. */
  last(path) {
    return this.requests.filter((request) => request.url.startsWith(path)).at(-1);
  }

  async advance(ms) {
    this.now += ms;
    for (const timer of this.timers.filter(({ at }) => at <= this.now)) {
      this.browser.clearTimeout(timer);
      timer.call();
    }
    await rest();
  }

  socket() {
    const socket = new HttpSocket("ws://test/ws", "meteor.v1", this.browser);
    socket.told = [];
    socket.onopen = () => socket.told.push("open");
    socket.onmessage = ({ data }) => socket.told.push([...new Uint8Array(data)]);
    socket.onclose = ({ code, reason }) => socket.told.push(`${code} ${reason}`);
    return socket;
  }

  /** A socket whose stream gets through. */
  async streaming() {
    const socket = this.socket();
    this.last("").answer(200, `${ID}\n`);
    await rest();
    const down = this.last(`/${ID}/down`);
    down.answer(200, new ReadableStream({ start: (stream) => { down.stream = stream; } }));
    await rest();
    await this.down(0, 0, 0, 0);
    return socket;
  }

  async down(...values) {
    this.last(`/${ID}/down`).stream.enqueue(bytes(...values));
    await rest();
  }

  /** A socket whose stream is held back. */
  async polling() {
    const socket = this.socket();
    this.last("").answer(200, ID);
    await rest();
    await this.advance(3_000);
    return socket;
  }
}

test("the way over HTTP is beside the WebSocket's", () => {
  equal(httpUrl("wss://host:8443/ws"), "https://host:8443/http");
  equal(httpUrl("ws://host/games/ws?x=1"), "http://host/games/http");
});

test("packets are cut out of a body however its bytes come", () => {
  const body = [...framed(bytes(1, 2, 3)), 0, 0, 0, 0, ...framed(bytes()), ...framed(bytes(4)), ...framed(new Uint8Array(300).fill(7))];
  for (const step of [1, 2, 3, 5, 8, 400]) {
    const packets = new HttpPackets();
    const found = [];
    for (let at = 0; at < body.length; at += step) found.push(...packets.feed(bytes(...body.slice(at, at + step))));
    equal(found.map((packet) => packet.byteLength), [3, 1, 300], `by ${step}`);
    equal([...new Uint8Array(found[0])], [1, 2, 3]);
    equal(packets.begun, false);
  }
  throws(Error, () => new HttpPackets().feed(bytes(255, 0, 0, 0)));
});

test("a stream that gets through opens the socket, and gives its packets", async () => {
  const http = new FakeHttp();
  const socket = await http.streaming();
  equal([socket.readyState, socket.protocol, socket.told], [1, "meteor.v1", ["open"]]);
  await http.down(0, 0, 0, 2, 5);
  await http.down(6, 0, 0, 0, 1, 7);
  equal(socket.told.slice(1), [[5, 6], [7]]);
  equal(http.timers, []);
});

test("what is said goes up, one request at a time, in order", async () => {
  const http = new FakeHttp();
  const socket = await http.streaming();
  socket.send(bytes(1));
  socket.send(bytes(2, 3).buffer);
  await rest();
  const first = http.last(`/${ID}/up`);
  equal([first.url, [...first.body]], [`/${ID}/up?n=0`, [0, 0, 0, 1, 1, 0, 0, 0, 2, 2, 3]]);
  socket.send(bytes(4));
  await rest();
  equal([http.last(`/${ID}/up`) === first, socket.bufferedAmount], [true, 16]);
  first.answer(204);
  await rest();
  const second = http.last(`/${ID}/up`);
  equal([second.url, [...second.body], socket.bufferedAmount], [`/${ID}/up?n=1`, [0, 0, 0, 1, 4], 5]);
  second.answer(204);
  await rest();
  equal([socket.bufferedAmount, http.timers], [0, []]);
});

test("a request up that gets no answer is sent once more under the same number, and then the connection is lost", async () => {
  const http = new FakeHttp();
  const socket = await http.streaming();
  socket.send(bytes(1));
  await rest();
  http.last(`/${ID}/up`).fail();
  await rest();
  const again = http.last(`/${ID}/up`);
  equal([again.open, again.url, [...again.body]], [true, `/${ID}/up?n=0`, [0, 0, 0, 1, 1]]);
  await http.advance(20_000);
  equal([again.aborted, socket.readyState], [true, 3]);
  ok(socket.told.at(-1).startsWith("1006 "), socket.told.at(-1));
  ok(http.last(`/${ID}/down`).aborted, "the stream is given up");
});

test("a request up that is refused is a lost connection", async () => {
  const http = new FakeHttp();
  const socket = await http.streaming();
  socket.send(bytes(1));
  await rest();
  http.last(`/${ID}/up`).answer(409);
  await rest();
  equal(socket.told.at(-1), "1006 a request up was refused: 409");
});

test("where the stream is held back, question follows question", async () => {
  const http = new FakeHttp();
  const socket = await http.polling();
  equal([http.last(`/${ID}/down`).aborted, socket.told], [true, ["open"]]);
  equal(http.last(`/${ID}/poll`).url, `/${ID}/poll?n=0`);
  http.last(`/${ID}/poll`).answer(200, bytes(0, 0, 0, 1, 9));
  await rest();
  http.last(`/${ID}/poll`).answer(200, null);
  await rest();
  equal([socket.told, http.last(`/${ID}/poll`).url], [["open", [9]], `/${ID}/poll?n=2`]);
  http.last(`/${ID}/poll`).answer(200, bytes(0, 0, 0, 2, 9));
  await rest();
  equal(socket.told.at(-1), "1006 an answer is no packets");
});

test("a lost question, or a lost stream, is a lost connection", async () => {
  const http = new FakeHttp();
  const polling = await http.polling();
  http.last(`/${ID}/poll`).fail();
  await rest();
  equal(polling.told.at(-1), "1006 network");
  const other = new FakeHttp();
  const streaming = await other.streaming();
  other.last(`/${ID}/down`).stream.close();
  await rest();
  equal(streaming.told.at(-1), "1006 the stream has ended");
});

test("a packet that is too big ends it with 1009, as on a WebSocket", async () => {
  const streaming = new FakeHttp();
  const one = await streaming.streaming();
  await streaming.down(0, 0, 0, 1, 7, 255, 0, 0, 0);
  const polling = new FakeHttp();
  const other = await polling.polling();
  polling.last(`/${ID}/poll`).answer(200, bytes(255, 0, 0, 0));
  await rest();
  for (const socket of [one, other]) ok(socket.told.at(-1).startsWith("1009 a packet of 4278190080 bytes"), socket.told.at(-1));
  equal([one.readyState, streaming.last(`/${ID}/down`).aborted, polling.last(`/${ID}/poll`).url], [3, true, `/${ID}/poll?n=0`]);
});

test("a server that refuses, and something else that answers, open nothing", async () => {
  for (const [status, text] of [[403, "not you"], [200, "<html>"], [503, "full"]]) {
    const http = new FakeHttp();
    const socket = http.socket();
    http.last("").answer(status, text);
    await rest();
    equal([socket.readyState, socket.told.length], [3, 1]);
    ok(socket.told[0].startsWith("1006 "), socket.told[0]);
  }
});

test("close waits for what was said, and then gives all up", async () => {
  const http = new FakeHttp();
  const socket = await http.streaming();
  socket.send(bytes(1));
  socket.close(1000, "bye");
  const up = http.last(`/${ID}/up`);
  equal([[...up.body], up.options.keepalive, socket.readyState], [[0, 0, 0, 1, 1], true, 2]);
  socket.send(bytes(2));
  up.answer(204);
  await rest();
  equal([socket.told.at(-1), http.last(`/${ID}/down`).aborted, http.timers], ["1000 bye", true, []]);
  equal(http.requests.filter((request) => request.open).length, 0);
});

test("close by force comes after 5 s", async () => {
  const http = new FakeHttp();
  const socket = await http.streaming();
  socket.send(bytes(1));
  socket.close(4504, "elsewhere");
  await http.advance(5_000);
  equal([socket.told.at(-1), http.last(`/${ID}/up`).aborted], ["4504 elsewhere", true]);
});

test("what waits is bounded, and nothing is said too soon", async () => {
  const http = new FakeHttp();
  const early = http.socket();
  throws(DOMException, () => early.send(bytes(1)));
  const socket = await http.streaming();
  for (let i = 0; i < 70; i++) socket.send(new Uint8Array(16_000));
  equal(socket.told.at(-1), "1006 more waits to be sent than gets through");
});

test("a request up holds no more than 64 KiB", async () => {
  const http = new FakeHttp();
  const socket = await http.streaming();
  for (let i = 0; i < 10; i++) socket.send(new Uint8Array(16_000));
  await rest();
  equal(http.last(`/${ID}/up`).body.length, 4 * 16_004);
  equal(http.last(`/${ID}/up`).options.keepalive, false);
});
