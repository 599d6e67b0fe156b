import { NetworkClient } from "/meteor-net/client.js";
import { Simulation, faultsOf, simulated } from "/meteor-net/simulate.js";
import { FakeServer } from "/tests/fake.js";
import { equal, ok, test, throws } from "/tests/harness.js";

/** A socket on a bad network that is open; and what came of it, and when. */
async function opened(faults) {
  const server = new FakeServer();
  const begin = server.now;
  const log = [];
  const simulation = new Simulation(faults);
  const socket = simulated(server.outside, simulation).open("ws://test/ws", "meteor.v1", "websocket");
  socket.onopen = () => log.push(["open", server.now - begin]);
  socket.onmessage = ({ data }) => log.push([new Uint8Array(data)[0], server.now - begin]);
  socket.onclose = ({ code }) => log.push([`closed ${code}`, server.now - begin]);
  await server.accept();
  return { server, socket, simulation, log, since: () => server.now - begin };
}

const packet = (number, bytes = 1) => new Uint8Array(bytes).fill(number);

/** A number of packets come down, one every `every` milliseconds. */
async function down(server, count, every, bytes = 1) {
  for (let i = 0; i < count; i++) {
    await server.sayBytes(packet(i, bytes));
    await server.advance(every);
  }
}

test("without faults nothing is late, and no timer is used for it", async () => {
  const { server, socket, log } = await opened({});
  await server.sayBytes(packet(7));
  equal([log, socket.readyState, socket.protocol], [[["open", 0], [7, 0]], 1, "meteor.v1"]);
});

test("a round trip takes the latency longer: opening takes one and a half, each way a half", async () => {
  const { server, socket, log } = await opened({ latency: 200 });
  equal(socket.readyState, 0);
  await server.advance(300);
  await server.sayBytes(packet(1));
  await server.advance(1000);
  equal(log, [["open", 300], [1, 400]]);
  const heard = [];
  server.socket.send = (bytes) => heard.push([bytes[0], server.now]);
  const at = server.now;
  socket.send(packet(9, 30));
  equal([heard, socket.bufferedAmount], [[], 30]);
  await server.advance(100);
  equal([heard, socket.bufferedAmount], [[[9, at + 100]], 0]);
});

test("jitter and loss keep the order, and the seed gives the same again", async () => {
  const run = async (seed) => {
    const { server, log } = await opened({ latency: 100, jitter: 80, loss: 10, seed });
    await server.advance(2000);
    log.length = 0;
    await down(server, 200, 50);
    await server.advance(5000);
    return log;
  };
  const [first, again, other] = [await run(1), await run(1), await run(2)];
  equal(first, again);
  ok(JSON.stringify(first) !== JSON.stringify(other), "another seed is another run");
  equal(first.map(([number]) => number), Array.from({ length: 200 }, (_, i) => i));
  const late = first.map(([number, at]) => at - 2000 - 50 * number);
  ok(Math.min(...late) >= 10 && Math.min(...late) < 30, `the quickest came after ${Math.min(...late)} ms`);
  const stalled = late.filter((ms) => ms > 190).length;
  ok(stalled > 20 && stalled < 150, `${stalled} of 200 waited for a packet to be sent again`);
});

test("a lost packet holds up all behind it for as long as TCP takes to send it again", async () => {
  const { server, log } = await opened({ latency: 300, loss: 50, seed: 3 });
  await server.advance(60_000);
  log.length = 0;
  const at = server.now;
  await down(server, 5, 0);
  await server.advance(60_000);
  const [first] = log[0].slice(1).map((ms) => ms - (at - 1000) - 150);
  ok([0, 600, 1800, 4200, 9000].some((ms) => Math.abs(first - ms) < 1), `${first}`);
  equal(log.map(([number]) => number), [0, 1, 2, 3, 4]);
});

