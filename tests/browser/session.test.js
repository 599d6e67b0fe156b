import { NetworkClient } from "/meteor-net/client.js";
import { encode } from "/meteor-net/codec.js";
import { ConnectionFailed, MeteorError, Refused } from "/meteor-net/errors.js";
import { BAD_STEP, FakeServer, HASH, KEYFRAME, STEP } from "/tests/fake.js";
import { equal, mutate, ok, rejects, seeded, test, throws } from "/tests/harness.js";
import { encodePacket } from "/meteor-net/messages.js";

function begin(config = {}) {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside, ...config });
  const joined = client.connect();
  joined.catch(() => {});
  return { server, client, joined };
}

async function inside(config) {
  const all = begin(config);
  await all.server.letIn();
  await all.joined;
  all.server.take();
  return all;
}

const types = (messages) => messages.map((message) => message.type);

test("a player says HELLO, then JOIN, and is in with the first picture", async () => {
  const { server, client, joined } = begin({ room: "a", name: "ann", token: "t" });
  equal([server.socket.url, server.socket.protocol], ["ws://test/ws", "meteor.v1"]);
  await server.accept();
  equal(server.take(), [{ type: "HELLO", versions: [1], name: "ann", token: "t", resume: null, client: "meteor-net.js 0.1", features: ["eg"] }]);
  await server.welcome();
  const [join, ping] = server.take();
  equal(join, { type: "JOIN", name: "a", role: 0, places: new Map(), schemaHash: null });
  equal(ping.type, "PING");
  await server.joined();
  let done = false;
  joined.then(() => { done = true; });
  await server.history();
  ok(!done, "not before the first picture");
  await server.frame(20, KEYFRAME, 0, [[0, 3, [0], ["ann"]]]);
  equal(await joined, client);
  equal(client.me, { x: 10, y: 20, heading: Math.PI / 2, name: "ann", slot: 0, generation: 0 });
  equal([client.status, client.room, client.name, client.user], ["online", "drift/main", "ann", "u1"]);
  equal(client.rows, [{ table: "ship", slot: 0 }]);
});

test("an untouched world sends no frame: a ping's answer tells that we are in", async () => {
  const { server, client, joined } = begin();
  await server.accept();
  await server.welcome();
  server.take();
  await server.joined({ tick: 0, rows: [] });
  const ping = server.take("PING").at(-1);
  await server.say({ type: "PONG", number: ping.number, time: 5 });
  await joined;
  equal([client.world.ship.size, client.me], [0, null]);
});

test("HELD is told every half second while frames come, and once after they ended", async () => {
  const { server } = await inside();
  for (let tick = 21; tick <= 60; tick++) {
    server.now += 50;
    await server.frame(tick);
  }
  equal(server.take("HELD").map((message) => message.tick), [30, 40, 50, 60]);
  server.now += 50;
  await server.frame(61);
  await server.advance(2000);
  equal(server.take("HELD").map((message) => message.tick), [61]);
});

test("a ping is answered at once, from within the callback", async () => {
  const { server } = await inside();
  server.socket.onmessage({ data: encodePacket([{ type: "PING", number: 9, time: 5 }]).buffer });
  equal(server.take("PONG").map((message) => message.number), [9]);
});

test("round trip and the server's clock come from pings", async () => {
  const { server, client } = await inside();
  await server.advance(3000);
  const ping = server.take("PING").at(-1);
  server.now += 80;
  await server.say({ type: "PONG", number: ping.number, time: 5_000_000 });
  ok(client.stats.roundTripMs >= 80, `${client.stats.roundTripMs}`);
  ok(Math.abs(client.serverTime - 5_000_000 - client.stats.roundTripMs / 2) < 1, `${client.serverTime}`);
  await server.say({ type: "PONG", number: 12345, time: 0 }); // one that nobody asked for
});

test("a frame that cannot be applied is answered by LOST, and a keyframe mends it", async () => {
  const { server, client } = await inside();
  await server.frame(21, BAD_STEP);
  equal(types(server.take()), ["LOST"]);
  await server.frame(22);
  equal(client.stats.tick, 20, "frames are ignored until then");
  await server.frame(23, KEYFRAME, 0);
  await server.frame(24, STEP);
  equal([client.stats.tick, client.world.ship.get(0).x, client.stats.lostFrames], [24, 20, 1]);
});

test("keyframes that cannot be applied end the connection", async () => {
  const { server, client } = await inside();
  for (let i = 0; i < 3; i++) await server.frame(21, BAD_STEP, 0);
  equal(types(server.take()), ["LOST", "LOST", "GOODBYE"]);
  equal(server.socket.closedWith, 4500);
  ok(client.status.startsWith("offline: keyframes"), client.status);
});

