import { NetworkClient } from "/meteor-net/client.js";
import { ConnectionFailed, comeBack } from "/meteor-net/errors.js";
import { encodePacket } from "/meteor-net/messages.js";
import { Stage } from "/meteor-net/stage.js";
import { FakeServer, KEYFRAME } from "/tests/fake.js";
import { equal, ok, rejects, test, throws } from "/tests/harness.js";

async function inside(config = {}) {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside, ...config });
  const joined = client.connect();
  joined.catch(() => {});
  await server.letIn();
  await joined;
  server.take();
  return { server, client };
}

test("nothing is opened before connect", () => {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  equal([server.sockets.length, server.timers.length, client.status], [0, 0, "new"]);
});

test("close codes tell whether to come back", () => {
  for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 1014, 4000, 4003, 4499]) ok(comeBack(code), `${code}`);
  for (const code of [1000, 1002, 1003, 1007, 1008, 1009, 1010, 1015, 3000, 4500, 4504, 4999]) ok(!comeBack(code), `${code}`);
});

test("tries come within times that double, evenly spread, and begin anew after a good connection", async () => {
  const { server, client } = await inside({ transports: ["websocket"] });
  server.randoms = Array(9).fill(0.999);
  const waits = [];
  await server.drop(1006);
  for (let i = 0; i < 8; i++) {
    const before = server.now;
    const sockets = server.sockets.length;
    while (server.sockets.length === sockets) await server.advance(10);
    waits.push(server.now - before);
    if (i < 7) await server.drop(1006);
  }
  equal(waits.map((wait) => Math.round(wait / 100) / 10), [0.5, 1, 2, 4, 8, 8, 8, 8]);
  await server.accept();
  await server.welcome();
  equal(client.stats.reconnectAttempts, 8);
  server.randoms = [0.999];
  await server.advance(5_000);
  equal(client.stats.reconnectAttempts, 0);
  const before = server.now;
  await server.drop(1006);
  const sockets = server.sockets.length;
  while (server.sockets.length === sockets) await server.advance(10);
  ok(server.now - before <= 500, "half a second at most");
  equal(client.stats.reconnections, 1);
});

test("the first connection may be long in coming", async () => {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  const joined = client.connect();
  for (let i = 0; i < 5; i++) {
    await server.drop(1006);
    ok(/^reconnecting in \d+ s$/.test(client.status), client.status);
    await server.advance(16_000);
  }
  await server.letIn();
  await joined;
  equal([client.status, client.stats.reconnections], ["online", 0]);
});

test("the server's goodbye decides: come back, or stay away and say why", async () => {
  const { server, client } = await inside();
  await server.say({ type: "GOODBYE", code: 4000, text: "the server restarts" });
  ok(client.status.startsWith("reconnecting"), client.status);
  await server.advance(1000);
  await server.letIn();
  equal(client.status, "online");
  await server.say({ type: "GOODBYE", code: 4505, text: "no shouting" });
  await server.advance(100_000);
  equal([client.status, server.sockets.length], ["offline: no shouting", 2]);
});

test("a close without a goodbye decides by its code", async () => {
  const { server, client } = await inside();
  await server.drop(4504, "taken up elsewhere");
  equal(client.status, "offline: taken up elsewhere");
});

test("a client that is turned away at the door says so to whoever waits", async () => {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  const joined = client.connect();
  await server.accept();
  await server.say({ type: "GOODBYE", code: 4503, text: "the token has expired" });
  const error = await rejects(ConnectionFailed, joined);
  equal([error.code, error.message, client.status], [4503, "the token has expired", "offline: the token has expired"]);
});

test("a server that speaks no meteor.v1 is left alone", async () => {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  const joined = client.connect();
  server.socket.protocol = "";
  await server.accept();
  equal((await rejects(ConnectionFailed, joined)).code, 4502);
  equal(server.take(), []);
});

test("a text message ends the connection", async () => {
  const { server, client } = await inside();
  server.socket.onmessage({ data: "hello" });
  equal([client.status, server.socket.closedWith], ["offline: the server sent text", 4500]);
});

test("silence is first stale, then dead", async () => {
  const { server, client } = await inside();
  const told = [];
  client.on("status", (status) => told.push(status));
  await server.advance(2500);
  equal(client.status, "online");
  await server.advance(1500);
  equal(client.status, "stale");
  await server.say({ type: "PING", number: 1, time: 1 });
  equal([client.status, told], ["online", ["stale", "online"]]);
  await server.advance(46_000);
  ok(client.status !== "stale" && client.status !== "online", client.status);
  equal(server.sockets[0].closedWith, 4002);
});

test("while nothing comes, another connection is tried beside it, and given up when something comes", async () => {
  const { server, client } = await inside();
  const [old] = server.sockets;
  await server.advance(6_000);
  equal([client.status, server.sockets.length], ["stale", 1]);
  await server.advance(2_000);
  equal(server.sockets.length, 2);
  old.onmessage({ data: encodePacket([{ type: "PING", number: 1, time: 1 }]).slice().buffer });
  equal([client.status, server.socket.closedWith, old.closedWith], ["online", 1000, null]);
  await server.advance(5_000);
  equal(server.sockets.length, 2);
});

