import { NetworkClient } from "/meteor-net/client.js";
import { ConnectionFailed, FrameError, MessageError, Refused, comeBack } from "/meteor-net/errors.js";
import { NetworkErrorHandler, mostWait, rowOfCode } from "/meteor-net/recovery.js";
import { BAD_STEP, FakeServer, KEYFRAME } from "/tests/fake.js";
import { equal, ok, rejects, test } from "/tests/harness.js";

async function inside(config = {}) {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside, ...config });
  const errors = [];
  client.on("error", ({ error, fault, answer, final }) => errors.push([error.name, fault, answer, final]));
  const joined = client.connect();
  joined.catch(() => {});
  await server.letIn();
  await joined;
  server.take();
  return { server, client, errors };
}

test("every close code has one answer, and it is the one of the wire page", () => {
  for (let code = 0; code <= 5000; code++) {
    equal(rowOfCode(code).answer, comeBack(code) ? "resume" : "give-up", `${code}`);
  }
});

test("the wait depends on the close code: a crowd is spread, a busy server is left in peace", () => {
  const first = (code) => mostWait(code, 0);
  equal([1006, 4000, 4001, 4002, 4003, 1013, 1012].map(first), [500, 2000, 1000, 500, 1000, 5000, 2000]);
  equal([0, 1, 2, 3, 4, 5, 16].map((rounds) => mostWait(1006, rounds)), [500, 1000, 2000, 4000, 8000, 8000, 8000]);
  equal([1, 2, 3].map((rounds) => mostWait(4000, rounds)), [1000, 2000, 4000]);
  equal([1, 2, 3].map((rounds) => mostWait(1013, rounds)), [10_000, 20_000, 30_000]);
});

test("a handler reports each error, and does what the table says when it is asked to", () => {
  const done = [];
  const told = [];
  const handler = new NetworkErrorHandler({
    resume: (error) => done.push(["resume", error.code]), fallback: () => done.push("fallback"), "give-up": () => done.push("give-up"),
  }, ({ answer, fault, final, hopeless }) => told.push([answer, fault, final, hopeless]));
  equal([handler.attemptRecovery(), handler.last], [true, null]);
  const cases = [
    [() => handler.handleConnectionError(new ConnectionFailed("lost", 1006)), true],
    [() => handler.handleConnectionError(new ConnectionFailed("blocked", 1006), true), true],
    [() => handler.handleConnectionError(new ConnectionFailed("no", 4503)), false],
    [() => handler.handleMessageError(new FrameError("no step")), true],
    [() => handler.handleMessageError(new MessageError("no event 9")), false],
    [() => handler.handleMessageError(new Refused("later", "slow-down")), true],
    [() => handler.handleMessageError(new Refused("no", "room-full")), false],
    [() => handler.sessionLost("another session"), true],
  ];
  for (const [happens, goesOn] of cases) {
    happens();
    equal(handler.attemptRecovery(), goesOn);
  }
  equal(done, [["resume", 1006], "fallback", "give-up", "give-up", "give-up"]);
  equal(told, [
    ["resume", "network", false, false], ["fallback", "network", false, false], ["give-up", "ours", true, true], ["resync", "theirs", false, false],
    ["give-up", "theirs", true, false], ["resend", "ours", false, false], ["give-up", "ours", true, false], ["rejoin", "network", false, false],
  ]);
});

test("a page hears of each error, and the monitor counts them", async () => {
  const { server, client, errors } = await inside();
  await server.frame(21, BAD_STEP);
  equal([errors, server.take("LOST").length], [[["FrameError", "theirs", "resync", false]], 1]);
  await server.frame(22, KEYFRAME, 0);
  await server.drop(1006);
  await server.advance(1000);
  await server.letIn();
  await server.drop(4505, "no shouting");
  equal(errors.slice(1), [["ConnectionFailed", "network", "resume", false], ["ConnectionFailed", "ours", "give-up", true]]);
  const { metrics } = client.report();
  equal([metrics.errors, metrics.errors_resync, metrics.errors_resume, metrics["errors_give-up"]], [3, 1, 1, 1]);
});

test("a session that is over is told, and the room is joined anew", async () => {
  const { server, client, errors } = await inside();
  await server.drop(1006);
  await server.advance(1000);
  await server.accept();
  await server.welcome({ session: "s2" });
  equal(errors.at(-1), ["ConnectionFailed", "network", "rejoin", false]);
  equal(server.take("JOIN").length, 1);
  equal(client.status, "online");
});

test("a room that has no time for us is asked again, and not for ever", async () => {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  const joined = client.connect();
  joined.catch(() => {});
  await server.accept();
  await server.welcome();
  const slow = { type: "ERROR", about: 50, reason: "slow-down", text: "not so fast" };
  for (let i = 0; i < 2; i++) {
    equal(server.take("JOIN").length, 1);
    await server.say(slow);
    equal(server.take("JOIN").length, 0, "not at once");
    await server.advance(4500);
    await server.say({ type: "PING", number: 1, time: 1 });
  }
  equal(server.take("JOIN").length, 1);
  await server.joined();
  await server.history();
  await server.frame(20, KEYFRAME, 0, [[0, 3, [0], ["ann"]]]);
  await joined;

  const strict = new FakeServer();
  const other = new NetworkClient({ url: "ws://test/ws", outside: strict.outside }).connect();
  other.catch(() => {});
  await strict.accept();
  await strict.welcome();
  for (let i = 0; i < 6; i++) {
    await strict.say(slow);
    await strict.advance(8500);
    await strict.say({ type: "PING", number: 1, time: 1 });
  }
  equal((await rejects(Refused, other)).reason, "slow-down");
  equal(strict.take("JOIN").length, 6);
});

test("a room that does not answer JOIN is given up with its connection", async () => {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  client.connect().catch(() => {});
  await server.accept();
  await server.welcome();
  for (let i = 0; i < 8; i++) {
    await server.advance(2000);
    if (server.sockets.length === 1) await server.say({ type: "PING", number: 1, time: 1 });
  }
  equal([server.sockets[0].closedWith, server.sockets.length], [4002, 2]);
  ok(client.status === "connecting", client.status);
});
