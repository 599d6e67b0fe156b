import { NetworkClient } from "/meteor-net/client.js";
import { Refused } from "/meteor-net/errors.js";
import { FakeServer, line } from "/tests/fake.js";
import { equal, ok, rejects, test } from "/tests/harness.js";

async function inside(history) {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  const joined = client.connect();
  joined.catch(() => {});
  await server.accept();
  await server.welcome();
  await server.joined({ tick: 0 });
  const told = [];
  client.on("line", ({ kind, text }) => told.push(kind === "text" ? text : `${kind}: ${text}`));
  if (history) await server.history(history);
  server.take();
  return { server, client, told };
}

async function comeBack(server) {
  await server.drop();
  await server.advance(500);
  await server.accept();
  await server.welcome();
}

test("the lines of before come first, then those of now; each once", async () => {
  const { server, client, told } = await inside();
  await server.line(2, "two");
  await server.line(3, "three");
  equal(told, []);
  await server.history([line(1, "one"), line(2, "two")]);
  await server.line(3, "three");
  await server.line(4, "", { kind: 1, sender: "", name: "", text: "ann sails in" });
  equal(told, ["one", "two", "three", "notice: ann sails in"]);
  equal(client.chat.messageHistory.map(({ offset, name, own }) => [offset, name, own]), [[1, "bob", false], [2, "bob", false], [3, "bob", false], [4, "", false]]);
});

test("a line is answered by its offset, or by why it was refused", async () => {
  const { server, client } = await inside([]);
  const [first, second, third] = [client.say("ahoy"), client.say("badword"), client.say("/help")];
  await server.advance(0);
  const said = server.take("SAY");
  equal(said.map(({ channel, kind, text }) => [channel, kind, text]), [[5, 0, "ahoy"], [5, 0, "badword"], [5, 0, "/help"]]);
  equal(new Set(said.map(({ cid }) => cid)).size, 3);
  ok(said.every(({ cid }) => cid.length <= 36), said[0].cid);
  equal(client.chat.messageQueue.length, 3);
  await server.say({ type: "SAID", channel: 5, cid: said[0].cid, offset: 7 }, { type: "UNSAID", channel: 5, cid: said[1].cid, reason: "refused", text: "mind your words" },
    { type: "SAID", channel: 5, cid: said[2].cid, offset: -1 });
  equal([await first, (await rejects(Refused, second)).text, await third], [7, "mind your words", -1]);
  equal(client.chat.messageQueue, []);
});

test("what cannot be a line is refused here", async () => {
  const { server, client } = await inside([]);
  for (const text of ["", "  \n", "x".repeat(101), 5]) equal((await rejects(Refused, client.say(text))).reason, "bad-text");
  equal(server.take("SAY"), []);
  client.say("🌊".repeat(100)).catch(() => {});
  await server.advance(0);
  equal(server.take("SAY").length, 1, "characters are code points");
  for (let i = 1; i < 64; i++) client.say("x").catch(() => {});
  equal((await rejects(Refused, client.say("x"))).reason, "slow-down");
});

test("a line that was not answered is said again with the same cid, one said offline is said then", async () => {
  const { server, client } = await inside([]);
  const first = client.say("ahoy");
  await server.advance(0);
  const [{ cid }] = server.take("SAY");
  await server.drop();
  const second = client.say("again");
  await server.advance(500);
  await server.accept();
  await server.welcome();
  await server.joined({ schema: null });
  const [again, ...more] = server.take("SAY");
  equal([again.text, again.cid, more], ["ahoy", cid, []], "what waited goes out one by one, in its order");
  const third = client.say("and again");
  await server.say({ type: "SAID", channel: 5, cid, offset: 0 });
  const [next] = server.take("SAY");
  equal(next.text, "again");
  await server.say({ type: "SAID", channel: 5, cid: next.cid, offset: 1 });
  const [last] = server.take("SAY");
  equal(last.text, "and again", "and what is said meanwhile behind it");
  await server.say({ type: "SAID", channel: 5, cid: last.cid, offset: 2 });
  equal(await third, 2);
  equal([await first, await second], [0, 1]);
});

