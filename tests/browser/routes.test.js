import { NetworkClient } from "/meteor-net/client.js";
import { encodePacket } from "/meteor-net/messages.js";
import { Routes } from "/meteor-net/routes.js";
import { FakeServer } from "/tests/fake.js";
import { equal, ok, test, throws } from "/tests/harness.js";

const BOTH = ["websocket", "http"];

async function started(config = {}) {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://a/ws", outside: server.outside, ...config });
  client.connect().catch(() => {});
  return { server, client };
}

const where = ({ url, transport }) => `${transport} ${url}`;
const route = (transport, url = "a") => ({ url, transport });

/** The next `count` sockets; each that is open before the last fails. */
async function tries(server, count) {
  const found = [];
  for (let i = 0; i < count; i++) {
    const sockets = server.sockets.length;
    found.push(`${server.socket.transport} ${server.socket.url}`);
    if (i === count - 1) break;
    await server.drop(1006);
    while (server.sockets.length === sockets) await server.advance(10);
  }
  return found;
}

test("addresses and transports are checked", () => {
  throws(TypeError, () => new Routes([], BOTH));
  throws(TypeError, () => new Routes(Array.from({ length: 17 }, (_, i) => `ws://${i}`), BOTH));
  throws(TypeError, () => new Routes(["a"], []));
  throws(TypeError, () => new Routes(["a"], ["pigeon"]));
  throws(TypeError, () => new NetworkClient({ url: "ws://a/ws", transports: ["pigeon"] }));
});

test("a failed try goes to the next address at once, once round", async () => {
  const { server, client } = await started({ urls: ["ws://b/ws", "ws://a/ws", "ws://c/ws"], transports: ["websocket"] });
  const found = [server.socket.url];
  for (let i = 0; i < 2; i++) {
    await server.drop(1006);
    found.push(server.socket.url);
  }
  equal(found, ["ws://a/ws", "ws://b/ws", "ws://c/ws"]);
  await server.drop(1006);
  equal([server.sockets.length, client.status], [3, "reconnecting in 1 s"]);
  await server.advance(500);
  equal([server.socket.url, client.stats.reconnectAttempts], ["ws://a/ws", 1]);
});

test("an address that says nothing is left for the next one", async () => {
  const { server } = await started({ urls: ["ws://b/ws"] });
  await server.advance(9_000);
  equal(server.sockets.map(({ url }) => url), ["ws://a/ws", "ws://b/ws"]);
  equal(server.sockets[0].closedWith, 4002);
});

test("the last good address is the first", async () => {
  const { server, client } = await started({ urls: ["ws://b/ws", "ws://c/ws"] });
  await server.drop(1006);
  await server.letIn();
  await live(server, server.socket, 6000);
  await server.drop(1006);
  equal(server.sockets.length, 2, "after a loss there is a pause");
  await server.advance(500);
  equal(server.socket.url, "ws://b/ws");
  await server.drop(1006);
  equal(server.socket.url, "ws://a/ws");
  ok(client.status === "connecting", client.status);
});

test("where WebSocket gets nowhere twice, HTTP is tried at once, then each in turn", async () => {
  const { server } = await started();
  equal(await tries(server, 6), [
    "websocket ws://a/ws", "websocket ws://a/ws", "http ws://a/ws", "websocket ws://a/ws", "http ws://a/ws", "websocket ws://a/ws",
  ]);
  const second = await started();
  await second.server.drop(1006);
  await second.server.advance(500);
  await second.server.drop(1006);
  equal(second.server.socket.transport, "http");
  equal(second.client.status, "connecting");
});

test("a WebSocket that opens and dies, or stays silent, counts as one that gets nowhere", async () => {
  const { server } = await started();
  await server.accept();
  await server.drop(1006);
  await server.advance(500);
  await server.accept();
  await server.advance(9_000);
  equal(server.sockets.map(({ transport }) => transport), ["websocket", "websocket", "http"]);
});

test("a server that speaks for itself is no proxy that blocks", async () => {
  const { server } = await started();
  for (const code of [4000, 1013, 4003]) {
    await server.accept();
    const sockets = server.sockets.length;
    await server.drop(code);
    while (server.sockets.length === sockets) await server.advance(100);
  }
  equal(server.sockets.map(({ transport }) => transport), Array(4).fill("websocket"));
});

test("who wants one transport alone gets no other", async () => {
  for (const transport of BOTH) {
    const { server } = await started({ transports: [transport] });
    equal(new Set(await tries(server, 5)), new Set(Array(5).fill(`${transport} ws://a/ws`)));
  }
});