test("an input goes now or never; seen is what the screen shows", async () => {
  const { server, client } = await inside();
  equal(client.act("Steer", { thrust: true }), undefined);
  await server.advance(0);
  equal(server.take(), [{ type: "ACTION", room: 1, seq: 1, seen: 152, kind: 0, values: [1] }]);
  server.socket.bufferedAmount = 1e6;
  client.act("Steer");
  await server.drop();
  client.act("Steer");
  await server.advance(1000);
  equal(server.take("ACTION"), []);
});

test("an action is answered by its result, its refusal, or ACK alone", async () => {
  const { server, client } = await inside();
  const [first, second, third] = [client.act("Buy", { what: "sail" }), client.act("Buy"), client.act("Buy")];
  await server.say({ type: "ACK", room: 1, seq: 2, tick: 21 }, { type: "RESULT", room: 1, seq: 1, value: new Map([["left", 3]]) });
  equal(await first, new Map([["left", 3]]));
  equal(await second, null);
  await server.say({ type: "REFUSED", room: 1, seq: 3, reason: "too-dear", text: "3 gold are missing" });
  const error = await rejects(Refused, third);
  equal([error.reason, error.text], ["too-dear", "3 gold are missing"]);
});

test("an input that could not be taken at all is told", async () => {
  const { server, client } = await inside();
  const told = [];
  client.on("refused", ({ reason }) => told.push(reason));
  client.act("Steer");
  await server.say({ type: "REFUSED", room: 1, seq: 1, reason: "watching", text: "you are watching" });
  equal(told, ["watching"]);
});

test("while the server is silent what is done waits, and inputs are forgotten", async () => {
  const { server, client } = await inside();
  await server.advance(3_500);
  equal(client.status, "stale");
  server.take();
  client.act("Steer", { thrust: true });
  const bought = client.act("Buy", { what: "sail" });
  client.say("one").catch(() => {});
  client.say("two").catch(() => {});
  await server.advance(1_000);
  equal(types(server.take()).filter((type) => type === "ACTION" || type === "SAY"), []);
  await server.say({ type: "PING", number: 1, time: 0 });
  const heard = server.take();
  equal(heard.filter(({ type }) => type === "ACTION").map(({ seq, kind }) => [seq, kind]), [[1, 1]]);
  equal(heard.filter(({ type }) => type === "SAY").map(({ text }) => text), ["one"]);
  equal(client.status, "online");
  await server.say({ type: "RESULT", room: 1, seq: 1, value: "ok" });
  equal(await bought, "ok");
  client.act("Steer", { thrust: true });
  await server.advance(0);
  equal(server.take("ACTION").map(({ seq }) => seq), [2]);
});

test("an action that the game does not have is an error of the caller", async () => {
  const { client } = await inside();
  throws(MeteorError, () => client.act("Fly"));
  throws(MeteorError, () => client.act("Buy", { what: "moon" }));
  throws(MeteorError, () => client.act("__proto__"));
});

test("too many actions without an answer are refused", async () => {
  const { client } = await inside();
  for (let i = 0; i < 256; i++) client.act("Buy").catch(() => {});
  equal((await rejects(Refused, client.act("Buy"))).reason, "slow-down");
});

/** Lose the connection and come back, up to WELCOME. */
async function comeBack(server, welcome = {}) {
  await server.drop();
  await server.advance(500);
  await server.accept();
  const [hello] = server.take("HELLO");
  await server.welcome(welcome);
  return hello;
}

test("after a loss the session is taken up, with all places; actions without an answer go again, before anything new", async () => {
  const { server, client } = await inside();
  await server.line(0, "ahoy");
  await server.say({ type: "EVENT", room: 1, number: 1, tick: 21, kind: 0, values: [5] });
  client.act("Steer");
  const taken = client.act("Buy");
  const missed = client.act("Buy", { what: "sail" });
  await server.advance(0);
  await server.drop();
  const later = client.act("Buy");
  await server.advance(500);
  await server.accept();
  equal(server.take("HELLO")[0].resume, "secret 1");
  await server.welcome();
  const [join] = server.take("JOIN");
  equal(join.schemaHash, HASH);
  equal(join.places, new Map([["event", 1], ["epoch", 77], ["tick", 20], ["channels", new Map([["main", [900, 0]]])]]));
  await server.joined({ schema: null, lastSeq: 2, event: 3, tick: 30 });
  equal(server.take("ACTION").map(({ seq, values }) => [seq, values]), [[2, [0]], [3, [1]], [4, [0]]], "not the input");
  await server.say({ type: "ACK", room: 1, seq: 4, tick: 30 }, { type: "RESULT", room: 1, seq: 3, value: 1 }, { type: "RESULT", room: 1, seq: 4, value: 2 });
  await server.say({ type: "RESULT", room: 1, seq: 2, value: 0 });
  equal([await taken, await missed, await later], [0, 1, 2], "an ACK is no answer to what the server had taken before");
  await server.frame(31);
  equal([client.world.ship.get(0).x, client.stats.reconnections, client.status], [20, 1, "online"]);
  client.act("Buy").catch(() => {});
  await server.advance(0);
  equal(server.take("ACTION")[0].seq, 5);
});