test("a connection that is dead, and does not say so, is left for one that opens beside it", async () => {
  const { server, client } = await inside();
  const told = [];
  client.on("status", (status) => told.push(status));
  await server.advance(8_000);
  await server.drop(1006); // the first one beside it fails
  equal(client.status, "stale");
  await server.advance(2_000);
  equal(server.sockets.length, 3);
  client.say("out of the tunnel").catch(() => {});
  await server.accept();
  equal([server.take("HELLO")[0].resume, server.sockets[0].closedWith], ["secret 1", null]);
  await server.welcome();
  await server.joined();
  await server.history();
  equal([server.sockets[0].closedWith, client.status, server.take("SAY").map(({ text }) => text)], [1000, "online", ["out of the tunnel"]]);
  equal(told, ["stale", "online"]);
  await server.advance(3_000);
  equal([server.sockets.length, server.timers.length], [3, 1]);
});

test("a tab whose timers were held back does not take the pause for silence", async () => {
  const { server, client } = await inside();
  server.now += 600_000; // the browser froze the page: no timer, no message
  await server.advance(600);
  equal(server.sockets.length, 1);
  ok(["online", "stale"].includes(client.status), client.status);
  await server.frame(12_020, KEYFRAME, 0); // what had waited comes now
  equal([client.status, client.stats.tick], ["online", 12_020]);
});

test("while hidden, frames are applied and HELD is told without timers", async () => {
  const { server, client } = await inside();
  for (let tick = 21; tick <= 21 + 12_000; tick++) {
    server.now += 50;
    await server.frame(tick);
  }
  equal([client.stats.tick, client.status], [12_021, "online"]);
  const held = server.take("HELD");
  ok(held.length >= 1200 && held.length <= 1202, `${held.length} HELD`);
  ok(held.at(-1).tick > 12_000, `${held.at(-1).tick}`);
});

test("a try that gets no answer is given up", async () => {
  const { server, client } = await inside();
  await server.drop(1006);
  await server.advance(500);
  const waiting = server.socket;
  await server.advance(16_000);
  ok(waiting.closedWith !== null, "closed");
  ok(server.sockets.length > 2 || client.status.startsWith("reconnecting"), client.status);
});

test("a page that is shown again, or a network that is back, tries at once", async () => {
  const { server, client } = await inside();
  server.randoms = [0.999];
  await server.drop(1006);
  equal(server.sockets.length, 1);
  client.wake();
  equal([server.sockets.length, client.status], [2, "connecting"]);
  await server.advance(1000);
  equal(server.sockets.length, 2, "and not twice");
});

test("a page that is shown again asks whether its connection lives, and leaves one that does not answer", async () => {
  const { server, client } = await inside();
  client.wake();
  await server.advance(0);
  equal(server.take("PING").length, 1);
  await server.say({ type: "PING", number: 1, time: 1 });
  await server.advance(6000);
  equal(server.sockets.length, 1, "it answered");
  client.wake();
  await server.advance(4000);
  equal(client.status, "stale");
  await server.advance(1500);
  ok(client.status.startsWith("reconnecting"), client.status);
  await server.advance(1000);
  await server.letIn();
  equal([client.status, server.take("HELLO")[0].resume], ["online", "secret 1"]);
});

test("a machine that slept leaves its dead connection when it wakes", async () => {
  const { server, client } = await inside();
  server.now += 8 * 60 * 60 * 1000;
  client.wake();
  await server.advance(6000);
  equal(server.sockets.length, 2);
});

test("each wait has its limit: for the socket, and for WELCOME", async () => {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  client.connect().catch(() => {});
  await server.advance(8_000);
  equal([client.status, server.socket.closedWith], ["connecting", null]);
  await server.advance(600);
  equal([client.status, server.socket.closedWith], ["reconnecting in 1 s", 4002]);
  await server.advance(400);
  await server.accept();
  await server.advance(8_000);
  equal(server.socket.closedWith, null);
  await server.advance(600);
  equal(server.sockets[1].closedWith, 4002);
});

test("a state is left only for one that the table names", () => {
  const stage = new Stage(() => 0);
  throws(Error, () => stage.go("welcomed"));
  for (const event of ["open", "opened", "welcomed", "moved", "welcomed", "wait", "open", "wait", "open", "end"]) stage.go(event);
  equal(stage.state, "offline");
  throws(Error, () => stage.go("wait"));
});

test("what is said while away waits, but not more than is good", async () => {
  const { server, client } = await inside();
  await server.drop(1006);
  const outcomes = Array.from({ length: 80 }, (_, i) => client.say(`${i}`).then(() => "said", (error) => error.reason));
  for (let i = 0; i < 300; i++) outcomes.push(client.act("Buy", { what: "sail" }).then(() => "done", (error) => error.reason));
  equal(client.act("Steer", { thrust: true }), undefined);
  await server.advance(0);
  const refused = await Promise.all(outcomes.map((outcome) => Promise.race([outcome, Promise.resolve("waits")])));
  const count = (what) => refused.filter((each) => each === what).length;
  equal([count("waits"), count("slow-down")], [64 + 256, 16 + 44]);
});

test("disconnect says goodbye, closes, and is the end", async () => {
  const { server, client } = await inside();
  client.disconnect();
  equal(server.take(), [{ type: "GOODBYE", code: 1000, text: "disconnected" }]);
  equal([server.socket.closedWith, client.status], [1000, "offline: disconnected"]);
  await server.advance(100_000);
  equal([server.sockets.length, server.timers.length], [1, 0]);
});

test("events of a socket that was given up mean nothing", async () => {
  const { server, client } = await inside();
  const [old] = server.sockets;
  const { onmessage, onclose } = old;
  await server.drop(1006);
  await server.advance(500);
  onmessage({ data: Uint8Array.of(0xff).buffer });
  onclose({ code: 4505, reason: "late" });
  await server.letIn();
  equal(client.status, "online");
});
