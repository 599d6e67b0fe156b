import { ChatStore } from "/meteor-net/chat-store.js";
import { NetworkClient } from "/meteor-net/client.js";
import { Refused } from "/meteor-net/errors.js";
import { tabId, token } from "/meteor-net/tab.js";
import { FakeServer, line } from "/tests/fake.js";
import { equal, ok, rejects, settle, test } from "/tests/harness.js";

const DAY_MS = 24 * 60 * 60 * 1000;

/** A page that is loaded: a client in a tab. */
async function load({ tab = null, guest = true, user = "u1", history = [], epoch = 900, room = "a" } = {}) {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  if (tab) client.chat.store = new ChatStore(room, guest, Promise.resolve(tab));
  client.connect().catch(() => {});
  const told = [];
  client.on("queued", ({ text }) => told.push(`queued ${text}`));
  client.on("said", ({ line: { text }, offset }) => told.push(`said ${text} ${offset}`));
  client.on("unsaid", ({ line: { text }, error }) => told.push(`unsaid ${text} ${error.reason}`));
  await server.accept();
  await server.welcome({ user });
  await server.joined({ tick: 0, channels: [[5, "main", epoch, 0]] });
  await server.history(history, { epoch });
  // The store answers through the browser's own queue.
  for (let i = 0; i < 3 && tab; i++) await client.chat.store.lines();
  await settle();
  await server.advance(0);
  return { server, client, told, said: () => server.take("SAY").map(({ cid, text }) => [cid, text]) };
}

const quiet = (promise) => promise.catch(() => {});

test("a line that may be kept or not is said again after 2, 4 and 8 seconds, then told", async () => {
  const { server, client, said } = await load();
  const answer = quiet(rejects(Refused, client.say("ahoy")));
  await server.advance(0);
  const [[cid]] = said();
  const unknown = () => server.say({ type: "UNSAID", channel: 5, cid, reason: "unknown", text: "the disk is gone" });
  for (const seconds of [2, 4, 8]) {
    await unknown();
    await server.advance(seconds * 1000 - 600);
    equal(said(), [], `before ${seconds} s`);
    await server.say({ type: "PING", number: 1, time: 0 }); // else it counts as silent, and the line waits
    await server.advance(1200);
    equal(said(), [[cid, "ahoy"]], `after ${seconds} s`);
  }
  equal(client.chat.messageQueue.length, 1);
  await unknown();
  equal([(await answer).reason, client.chat.messageQueue], ["unknown", []]);
});

test("a reconnection says an unknown line at once, and not again by the clock", async () => {
  const { server, client, said } = await load();
  const answer = client.say("ahoy");
  await server.advance(0);
  const [[cid]] = said();
  await server.say({ type: "UNSAID", channel: 5, cid, reason: "unknown", text: "" });
  await server.drop();
  await server.advance(500);
  await server.accept();
  await server.welcome();
  await server.joined({ schema: null });
  await server.advance(0);
  equal(said(), [[cid, "ahoy"]]);
  await server.say({ type: "HISTORY", channel: 5, epoch: 900, next: 0, gap: false, lines: [] });
  await server.advance(5000);
  equal(said(), []);
  await server.say({ type: "SAID", channel: 5, cid, offset: 3 });
  equal(await answer, 3);
});

test("what waited and comes too fast is said again when the server says; what is said now is refused", async () => {
  const { server, client, said } = await load();
  await server.drop();
  const answers = Array.from({ length: 64 }, (_, i) => client.say(`${i}`));
  await server.advance(500);
  await server.accept();
  await server.welcome();
  await server.joined({ schema: null });
  let kept = 0;
  const refused = new Set();
  for (let turn = 0; turn < 100 && kept < 64; turn++) {
    for (const [cid] of said()) {
      if (kept % 3 !== 2 || refused.has(cid)) await server.say({ type: "SAID", channel: 5, cid, offset: kept++ });
      else await server.say({ type: "UNSAID", channel: 5, cid, reason: "slow-down", text: "", wait: 1000 });
      refused.add(cid);
    }
    await server.advance(1500);
  }
  equal(await Promise.all(answers), Array.from({ length: 64 }, (_, i) => i), "in their order");
  const now = quiet(rejects(Refused, client.say("now")));
  await server.advance(0);
  await server.say({ type: "UNSAID", channel: 5, cid: said()[0][0], reason: "slow-down", text: "", wait: 1000 });
  equal((await now).reason, "slow-down");
});