test("in a new session what was sent is refused with a reason, what was not yet sent is sent", async () => {
  const { server, client } = await inside();
  const sent = client.act("Buy");
  await server.advance(0);
  await server.drop();
  const unsent = client.act("Buy", { what: "sail" });
  await server.advance(500);
  await server.accept();
  await server.welcome({ session: "s2" });
  server.take();
  await server.joined({ epoch: 78, event: 40 });
  equal((await rejects(Refused, sent)).reason, "unknown");
  equal(server.take("ACTION").map(({ seq, values }) => [seq, values]), [[1, [1]]]);
  await server.say({ type: "RESULT", room: 1, seq: 1, value: "aye" });
  equal(await unsent, "aye");
  equal(client.world.ship.size, 0, "another epoch is another world");
  await server.frame(21, KEYFRAME, 0);
  equal(client.world.ship.size, 1);
});

test("in another world, or as another player of the same session, what was sent is unknown, too", async () => {
  for (const changed of [{ epoch: 78 }, { key: 6 }]) {
    const { server, client } = await inside();
    const sent = client.act("Buy");
    await server.advance(0);
    await comeBack(server);
    await server.joined({ schema: null, ...changed });
    equal((await rejects(Refused, sent)).reason, "unknown");
    client.act("Buy").catch(() => {});
    await server.advance(0);
    equal(server.take("ACTION").map(({ seq }) => seq), [1]);
  }
});

test("in a game that was changed nothing is done that was said to the one before", async () => {
  const { server, client } = await inside();
  const sent = client.act("Buy");
  await server.advance(0);
  await server.drop();
  const unsent = client.act("Buy");
  await server.advance(500);
  await server.accept();
  await server.welcome({ session: "s2" });
  server.take();
  await server.joined({ epoch: 78, schemaHash: new Uint8Array(8) });
  equal([(await rejects(Refused, sent)).reason, (await rejects(Refused, unsent)).reason], ["unknown", "changed"]);
  equal(server.take("ACTION"), []);
});

test("of many actions 64 are open at a time; the oldest one's answer lets another one go", async () => {
  const { server, client } = await inside();
  const answers = Array.from({ length: 70 }, () => client.act("Buy"));
  await server.advance(0);
  equal(server.take("ACTION").length, 64);
  await server.say({ type: "RESULT", room: 1, seq: 5, value: "five" });
  await server.advance(0);
  equal([await answers[4], server.take("ACTION")], ["five", []], "the 64th before it has no answer");
  await server.say({ type: "RESULT", room: 1, seq: 1, value: "one" }, { type: "REFUSED", room: 1, seq: 2, reason: "poor", text: "no money" });
  equal((await rejects(Refused, answers[1])).reason, "poor");
  await server.advance(0);
  equal(server.take("ACTION").map(({ seq }) => seq), [65, 66]);
  client.act("Steer");
  await server.say({ type: "ACK", room: 1, seq: 66, tick: 30 });
  await server.advance(0);
  equal(server.take("ACTION").map(({ seq }) => seq), [67, 68, 69, 70, 71], "an input is numbered when it goes, and so is an action");
  equal(await answers[65], null);
  await server.drop();
  answers.slice(66).forEach((answer) => answer.catch(() => {}));
});

test("events are told once, by name; a hole is told", async () => {
  const { server, client } = await inside();
  const told = [];
  client.on("event", ({ name, values, tick }) => told.push([name, values.x, tick]));
  client.on("gap", ({ what }) => told.push(what));
  const event = (number) => ({ type: "EVENT", room: 1, number, tick: 30 + number, kind: 0, values: [number] });
  await server.say(event(1), event(2), event(1), { ...event(0), tick: 35 }, event(4));
  await server.say({ type: "GAP", room: 1, number: 9 }, event(9), event(10));
  equal(told, [["Boom", 1, 31], ["Boom", 2, 32], ["Boom", 0, 35], "events", ["Boom", 4, 34], "events", ["Boom", 10, 40]]);
});

test("own rows may change", async () => {
  const { server, client } = await inside();
  await server.say({ type: "OWN", room: 1, rows: [[1, 4], [0, 0]] });
  equal(client.rows, [{ table: "note", slot: 4 }, { table: "ship", slot: 0 }]);
  equal(client.me, null, "a row that is not there");
});

