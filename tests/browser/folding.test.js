import { NetworkClient } from "/meteor-net/client.js";
import { Refused } from "/meteor-net/errors.js";
import { LineKind } from "/meteor-net/messages.js";
import { FakeServer, line } from "/tests/fake.js";
import { equal, ok, rejects, test } from "/tests/harness.js";

const { EMOJI, REACTION, UNREACTION, EDIT, DELETE, PRIVATE, ME } = LineKind;

async function inside(history = [], more = {}) {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  client.connect().catch(() => {});
  await server.accept();
  await server.welcome();
  await server.joined({ tick: 0, channels: [[5, "main", 900, 0], [6, "@u1", 901, 0]] });
  const told = [];
  for (const kind of ["line", "change"]) client.on(kind, ({ offset, text }) => told.push(`${kind} ${offset} ${text}`));
  await server.history(history, more);
  await server.history([], { channel: 6, epoch: 901 });
  server.take();
  const change = (offset, kind, about, text, extra = {}) => server.line(offset, text, { kind, about, ...extra });
  return { server, client, told, change, shown: (offset) => show(client.chat.find(offset)) };
}

/** A line as a reader sees it. */
function show({ text, edited, deleted, reactions }) {
  const marks = [edited && "edited", deleted && "deleted"].filter(Boolean);
  return [text, ...marks, ...[...reactions].map(([emoji, { count, mine }]) => `${emoji} ${count}${mine ? " mine" : ""}`)].join(", ");
}

test("a reaction counts as its line says, and is ours if we sent it", async () => {
  const { change, shown, told, client } = await inside([line(0, "ahoy")]);
  await change(1, REACTION, 0, "🌊", { reactions: [["🌊", 5, false]] });
  await change(2, REACTION, 0, "👍", { sender: "u1", reactions: [["👍", 1, false]] });
  equal(shown(0), "ahoy, 🌊 5, 👍 1 mine");
  await change(3, UNREACTION, 0, "🌊", { reactions: [["🌊", 4, false]] });
  await change(4, UNREACTION, 0, "👍", { sender: "u1", reactions: [["👍", 0, false]] });
  equal(shown(0), "ahoy, 🌊 4");
  equal(client.chat.messageHistory.length, 1, "they are no lines of their own");
  equal(told, ["line 0 ahoy", "change 0 ahoy", "change 0 ahoy", "change 0 ahoy", "change 0 ahoy"]);
});

test("a reaction without a count is counted", async () => {
  const { change, shown } = await inside([line(0, "ahoy")]);
  await change(1, REACTION, 0, "🌊");
  await change(2, REACTION, 0, "🌊", { sender: "u1" });
  equal(shown(0), "ahoy, 🌊 2 mine");
  await change(3, UNREACTION, 0, "🌊");
  equal(shown(0), "ahoy, 🌊 1 mine");
});

test("an edited line has its new text, a deleted one has none", async () => {
  const { change, shown, client } = await inside([line(0, "ahoi"), line(1, "oops", { reactions: [["🌊", 1, true]] })]);
  await change(2, EDIT, 0, "ahoy ann", { mentions: ["u1"] });
  await change(3, DELETE, 1, "");
  equal([shown(0), shown(1), client.chat.find(0).mentioned], ["ahoy ann, edited", ", deleted", true]);
});

test("an edit that another change took the place of is passed over, and a deleted line stays deleted", async () => {
  const { change, shown, told } = await inside([line(0, "ahoi"), line(1, "", { state: 2 })]);
  await change(2, EDIT, 0, "");
  await change(3, EDIT, 0, "ahoy");
  await change(4, EDIT, 1, "here again");
  equal([shown(0), shown(1)], ["ahoy, edited", ", deleted"]);
  equal(told, ["line 0 ahoi", "line 1 ", "change 0 ahoy"]);
});

test("a change of a line that is not held is no hole and no line", async () => {
  const { change, told } = await inside([line(7, "seven")], { next: 8 });
  await change(8, EDIT, 3, "three");
  await change(9, REACTION, 100, "🌊");
  await change(10, 0, -1, "ten");
  equal(told, ["line 7 seven", "line 10 ten"]);
});