test("an address that worked by HTTP is tried by HTTP again, and by WebSocket when that fails", () => {
  const routes = new Routes(["a"], BOTH);
  routes.lost(route("websocket"), false, -1);
  equal(routes.lost(route("websocket"), false, -1), true);
  equal(where(routes.next), "http a");
  routes.good(route("http"));
  equal(routes.better(route("http")), route("websocket"));
  equal(routes.lost(route("http"), false, 60_000), false);
  equal(where(routes.next), "http a");
  routes.lost(route("http"), false, -1);
  equal(where(routes.next), "websocket a");
  routes.good(route("websocket"));
  routes.lost(route("websocket"), false, 60_000);
  equal([where(routes.next), routes.better(route("websocket"))], ["websocket a", null]);
});

async function onHttp() {
  const { server, client } = await started();
  await server.drop(1006);
  await server.advance(500);
  await server.drop(1006);
  await server.letIn();
  equal([client.status, client.stats.transport], ["online", "http"]);
  server.take();
  return { server, client };
}

/** Let time go by on a connection that lives. */
async function live(server, socket, ms) {
  for (let gone = 0; gone < ms; gone += 1000) {
    await server.advance(1000);
    server.sockets.at(-1) === socket && await server.say({ type: "PING", number: 1, time: 1 });
  }
}

test("while on HTTP a WebSocket is tried on the side, and the session moves over when one opens", async () => {
  const { server, client } = await onHttp();
  const told = [];
  client.on("status", (status) => told.push(status));
  const http = server.socket;
  await server.advance(2000);
  equal([server.sockets.length, server.socket.transport, http.closedWith], [4, "websocket", null]);
  client.say("on my way");
  await server.accept();
  const [hello] = server.take("HELLO");
  equal([hello.resume, http.closedWith, client.status], ["secret 1", null, "online"]);
  await server.welcome();
  equal([http.closedWith, client.stats.transport], [1000, "websocket"]);
  equal(server.take("JOIN").length, 1);
  await server.joined();
  await server.history();
  equal(server.take("SAY").map(({ text }) => text), ["on my way"]);
  equal([told, client.stats.reconnections, client.status], [[], 0, "online"]);
});

test("a try on the side that fails is made again later, ever more seldom, and disturbs nothing", async () => {
  const { server, client } = await onHttp();
  const http = server.socket;
  const ping = encodePacket([{ type: "PING", number: 1, time: 1 }]);
  const at = [];
  const begin = server.now;
  const { open } = server.outside;
  server.outside.open = (...where) => { at.push(Math.round((server.now - begin) / 1000)); return open(...where); };
  for (let second = 0; second < 1900; second++) {
    await server.advance(1000);
    http.onmessage({ data: ping.slice().buffer });
    if (server.socket !== http && server.socket.readyState === 0 && second % 3 === 0) await server.drop(1006);
  }
  ok(at.length === 6, `${at}`);
  for (const [i, wanted] of [2, 62, 182, 422, 902, 1502].entries()) ok(Math.abs(at[i] - wanted) <= 3 * i + 1, `${at[i]} is about ${wanted}`);
  equal([client.stats.transport, http.closedWith, client.stats.reconnections], ["http", null, 0]);
});

test("a WebSocket on the side that opens and gets no WELCOME is given up, and HTTP goes on", async () => {
  const { server, client } = await onHttp();
  await server.advance(2000);
  await server.accept();
  await server.advance(10_000);
  equal([server.sockets.map(({ transport }) => transport), server.sockets[2].closedWith !== null], [["websocket", "websocket", "http", "websocket", "http"], true]);
  await server.letIn();
  equal([client.status, client.stats.transport], ["online", "http"]);
  await live(server, server.socket, 598_000);
  equal(server.sockets.length, 5, "the next try on the side is much later: each costs a pause");
  await server.advance(3_000);
  equal(server.sockets.length, 6);
});

test("where WebSockets open and carry nothing, none is tried on the side for long", async () => {
  const { server, client } = await started();
  for (let i = 0; i < 2; i++) {
    await server.accept();
    while (server.sockets.length === i + 1) await server.advance(1000);
  }
  await server.letIn();
  equal([server.socket.transport, client.status], ["http", "online"]);
  await live(server, server.socket, 598_000);
  equal(server.sockets.length, 3);
});

test("leaving while a WebSocket is tried on the side leaves nothing behind", async () => {
  const { server, client } = await onHttp();
  await server.advance(2000);
  client.disconnect();
  equal([server.sockets.slice(-2).map(({ closedWith }) => closedWith), server.timers.length], [[1000, 1000], 0]);
});