test("a room that refuses is said, and the page is offline", async () => {
  const { server, client, joined } = begin({ room: "full" });
  await server.accept();
  await server.welcome();
  await server.say({ type: "ERROR", about: 50, reason: "room-full", text: "64 players are in" });
  const error = await rejects(Refused, joined);
  equal([error.reason, error.text, client.status], ["room-full", "64 players are in", "offline: 64 players are in"]);
  equal(server.socket.closedWith, 1000);
});

test("LEFT is said, what waits is refused, and nobody comes back", async () => {
  const { server, client } = await inside();
  const told = [];
  client.on("left", ({ reason }) => told.push(reason));
  const action = client.act("Buy");
  const said = client.say("ahoy");
  await server.say({ type: "LEFT", room: 1, reason: "removed", text: "you were removed" });
  await rejects(Refused, action);
  await rejects(Refused, said);
  await server.advance(60_000);
  equal([told, client.status, server.sockets.length], [["removed"], "offline: you were removed", 1]);
});

test("a page's own mistake in a listener does not end the session", async () => {
  const { server, client } = await inside();
  const errors = [];
  const catcher = (event) => { errors.push(event.error ?? event); event.preventDefault?.(); };
  const page = typeof window === "object";
  if (page) window.addEventListener("error", catcher);
  else process.once("uncaughtException", catcher);
  client.on("state", () => { throw new Error("mine"); });
  await server.frame(21);
  await new Promise((resolve) => { setTimeout(resolve, 10); });
  if (page) window.removeEventListener("error", catcher);
  equal([errors.length, client.stats.tick, client.status], [1, 21, "online"]);
});

test("messages for rooms, streams and channels that we are not in are ignored", async () => {
  const { server, client } = await inside();
  await server.say({ type: "FRAME", stream: 9, tick16: 3, base: 0, data: BAD_STEP, texts: [] }, { type: "ACK", room: 9, seq: 1, tick: 1 },
    { type: "SAID", channel: 9, cid: "x", offset: 1 }, { type: "LEFT", room: 9, reason: "closed", text: "" }, { type: "CLOCK", room: 9, tick: 1, time: 1 });
  equal([server.take(), client.status], [[], "online"]);
});

test("bytes that are no packet end the connection with 4500 and the reason", async () => {
  for (const bytes of [Uint8Array.of(0xff), encode([]), encode([[16, 3]]), encode([[1, 1, "c", 0, "x"]])]) {
    const { server, client } = await inside();
    await server.sayBytes(bytes);
    const [goodbye] = server.take("GOODBYE");
    equal([goodbye.code, server.socket.closedWith], [4500, 4500]);
    equal(client.status, `offline: ${goodbye.text}`);
  }
});

test("a message out of its phase ends the connection with 4501", async () => {
  const { server } = begin();
  await server.accept();
  await server.say({ type: "PING", number: 1, time: 1 });
  equal(server.socket.closedWith, 4501);
  const second = await inside();
  await second.server.welcome();
  equal(second.server.socket.closedWith, 4501);
});

test("an event or a schema that makes no sense ends the connection", async () => {
  const { server } = await inside();
  await server.say({ type: "EVENT", room: 1, number: 1, tick: 1, kind: 7, values: [] });
  equal(server.socket.closedWith, 4500);
  const second = begin();
  await second.server.accept();
  await second.server.welcome();
  await second.server.joined({ schema: new Map([["tables", 5]]) });
  equal(second.server.socket.closedWith, 4500);
  await rejects(ConnectionFailed, second.joined);
});

test("mutated packets end the connection in order, or change nothing that matters", async () => {
  const random = seeded(7);
  const messages = [
    { type: "LINE", channel: 5, offset: 0, time: 1, tick: 1, kind: 0, sender: "u", name: "n", text: "t", cid: "" },
    { type: "FRAME", stream: 3, tick16: 21, base: 8, data: STEP, texts: [] }, { type: "EVENT", room: 1, number: 1, tick: 1, kind: 0, values: [3] },
    { type: "HISTORY", channel: 5, epoch: 900, next: 1, gap: true, lines: [[0, 1, 1, 0, "u", "n", "t", ""]] }, { type: "OWN", room: 1, rows: [[0, 0]] },
    { type: "ACK", room: 1, seq: 1, tick: 1 }, { type: "GOODBYE", code: 4000, text: "x" }, { type: "ERROR", about: 50, reason: "failed", text: "x" },
  ].map((message) => encodePacket([message]));
  for (let i = 0; i < 1500; i++) {
    const { server, client } = await inside();
    for (let n = 0; n < 3; n++) await server.sayBytes(mutate(messages[Math.floor(random() * messages.length)], random));
    for (const row of client.world.ship) ok(row.slot === 0);
    ok(["online", "offline", "reconnecting"].includes(client.status.split(/[ :]/)[0]), client.status);
  }
});