test("a summary has its changes in it: they are not counted again", async () => {
  const { server, shown } = await inside([line(0, "zero"), line(1, "one")]);
  await server.drop();
  await server.advance(500);
  await server.accept();
  await server.welcome();
  await server.joined({ schema: null });
  // What a resuming client gets: every line since, as it stands now. 0 is older than the place; 2 is in the summary.
  await server.history([
    line(2, "two, mended", { state: 1, reactions: [["👍", 1, true]] }), line(3, "two", { kind: EDIT, about: 2 }), line(4, "👍", { kind: REACTION, about: 2, sender: "u1" }),
    line(5, "zero, mended", { kind: EDIT, about: 0 }), line(6, "🌊", { kind: REACTION, about: 0 }),
  ]);
  equal([shown(0), shown(2)], ["zero, mended, edited, 🌊 1", "two, mended, edited, 👍 1 mine"]);
  await server.line(7, "👍", { kind: UNREACTION, about: 2, sender: "u1", reactions: [["👍", 0, false]] });
  equal(shown(2), "two, mended, edited");
});

test("a newcomer's page has holes where changes were, and that is no gap", async () => {
  const { told, client } = await inside([line(3, "three", { state: 1 }), line(6, "six")], { next: 9 });
  equal(told, ["line 3 three", "line 6 six"]);
  equal(client.chat.messageHistory.map(({ kind }) => kind), ["text", "text"]);
});

test("kinds are told by their names, a game's own by its number", async () => {
  const { server, client } = await inside();
  await server.line(0, "🌊", { kind: EMOJI });
  await server.line(1, "waves", { kind: ME, about: 0 });
  await server.line(2, "?", { kind: 9 });
  await server.line(3, "", { kind: 64, data: new Map([["score", 3]]) });
  await server.line(0, "psst", { channel: 6, kind: PRIVATE, to: "u1" });
  await server.line(4, "@ann look", { mentions: ["u1"] });
  equal(client.chat.messageHistory.map(({ kind, channel }) => `${channel} ${kind}`), ["main emoji", "main me", "main 64", "@u1 private", "main text"]);
  const [, me, game, secret, last] = client.chat.messageHistory;
  equal([me.about, game.data, secret.to, last.mentioned, me.mentioned], [0, new Map([["score", 3]]), "u1", true, false]);
});

test("every verb says a line of its kind", async () => {
  const { server, client } = await inside([line(0, "zero")]);
  const { chat } = client;
  const answers = [
    chat.sendMessage("yes", { about: 0 }), chat.sendEmoji("🌊"), chat.react(0, "👍"), chat.unreact(0, "👍"), chat.edit(0, "nil"), chat.delete(0),
    chat.sendPrivate("u2", "psst"), chat.sendMessage("", { kind: 64, data: [1, 2] }), chat.react(3, "👍", "@u1"),
  ];
  await server.advance(0);
  equal(server.take("SAY").map(({ channel, kind, text, about, to, data }) => [channel, kind, text, about, to, data]), [
    [5, 0, "yes", 0, "", null], [5, EMOJI, "🌊", -1, "", null], [5, REACTION, "👍", 0, "", null], [5, UNREACTION, "👍", 0, "", null], [5, EDIT, "nil", 0, "", null],
    [5, DELETE, "", 0, "", null], [6, PRIVATE, "psst", -1, "u2", null], [5, 64, "", -1, "", [1, 2]], [6, REACTION, "👍", 3, "", null],
  ]);
  for (const answer of answers) answer.catch(() => {});
  for (const wrong of [chat.sendEmoji(""), chat.edit(0, " "), chat.react(0, "")]) equal((await rejects(Refused, wrong)).reason, "bad-text");
  const deep = (levels) => (levels ? [deep(levels - 1)] : 0);
  for (const data of ["x".repeat(5000), NaN, { an: "object" }, deep(9)]) equal((await rejects(Refused, chat.sendMessage("", { kind: 64, data }))).reason, "bad-text");
  for (const offset of [null, -2, 1.5, "3"]) equal((await rejects(Refused, chat.react(offset, "👍"))).reason, "bad-text");
  for (const options of [{ kind: 70_000 }, { channel: null }]) equal((await rejects(Refused, chat.sendMessage("x", options))).reason, "bad-text");
  for (const user of [null, "u".repeat(65)]) equal((await rejects(Refused, chat.sendPrivate(user, "x"))).reason, "bad-text");
  chat.lineChars = 8192;
  equal((await rejects(Refused, chat.sendMessage("ü".repeat(5000)))).reason, "bad-text", "bytes");
  chat.sendMessage("", { kind: 64, data: deep(8) }).catch(() => {});
  await server.advance(0);
  equal(server.take("SAY").length, 1, "and nothing of that waits");
});

