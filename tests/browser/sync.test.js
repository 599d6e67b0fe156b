// The snapshot buffer on simulated networks: what is shown when, whatever the frames' ways and times. The same in every run.

import { Docs } from "/meteor-net/documents.js";
import { NetworkClient } from "/meteor-net/client.js";
import { Replica } from "/meteor-net/replica.js";
import { Schema } from "/meteor-net/schema.js";
import { StateSync, interpolate } from "/meteor-net/state.js";
import { emptyTables } from "/meteor-net/table-state.js";
import { FakeServer, STEP } from "/tests/fake.js";
import { equal, ok, seeded, test, throws, toWire, unhex, vectors } from "/tests/harness.js";

const TICK = 50;
const DRAW = 1000 / 60;
const SPEED = 10;

/** A ship that moves by SPEED at each tick that makes a version. */
function ship() {
  const fields = [{ name: "x", kind: "uint", bits: 31, interpolate: "linear" }];
  const replica = new Replica(Schema.parse(toWire({ tables: [{ name: "ship", fields }], actions: [], events: [] })), 1, 0);
  return (tick, by = SPEED) => {
    const difference = by < 0 ? -2 * by - 1 : 2 * by;
    if (replica.touched) return replica.apply(tick & 0xffff, 8, Uint8Array.of(2, 2, 2, difference), []);
    return replica.apply(tick & 0xffff, 0, Uint8Array.of(2, 3, 0, 2, 0, 2, difference), []);
  };
}

/**
 * Let frames come as `latency` says of each tick, but never before the one sent earlier; and draw 60 times a second.
 * Answers what was drawn: when, the tick shown, x, the newest tick, the delay.
 */
function film(sync, { ticks, latency, every = 1, hidden = () => false }) {
  const step = ship();
  const coming = [];
  let last = 0;
  for (let tick = every; tick <= ticks; tick += every) {
    last = Math.max(last, tick * TICK + latency(tick));
    coming.push([last, tick]);
  }
  const drawn = [];
  for (let now = 0; now < ticks * TICK; now += DRAW) {
    while (coming.length && coming[0][0] <= now) {
      const [at, tick] = coming.shift();
      sync.syncState(step(tick, SPEED * every), at);
    }
    if (hidden(now)) continue;
    const world = sync.show(now);
    if (world) drawn.push({ now, shown: sync.shown, x: world.ship.get(0).x, newest: sync.lastState.tick, delay: sync.delayMs });
  }
  return drawn;
}

/** How fast the film ran between each two pictures: 1 is as it was. */
const rates = (drawn) => drawn.slice(1).map(({ now, shown }, i) => ((shown - drawn[i].shown) * TICK) / (now - drawn[i].now));

test("a steady network is shown an interval behind, evenly", () => {
  const drawn = film(new StateSync(TICK, 0, 0), { ticks: 200, latency: () => 40 }).slice(10);
  for (const rate of rates(drawn)) ok(Math.abs(rate - 1) < 1e-6, `${rate}`);
  for (const { now, shown, x } of drawn) {
    ok(Math.abs(now - shown * TICK - 40 - TICK) < 1e-6, `${shown} at ${now}`);
    ok(Math.abs(x - SPEED * shown) < 1e-6, `${x} at ${shown}`);
  }
});

test("the delay follows the jitter, and the film runs at 0.96 to 1.02", () => {
  const random = seeded(11);
  // 10 s with a jitter of 10 ms, 20 s of 120 ms, and 60 s of 10 ms again.
  const drawn = film(new StateSync(TICK, 0, 0), { ticks: 1800, latency: (tick) => 40 + (tick > 200 && tick <= 600 ? 120 : 10) * random() });
  const settled = drawn.filter(({ now }) => now > 1000);
  let clipped = 0;
  rates(settled).forEach((rate, i) => {
    const { shown, newest } = settled[i + 1];
    if (shown >= newest + 1) clipped++;
    // After it waited for a late frame the film goes on where it would have been.
    else if (settled[i].shown < settled[i].newest + 1) ok(rate > 0.96 - 1e-6 && rate < 1.02 + 1e-6, `${rate} at ${settled[i].now}`);
    ok(rate >= 0, `${rate}: time goes on`);
  });
  ok(clipped < settled.length / 200, `${clipped} of ${settled.length} waited for a frame`);
  const delay = (from, to) => {
    const some = drawn.filter(({ now }) => now > from && now < to).map((each) => each.delay);
    return some.reduce((sum, each) => sum + each, 0) / some.length;
  };
  const [calm, wild, again] = [delay(5000, 10_000), delay(20_000, 30_000), delay(80_000, 90_000)];
  ok(calm > TICK && calm < TICK + 15, `calm: ${calm} ms`);
  ok(wild > TICK + 80 && wild < TICK + 125, `wild: ${wild} ms`);
  ok(Math.abs(again - calm) < 5, `calm again: ${again} ms`);
});