test("a server that never has time is told as such", async () => {
  const { server, client, said } = await load();
  await server.drop();
  const answer = quiet(rejects(Refused, client.say("ahoy")));
  await server.advance(500);
  await server.accept();
  await server.welcome();
  await server.joined({ schema: null });
  let tries = 0;
  for (let turn = 0; turn < 20; turn++) {
    await server.advance(1000);
    for (const [cid] of said()) await server.say({ type: "UNSAID", channel: 5, cid, reason: "slow-down", text: "", wait: 1 }, { type: "PING", number: ++tries, time: 0 });
  }
  equal([(await answer).reason, tries], ["slow-down", 9]);
});

test("after a reload an unanswered line is said again under the same id, and answered lines are not", async () => {
  const tab = token();
  const before = await load({ tab });
  quiet(before.client.say("one"));
  quiet(before.client.say("two"));
  await before.server.advance(0);
  const [[first], [second]] = before.said();
  await before.server.say({ type: "SAID", channel: 5, cid: first, offset: 0 });
  const after = await load({ tab });
  equal([after.said(), after.told], [[[second, "two"]], ["queued two"]]);
  await after.server.say({ type: "SAID", channel: 5, cid: second, offset: 1 });
  equal([after.told, after.client.chat.messageQueue], [["queued two", "said two 1"], []]);
  equal((await load({ tab })).told, []);
});

test("a line said while away is kept over a reload too, whoever we are then", async () => {
  const tab = token();
  const before = await load({ tab });
  await before.server.drop();
  quiet(before.client.say("later"));
  const after = await load({ tab, user: "u9" });
  equal(after.said().map(([, text]) => text), ["later"]);
});

test("a line that the history has is kept: it is not said again", async () => {
  const tab = token();
  const before = await load({ tab });
  quiet(before.client.say("ahoy"));
  await before.server.advance(0);
  const [[cid]] = before.said();
  const after = await load({ tab, user: "u9", history: [line(4, "ahoy", { sender: "u1", cid })] });
  equal([after.said(), after.told], [[], []]);
  equal((await load({ tab })).said(), []);
});

test("a guest who is another user now is told what nobody knows, and says nothing twice", async () => {
  const tab = token();
  const before = await load({ tab });
  quiet(before.client.say("ahoy"));
  await before.server.advance(0);
  const after = await load({ tab, user: "u9" });
  equal([after.said(), after.told], [[], ["queued ahoy", "unsaid ahoy unknown"]]);
});

test("the lines of a user with a name that lasts wait for that user", async () => {
  const tab = token();
  const before = await load({ tab, guest: false });
  quiet(before.client.say("ahoy"));
  await before.server.advance(0);
  const [[cid]] = before.said();
  const other = await load({ tab, guest: false, user: "u9" });
  equal([other.said(), other.told], [[], []]);
  equal((await load({ tab, guest: false })).said(), [[cid, "ahoy"]]);
});

test("another tab, another room, and a guest beside a user do not say each other's lines", async () => {
  const tab = token();
  const before = await load({ tab });
  quiet(before.client.say("ahoy"));
  for (const other of [{ tab: token() }, { tab, room: "b" }, { tab, guest: false }]) {
    const { said, told } = await load(other);
    equal([said(), told], [[], []]);
  }
});

test("a line of more than a day ago is not said again", async () => {
  const tab = token();
  const store = new ChatStore("a", true, Promise.resolve(tab));
  const old = { channel: "", kind: 0, text: "old", about: -1, epoch: 0, to: "", data: null, user: "u1" };
  store.put({ ...old, cid: token(), time: Date.now() - DAY_MS - 1000 });
  store.put({ ...old, cid: token(), time: Date.now() - DAY_MS + 60_000, text: "young" });
  const { said, told } = await load({ tab });
  equal([said().map(([, text]) => text), told], [["young"], ["queued old", "unsaid old unknown", "queued young"]]);
});