test("a line that was sent before may be kept, whatever is answered the second time", async () => {
  const { server, client } = await inside([]);
  const said = client.say("ahoy");
  await server.advance(0);
  const [{ cid }] = server.take("SAY");
  await comeBack(server);
  await server.joined({ schema: null });
  server.take("SAY");
  await server.say({ type: "UNSAID", channel: 5, cid, reason: "failed", text: "the disk is full" });
  equal(client.chat.messageQueue.length, 1, "storage failed this time: it is tried again");
  await server.say({ type: "UNSAID", channel: 5, cid, reason: "muted", text: "hush" });
  const error = await rejects(Refused, said);
  equal([error.reason, error.text], ["unknown", "hush"]);
});

test("our own line in the history is its answer", async () => {
  const { server, client } = await inside([]);
  const said = client.say("ahoy");
  await server.advance(0);
  const [{ cid }] = server.take("SAY");
  await comeBack(server);
  await server.joined({ schema: null });
  await server.history([line(0, "ahoy", { sender: "u1", name: "ann", cid })]);
  equal(await said, 0);
  equal(client.chat.messageHistory.map(({ text, own }) => [text, own]), [["ahoy", true]]);
});

test("after a loss exactly what was missed comes", async () => {
  const { server, told } = await inside([line(0, "zero"), line(1, "one")]);
  await comeBack(server);
  equal(server.take("JOIN")[0].places.get("channels"), new Map([["main", [900, 1]]]));
  await server.joined({ schema: null, channels: [[6, "main", 900, 4]] });
  await server.say({ type: "HISTORY", channel: 6, epoch: 900, next: 4, gap: false, lines: [line(2, "two"), line(3, "three")] });
  equal(told, ["zero", "one", "two", "three"]);
});

test("a gap is told, where it is: too many lines were missed", async () => {
  const { server, client, told } = await inside([line(0, "zero")]);
  const gaps = [];
  client.on("gap", (gap) => gaps.push(gap));
  await comeBack(server);
  await server.joined({ schema: null });
  await server.history([line(500, "late")], { gap: true });
  equal(told, ["zero", "gap: Earlier lines are gone.", "late"]);
  equal(gaps, [{ what: "lines", channel: "main" }]);
});

test("a server that began anew has another epoch: the gap is told and offsets begin anew", async () => {
  const { server, told } = await inside([line(0, "zero"), line(1, "one")]);
  await comeBack(server);
  await server.joined({ channels: [[5, "main", 901, 1]] });
  await server.history([line(0, "new zero")], { epoch: 901, gap: true });
  await server.line(1, "new one");
  equal(told, ["zero", "one", "gap: Earlier lines are gone.", "new zero", "new one"]);
});

test("a hole between live lines is told", async () => {
  const { server, told } = await inside([]);
  await server.line(0, "zero");
  await server.line(2, "two");
  equal(told, ["zero", "gap: Earlier lines are gone.", "two"]);
});

test("lines of kinds of a later version are left out, and their places held", async () => {
  const { server, told } = await inside([]);
  await server.line(0, "?", { kind: 9 });
  await server.line(1, "one");
  equal(told, ["one"]);
});

test("the newest thousand lines are kept", async () => {
  const { server, client } = await inside([]);
  for (let i = 0; i < 1100; i++) await server.line(i, `${i}`);
  equal([client.chat.messageHistory.length, client.chat.messageHistory[0].text], [1000, "100"]);
});

test("a history that is none ends the connection", async () => {
  const { server, client } = await inside();
  await server.history([["zero"]], { next: 1 });
  ok(client.status.startsWith("offline: LINE"), client.status);
});