test("one frame that is late does not stop the film", () => {
  const drawn = film(new StateSync(TICK, 0, 0), { ticks: 200, latency: (tick) => (tick === 100 ? 85 : 40) });
  for (const rate of rates(drawn.slice(10))) ok(Math.abs(rate - 1) < 0.05, `${rate}`);
  for (const { shown, x } of drawn.slice(10)) ok(Math.abs(x - SPEED * shown) < 1e-6, `${x} at ${shown}`);
});

test("where nothing comes the world is carried on for one interval, waits, and slides back to what is true", () => {
  const sync = new StateSync(TICK, 0, 0);
  const step = ship();
  for (let tick = 1; tick <= 40; tick++) sync.syncState(step(tick), tick * TICK + 40);
  const due = 40 * TICK + 40 + TICK; // when tick 40 is shown
  const at = (ms) => Math.round(10 * sync.show(due + ms).ship.get(0).x) / 10;
  equal([at(-TICK), at(0), at(TICK / 2), at(TICK)], [390, 400, 405, 410]);
  equal([at(1.5 * TICK), at(2 * TICK)], [410, 410]);
  equal([at(2.5 * TICK), at(3 * TICK), at(10 * TICK)], [405, 400, 400]);
  equal(sync.shown, 41);
  sync.syncState(step(60, -50), due + 60_000);
  equal(Math.round(at(60_000 + TICK)), 350);
});

test("nothing is carried on beyond its domain, and what does not move by degrees is not at all", () => {
  const fields = [{ name: "y", kind: "uint", bits: 4, interpolate: "linear" }, { name: "n", kind: "uint", bits: 4 }, { name: "turn", kind: "angle", bits: 4 }];
  const replica = new Replica(Schema.parse(toWire({ tables: [{ name: "ship", fields }], actions: [], events: [] })), 1, 0);
  const sync = new StateSync(TICK, 0, 0);
  sync.syncState(replica.apply(1, 0, Uint8Array.of(2, 15, 0, 2, 0, 2, 24, 2, 24), []), TICK);
  sync.syncState(replica.apply(2, 8, Uint8Array.of(2, 14, 2, 4, 4, 6), []), 2 * TICK);
  const { y, n, turn } = sync.show(4 * TICK).ship.get(0); // an interval after tick 2 was due
  equal([y, n, (turn * 16) / (2 * Math.PI)], [15, 3, 2]);
});

test("a tab that was hidden for ten minutes comes back in the present, and runs on evenly", () => {
  const random = seeded(12);
  const from = 20_000;
  const to = from + 600_000;
  const drawn = film(new StateSync(TICK, 0, 0), { ticks: to / TICK + 200, latency: () => 40 + 20 * random(), hidden: (now) => now > from && now < to });
  const back = drawn.filter(({ now }) => now >= to);
  for (const { now, shown } of back) ok(now - shown * TICK < 40 + 20 + TICK + 5, `${now - shown * TICK} ms behind at ${now}`);
  for (const rate of rates(back)) ok(rate > 0.95 && rate < 1.03, `${rate}`);
});

test("a network that becomes slow for good is followed", () => {
  const drawn = film(new StateSync(TICK, 0, 0), { ticks: 1000, latency: (tick) => (tick < 300 ? 40 : 900) });
  const { now, shown, x } = drawn.at(-1);
  ok(Math.abs(now - shown * TICK - 900 - TICK) < 1, `${now - shown * TICK} ms behind`);
  ok(Math.abs(x - SPEED * shown) < 1e-6);
});

test("the update rate may be changed while running", () => {
  const sync = new StateSync(TICK, 0, 0);
  equal(sync.updateRate, 20);
  film(sync, { ticks: 200, latency: () => 40 });
  sync.updateRate = 10; // a frame for every second tick
  equal(sync.updateRate, 10);
  const slow = new StateSync(TICK, 0, 0);
  slow.updateRate = 10;
  const drawn = film(slow, { ticks: 400, latency: () => 40, every: 2 }).slice(20);
  for (const { now, shown, x } of drawn) {
    ok(Math.abs(now - shown * TICK - 40 - 2 * TICK) < 1e-6, `${now - shown * TICK} ms behind`);
    ok(Math.abs(x - SPEED * shown) < 1e-6, `${x} at ${shown}: the way of two ticks is shown over two ticks`);
  }
  for (const hz of [0, -1, NaN, 1001, Infinity]) throws(RangeError, () => { sync.updateRate = hz; });
});