test("a change of a line of another epoch is not made", async () => {
  const tab = token();
  const before = await load({ tab, history: [line(0, "zero")] });
  await before.server.drop();
  quiet(before.client.chat.delete(0));
  const after = await load({ tab, epoch: 77 });
  equal([after.said(), after.told], [[], ["queued ", "unsaid  not-there"]]);
});

test("lines of a connection that was lost with its user are unknown, if the history does not have them", async () => {
  const { server, client, said } = await load();
  const [kept, lost] = [client.say("kept"), quiet(rejects(Refused, client.say("lost")))];
  await server.advance(0);
  const [[cid]] = said();
  await server.drop();
  const never = client.say("never sent");
  await server.advance(500);
  await server.accept();
  await server.welcome({ user: "u9", session: "s9" });
  await server.joined({ schema: null });
  await server.advance(0);
  const [[third, text], ...more] = said();
  equal([text, more], ["never sent", []], "those of another user wait for the history");
  await server.history([line(0, "kept", { sender: "u1", cid })]);
  await server.say({ type: "SAID", channel: 5, cid: third, offset: 1 });
  equal([await kept, (await lost).reason, await never], [0, "unknown", 1]);
});

test("what is said last before the client ends was never sent, or is unknown", async () => {
  const { server, client } = await load();
  const first = quiet(rejects(Refused, client.say("sent")));
  await server.advance(0);
  await server.drop();
  const second = quiet(rejects(Refused, client.say("not sent")));
  client.disconnect();
  equal([(await first).reason, (await second).reason], ["unknown", "failed"]);
});

test("a browser that refuses its database has a chat all the same", async () => {
  const { indexedDB } = window;
  for (const value of [undefined, { open() { throw new DOMException("no", "SecurityError"); } }]) {
    Object.defineProperty(window, "indexedDB", { value, configurable: true });
    try {
      const { server, client, said } = await load({ tab: token() });
      const answer = client.say("ahoy");
      await server.advance(0);
      await server.say({ type: "SAID", channel: 5, cid: said()[0][0], offset: 0 });
      equal(await answer, 0);
    } finally {
      Object.defineProperty(window, "indexedDB", { value: indexedDB, configurable: true });
    }
  }
});

test("a page that is left with lines on their way says no goodbye, and the next one takes up its session", async () => {
  const { server, client } = await load();
  quiet(client.say("ahoy"));
  const resume = client.suspend();
  equal([resume, server.socket.closedWith, server.take().at(-1).type], ["secret 1", 4000, "SAY"]);
  await server.advance(60_000);
  equal([server.sockets.length, client.status], [1, "offline: the page was left"]);
  const next = new NetworkClient({ url: "ws://test/ws", outside: server.outside, resume });
  quiet(next.connect());
  await server.accept();
  equal(server.take("HELLO")[0].resume, "secret 1");
});

test("a tab has one id", async () => {
  const id = await tabId();
  equal([await tabId(), sessionStorage.getItem("meteor-net:tab")], [id, id]);
  ok((await navigator.locks.query()).held.some(({ name }) => name.endsWith(id)), "and holds it");
});

test("a copy of a tab finds the id held, and takes another", async () => {
  const id = await tabId();
  const frame = document.createElement("iframe"); // it has the storage of its tab, as a copied tab has a copy
  frame.src = "/tests/empty.html";
  document.body.append(frame);
  await new Promise((resolve) => { frame.onload = resolve; });
  const copy = await importIn(frame);
  ok(copy !== id, copy);
  frame.remove();
  sessionStorage.setItem("meteor-net:tab", id);
});

/** The id that a page in a frame takes. */
async function importIn(frame) {
  const script = frame.contentDocument.createElement("script");
  script.type = "module";
  script.src = "/tests/tab-id.js";
  frame.contentDocument.head.append(script);
  while (!frame.contentWindow.tabId) await settle();
  return frame.contentWindow.tabId;
}