test("earlier lines come in pages, as they stand, until there are none", async () => {
  const { server, client, told } = await inside([line(6, "six"), line(7, "seven")], { next: 9 });
  ok(client.chat.hasEarlier());
  const asked = client.chat.earlier(2);
  equal(client.chat.earlier(2) === asked, true, "one at a time");
  await server.advance(0);
  equal(server.take("EARLIER"), [{ type: "EARLIER", channel: 5, before: 6, limit: 2 }]);
  await server.say({ type: "PAGE", channel: 5, epoch: 900, before: 6, more: true, lines: [line(2, "two"), line(5, "five", { reactions: [["🌊", 2, true]] })] });
  const page = await asked;
  equal([page.lines.map(show), page.more], [["two", "five, 🌊 2 mine"], true]);
  equal(client.chat.messageHistory.map(({ offset }) => offset), [2, 5, 6, 7]);
  await server.line(9, "🌊", { kind: REACTION, about: 5, reactions: [["🌊", 3, false]] });
  equal(show(client.chat.find(5)), "five, 🌊 3 mine");
  const last = client.chat.earlier();
  await server.advance(0);
  equal(server.take("EARLIER"), [{ type: "EARLIER", channel: 5, before: 2, limit: 50 }]);
  await server.say({ type: "PAGE", channel: 5, epoch: 900, before: 2, more: false, lines: [line(1, "one")] });
  equal([(await last).more, client.chat.hasEarlier(), await client.chat.earlier()], [false, false, { lines: [], more: false }]);
  equal(told, ["line 6 six", "line 7 seven", "change 5 five"], "pages are told by their promise");
});

test("earlier lines that are refused, or lost with the connection, are told", async () => {
  const { server, client } = await inside([line(6, "six")]);
  const first = client.chat.earlier();
  await server.say({ type: "ERROR", about: 5, reason: "slow-down", text: "not so fast" });
  equal((await rejects(Refused, first)).reason, "slow-down");
  const second = client.chat.earlier();
  await server.drop();
  equal([(await rejects(Refused, second)).reason, (await rejects(Refused, client.chat.earlier())).reason], ["failed", "failed"]);
});

test("after a gap pages go on from the new lines", async () => {
  const { server, client } = await inside([line(0, "zero")]);
  await server.drop();
  await server.advance(500);
  await server.accept();
  await server.welcome();
  await server.joined({ schema: null });
  await server.history([line(500, "late")], { gap: true });
  equal(client.chat.messageHistory.map(({ kind, text }) => kind === "gap" ? kind : text), ["gap", "late"]);
  const asked = client.chat.earlier();
  await server.advance(0);
  equal(server.take("EARLIER")[0].before, 500);
  await server.say({ type: "PAGE", channel: 5, epoch: 900, before: 500, more: true, lines: [line(499, "before")] });
  await asked;
  equal(client.chat.messageHistory.map(({ kind, text }) => kind === "gap" ? kind : text), ["gap", "before", "late"]);
});

test("lines of pages are bounded", async () => {
  const { server, client } = await inside([line(9000, "newest")]);
  for (let top = 9000; client.chat.hasEarlier(); top -= 100) {
    const asked = client.chat.earlier(100);
    await server.say({ type: "PAGE", channel: 5, epoch: 900, before: top, more: true, lines: Array.from({ length: 100 }, (_, i) => line(top - 100 + i, "x")) });
    await asked;
  }
  ok(client.chat.messageHistory.length < 4100, `${client.chat.messageHistory.length}`);
  await server.line(9001, "one more");
  equal(client.chat.messageHistory.at(-1).text, "one more");
  ok(client.chat.messageHistory.length <= 4001, `${client.chat.messageHistory.length}`);
});

test("slow mode is told, and how long to wait", async () => {
  const { server, client } = await inside();
  const waits = [];
  client.on("slow", (ms) => waits.push(ms));
  const [first, second] = [client.say("one"), client.say("two")];
  await server.advance(0);
  const [one, two] = server.take("SAY");
  await server.say({ type: "SAID", channel: 5, cid: one.cid, offset: 0, wait: 3000 }, { type: "UNSAID", channel: 5, cid: two.cid, reason: "slow-down", text: "slowly", wait: 2900 });
  const refused = await rejects(Refused, second);
  equal([await first, refused.reason, refused.wait, waits], [0, "slow-down", 2900, [3000, 2900]]);
});