test("a narrow line lets so many bits pass in a second", async () => {
  const { server, log } = await opened({ kbits: 256 });
  await server.advance(100);
  log.length = 0;
  const at = server.now - 1000;
  for (let i = 0; i < 10; i++) await server.sayBytes(packet(i, 3140)); // with its head 3,200 bytes: 100 ms
  await server.advance(2000);
  equal(log.map(([, ms]) => Math.round(ms - at)), [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
});

test("nothing passes during a stall, and all of it comes after", async () => {
  const { server, socket, simulation, log } = await opened({ latency: 20 });
  await server.advance(100);
  log.length = 0;
  await server.sayBytes(packet(1));
  simulation.stall(3000);
  await server.sayBytes(packet(2));
  socket.send(packet(3));
  await server.advance(2900);
  equal([log, server.heard.length, socket.bufferedAmount], [[], 0, 1]);
  server.socket.send = () => {};
  await server.advance(200);
  equal([log.map(([number]) => number), socket.bufferedAmount], [[1, 2], 0]);
});

test("stalls and cuts come by themselves, about as often as is said", async () => {
  const simulation = new Simulation({ stall: 1000, stallEvery: 10_000, cut: 60_000, seed: 5 });
  const server = new FakeServer();
  const outside = simulated(server.outside, simulation);
  let stalls = 0;
  let cuts = 0;
  let socket;
  let sentAt = null;
  for (let ms = 0; ms < 600_000; ms += 100) {
    if (!socket || socket.readyState === 3) {
      socket = outside.open("ws://test/ws", "meteor.v1", "websocket");
      socket.onclose = () => { cuts++; sentAt = null; };
      socket.onmessage = () => { if (server.now - sentAt > 150) stalls++; sentAt = null; };
      await server.accept();
    }
    if (sentAt === null) {
      sentAt = server.now;
      await server.sayBytes(packet(1));
    }
    await server.advance(100);
  }
  ok(stalls > 30 && stalls < 90, `${stalls} stalls in ten minutes`);
  ok(cuts >= 4 && cuts <= 20, `${cuts} cuts in ten minutes`);
});

test("a cut ends what is connected, and for a while nothing connects", async () => {
  const { server, socket, simulation, log } = await opened({ latency: 50 });
  await server.advance(100);
  socket.send(packet(1));
  simulation.cut(5000);
  equal([log.at(-1)[0], socket.readyState, server.socket.closedWith, server.heard.length], ["closed 1006", 3, 4000, 0]);
  const closed = [];
  const retry = () => {
    const next = simulated(server.outside, simulation).open("ws://test/ws", "meteor.v1", "websocket");
    next.onclose = ({ code }) => closed.push(code);
    return next;
  };
  retry();
  await server.advance(100);
  equal([closed, server.sockets.length], [[1006], 1]);
  await server.advance(5000);
  retry();
  equal(server.sockets.length, 2);
});

test("the server's end comes behind all that it sent, and a page that leaves is heard at once", async () => {
  const { server, socket, log } = await opened({ latency: 100 });
  await server.advance(200);
  log.length = 0;
  const inner = server.socket;
  await server.sayBytes(packet(1));
  inner.onclose({ code: 4000, reason: "restarting" });
  await server.advance(200);
  equal(log.map(([what]) => what), [1, "closed 4000"]);
  equal(socket.readyState, 3);

  const leaving = await opened({ latency: 1000 });
  await leaving.server.advance(2000);
  const heard = [];
  leaving.server.socket.send = (bytes) => heard.push(bytes[0]);
  leaving.socket.send(packet(1));
  leaving.socket.close(1000);
  equal([heard, leaving.server.socket.closedWith, leaving.socket.bufferedAmount], [[1], 1000, 0]);
});

test("faults may be changed while it runs; what makes no sense is refused", async () => {
  const { server, simulation, log } = await opened({});
  simulation.set({ latency: 400 });
  log.length = 0;
  const at = server.now - 1000;
  await server.sayBytes(packet(1));
  await server.advance(500);
  equal(log, [[1, at + 200]]);
  for (const wrong of [{ latency: -1 }, { loss: 51 }, { loss: NaN }, { latency: "much" }, { pigeons: 2 }]) throws(TypeError, () => simulation.set({ jitter: 5, ...wrong }));
  equal([simulation.faults.latency, simulation.faults.jitter], [400, 0]);
});

test("a page's address names faults", () => {
  equal(faultsOf("?room=a&latency=200&jitter=40&loss=3&seed=7"), { latency: 200, jitter: 40, loss: 3, seed: 7 });
  equal(faultsOf("?room=a&latency="), {});
  throws(TypeError, () => new Simulation(faultsOf("?latency=very")));
});

test("a client on a bad network says its lines once, though it is cut all the time", async () => {
  const server = new FakeServer();
  const simulation = new Simulation({ latency: 100, jitter: 40, loss: 5, seed: 2 });
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside, simulate: simulation });
  const joined = client.connect();
  await server.accept();
  await server.advance(2000);
  await server.welcome();
  await server.advance(2000);
  await server.joined();
  await server.history();
  await server.advance(6000);
  await joined;
  server.take();
  const answer = client.say("once");
  answer.catch(() => {});
  simulation.cut();
  ok(client.status.startsWith("reconnecting"), client.status);
  equal(server.take("SAY"), [], "it was cut on its way");
  await server.advance(1000);
  await server.accept();
  await server.advance(2000);
  await server.welcome();
  await server.advance(2000);
  await server.joined();
  await server.history();
  await server.advance(4000);
  const said = server.take("SAY");
  equal(said.map(({ text }) => text), ["once"]);
});