test("a rate that is halved lets the film run slower until the delay is right", () => {
  const sync = new StateSync(TICK, 0, 0);
  const step = ship();
  let last = null;
  for (let now = 0, tick = 1; now < 30_000; now += DRAW) {
    while (tick * TICK + 40 <= now) {
      if (tick < 200 || tick % 2 === 0) sync.syncState(step(tick), tick * TICK + 40);
      tick++;
    }
    if (now > 10_000) sync.updateRate = 10;
    sync.show(now);
    const rate = last === null ? 1 : ((sync.shown - last) * TICK) / DRAW;
    if (now > 1000) ok(rate > 0.96 - 1e-6 && rate < 1.02 + 1e-6, `${rate} at ${now}`);
    last = sync.shown;
  }
  ok(Math.abs(sync.delayMs - 2 * TICK) < 1, `${sync.delayMs} ms`);
});

test("what is drawn when is what the vectors say", async () => {
  for (const { about, schema, tick_ms: tickMs, clock, happens } of (await vectors("playback.json")).cases) {
    const replica = new Replica(Schema.parse(toWire(schema)), 1, clock[0]);
    const sync = new StateSync(tickMs, ...clock);
    const does = {
      frame: (now, tick16, base, data) => sync.syncState(replica.apply(tick16, base, unhex(data), []), now),
      clock: (tick, time) => sync.setClock(tick, time),
      rate: (hz) => { sync.updateRate = hz; },
      present: () => sync.toPresent(),
      draw: (now, ...wanted) => {
        const { x, y, heading } = sync.show(now).ship.get(0);
        [sync.shown, sync.delayMs, x, y, heading].forEach((value, i) => {
          ok(value === wanted[i] || Math.abs(value - wanted[i]) < 1e-6, `${about}, at ${now}, number ${i}: ${value} is not ${wanted[i]}`);
        });
      },
    };
    for (const [kind, ...told] of happens) does[kind](...told);
  }
});

test("a row that jumped is shown where it was, then where it is; others glide on", () => {
  const fields = [
    { name: "x", kind: "uint", bits: 31, interpolate: "linear" },
    { name: "turn", kind: "quaternion", bits: 9 },
    { name: "jumped", kind: "flag", snap: true },
    { name: "lit", kind: "flag" },
  ];
  const schema = Schema.parse(toWire({ tables: [{ name: "ship", fields }], actions: [], events: [] }));
  const version = (x, turn, jumped, lit) => {
    const [ship] = emptyTables(schema);
    ship.own(3);
    ship.size = 3;
    ship.alive.fill(1);
    [[x, x, x], ...turn, jumped, lit].forEach((column, c) => ship.columns[c].set(column));
    return { tick: 1, span: 1, tables: [ship], docs: Docs.empty([]) };
  };
  const none = [0, 0, 0];
  const half = [256, 256, 256];
  const was = version(10, [[3, 3, 3], half, half, half], none, none);
  const will = version(20, [none, half, half, half], [1, 0, 0], [0, 0, 1]);
  const shown = (alpha) => [...interpolate(was, will, alpha).ship];
  equal([0.5, 1, 1.5].map((alpha) => shown(alpha).map(({ x }) => x)), [[10, 15, 15], [20, 20, 20], [20, 25, 25]]);
  const [jumped, glides] = shown(0.5);
  ok(Math.abs(jumped.turn[3] - 1) < 0.01 && Math.abs(glides.turn[3] - Math.SQRT1_2) < 0.01, `${jumped.turn} ${glides.turn}`);
  equal([jumped.jumped, shown(1)[0].jumped], [false, true]);
});

test("a page that draws at times of its own gets the world between two ticks; the rate that it asked for outlives the world", async () => {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  const joined = client.connect();
  await server.letIn();
  await joined;
  for (let tick = 21; tick < 30; tick++) {
    await server.advance(TICK);
    await server.frame(tick, STEP);
  }
  equal(client.world.ship.get(0).x, 100);
  for (const [ms, x] of [[0, 90], [10, 92], [30, 98]]) {
    server.now += ms;
    ok(Math.abs(client.show().ship.get(0).x - x) < 1e-6 && Math.abs(client.stateSync.shown - 19 - x / 10) < 1e-6, `${x}`);
  }
  const before = client.stateSync;
  before.updateRate = 10;
  await server.drop();
  await server.advance(5000);
  await server.accept();
  await server.welcome();
  await server.joined({ epoch: 78 });
  ok(client.stateSync !== before, "another world");
  equal([client.stateSync.updateRate, client.show().ship.size], [10, 0]);
});
