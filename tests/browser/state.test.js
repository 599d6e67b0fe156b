import { FrameError } from "/meteor-net/errors.js";
import { Replica } from "/meteor-net/replica.js";
import { Schema } from "/meteor-net/schema.js";
import { StateSync, interpolate } from "/meteor-net/state.js";
import { close, equal, hex, mutate, ok, seeded, survives, test, throws, toWire, unhex, vectors } from "/tests/harness.js";

/** Bytes of a vector stand there as {"hex": "..."}. */
const bytes = (value) => (typeof value === "object" && value !== null && "hex" in value ? unhex(value.hex) : value);

/** Compare what a page sees of a version with a vector's tables. */
function seen(schema, world, tables, about) {
  for (const { name, slots, generations, shown } of tables) {
    const rows = [...world[name]];
    equal(rows.map((row) => row.slot), slots, `${about} ${name} slots`);
    if (generations) equal(rows.map((row) => row.generation), generations, `${about} ${name} generations`);
    equal(world[name].size, slots.length, `${about} ${name} size`);
    for (const [field, values] of Object.entries(shown)) {
      values.forEach((value, i) => close(rows[i][field], bytes(value), `${about} ${name}.${field} of ${slots[i]}:`));
    }
  }
}

/** Compare the integers that a replica holds. */
function held(replica, tables, about) {
  for (const [t, { name, slots, ints, texts }] of tables.entries()) {
    const table = replica.version.tables[t];
    equal(table.slots(), slots, `${about} ${name}`);
    for (const [c, field] of table.kind.columns.entries()) {
      const column = Array.isArray(ints) ? ints[c] : ints[field.name];
      equal(slots.map((slot) => table.columns[c][slot]), column, `${about} ${name}.${field.name}`);
    }
    for (const [f, field] of table.kind.fields.entries()) {
      if (field.isText) equal(slots.map((slot) => table.text(f, slot)), (texts[field.name] ?? texts[f]).map(bytes), `${about} ${name}.${field.name}`);
    }
  }
}

const apply = (replica, frame) => replica.apply(frame.tick16, frame.base, unhex(frame.data), textsOf(frame));
const textsOf = (frame) => (frame.texts ?? []).map(([table, column, slots, texts]) => [table, column, slots, texts.map(bytes)]);

/** Go through a world of the vectors; answer the version after each frame. */
function follow(world, check) {
  const schema = Schema.parse(toWire(world.schema));
  const replica = new Replica(schema, 1, world.known_tick);
  return world.frames.map((frame, i) => {
    const about = `${world.about}, frame ${i}`;
    if (frame.refused) {
      const before = [replica.version, replica.tick, replica.crc()];
      throws(FrameError, () => apply(replica, frame), `${about} (${frame.refused})`);
      ok(before[0] === replica.version && before[1] === replica.tick && before[2] === replica.crc(), `${about} changed something`);
    } else {
      apply(replica, frame);
      if (check) check(schema, replica, frame, about);
    }
    return replica.version;
  });
}

test("the frames of the vectors give the worlds of the vectors", async () => {
  for (const world of (await vectors("state.json")).worlds) {
    follow(world, (schema, replica, frame, about) => {
      equal(replica.version.tick, frame.tick, about);
      equal(replica.crc(), frame.crc, `${about} crc`);
      held(replica, frame.tables, about);
      seen(schema, interpolate(replica.version, replica.version, 1), frame.tables, about);
    });
  }
});

test("between two versions rows are shown as the vectors say", async () => {
  const { worlds, between } = await vectors("state.json");
  for (const { world, frames: [first, second], alpha, tables } of between) {
    const versions = follow(worlds[world]);
    const shown = interpolate(versions[first], versions[second], alpha);
    seen(null, shown, tables, `world ${world} between ${first} and ${second} at ${alpha}`);
  }
});

test("mutated frames are applied, or refused by FrameError and nothing has changed", async () => {
  const random = seeded(5);
  let refused = 0;
  for (const world of (await vectors("state.json")).worlds) {
    const replica = new Replica(Schema.parse(toWire(world.schema)), 1, world.known_tick);
    for (const frame of world.frames) {
      if (frame.refused) continue;
      for (let i = 0; i < 500; i++) {
        const { version, before } = replica;
        const crc = replica.crc();
        const changed = mutate(unhex(frame.data), random);
        const texts = random() < 0.2 ? toTexts(random) : textsOf(frame);
        if (survives(FrameError, () => replica.apply(frame.tick16, frame.base, changed, texts), hex(changed))) {
          replica.version = version;
          replica.base = version.tables;
          replica.before = before;
          replica.tick = version.tick;
        } else refused++;
        ok(replica.crc() === crc, "a frame that was refused, or another version, has changed this one");
      }
      apply(replica, frame);
    }
  }
  ok(refused > 500, `${refused} refused`);
});

function toTexts(random) {
  const odd = [0, 1, 3, -1, 1.5, "0", "length", null, [], ["x"], [0], "x".repeat(100), [[0]], true];
  const pick = () => odd[Math.floor(random() * odd.length)];
  return Array.from({ length: Math.floor(random() * 4) }, () => Array.from({ length: Math.floor(random() * 6) }, pick));
}

const SHIP = (fields) => Schema.parse(toWire({ tables: [{ name: "ship", fields }], actions: [], events: [] }));
const X = { name: "x", kind: "fixed", step: 1, low: 0, high: 1000, wrap: true };

test("fields may have names that objects have", () => {
  const names = ["valueOf", "constructor", "toString", "hasOwnProperty"];
  const schema = SHIP(names.map((name) => ({ name, kind: "uint", bits: 8 })));
  const replica = new Replica(schema, 1, 0);
  // One table with a part; rows and all four columns: slot 0 is taken, generation 0, and holds 1, 2, 3, 4.
  replica.apply(1, 0, Uint8Array.of(2, 0b11111, 0, 2, 0, 2, 2, 4, 6, 8), []);
  const row = interpolate(replica.version, replica.version, 1).ship.get(0);
  equal(names.map((name) => row[name]), [1, 2, 3, 4]);
  ok(!("polluted" in {}) && ({}).constructor === Object, "no prototype is touched");
});

/** A world of one ship in slot 0 at x: a keyframe, then steps of +10 at each tick. */
function ship() {
  const replica = new Replica(SHIP([X]), 1, 0);
  return {
    replica,
    keyframe: (tick) => replica.apply(tick & 0xffff, 0, Uint8Array.of(2, 3, 0, 2, 0, 2, 0), []),
    step: (tick, back = 1) => replica.apply(tick & 0xffff, 8 * back, Uint8Array.of(2, 2, 2, 20), []),
  };
}

const TICK = 50;

test("the world is shown a tick and the usual lateness behind, and moves evenly", () => {
  const { keyframe, step } = ship();
  const sync = new StateSync(TICK, 0, 0);
  const random = seeded(6);
  const arrivals = [];
  for (let tick = 1; tick <= 200; tick++) arrivals.push([tick * TICK + 30 + random() * 20, tick]);
  let last = -1;
  let worst = 0;
  for (let now = 0; now < 200 * TICK; now += 1000 / 60) {
    while (arrivals.length && arrivals[0][0] <= now) {
      const [at, tick] = arrivals.shift();
      sync.syncState(tick === 1 ? keyframe(tick) : step(tick), at);
    }
    const world = sync.show(now);
    if (world === null) continue;
    const { shown } = sync;
    ok(shown >= last, `time goes on: ${shown} after ${last}`);
    if (now > 3000) worst = Math.max(worst, Math.abs(shown - last - 1 / 3));
    last = shown;
    if (shown > 2) close(world.ship.get(0).x, ((shown - 1) * 10) % 1000, `at ${now}`);
  }
  ok(worst < 0.05, `steps differ by ${worst} ticks`);
  const behind = 200 - last;
  ok(behind < (TICK + 30 + 20 + 2 * 17) / TICK, `${behind} ticks behind`);
});

test("a tab that was hidden for ten minutes is at once in the present", () => {
  const { keyframe, step } = ship();
  const sync = new StateSync(TICK, 0, 0);
  sync.syncState(keyframe(1), 80);
  let tick = 2;
  for (; tick <= 40; tick++) {
    sync.syncState(step(tick), tick * TICK + 30);
    sync.show(tick * TICK + 31);
  }
  // Hidden: frames go on, nothing is drawn.
  for (; tick <= 40 + 12_000; tick++) sync.syncState(step(tick), tick * TICK + 30);
  const now = (tick - 1) * TICK + 40;
  sync.show(now);
  ok(tick - 1 - sync.shown < 2, `shown ${sync.shown} of ${tick - 1}`);
});

test("a page that slept while frames were kept for it is soon in the present", () => {
  const { keyframe, step } = ship();
  const sync = new StateSync(TICK, 0, 0);
  sync.syncState(keyframe(1), 80);
  let tick = 2;
  for (; tick <= 40; tick++) sync.syncState(step(tick), tick * TICK + 30);
  // Frozen for ten minutes: then all frames come in one burst, and the page is shown.
  const woken = (40 + 12_000) * TICK + 30;
  for (; tick <= 40 + 12_000; tick++) sync.syncState(step(tick), woken);
  sync.show(woken);
  ok((tick - 1 - sync.shown) * TICK < 500, `shown ${sync.shown} of ${tick - 1}`);
  sync.toPresent();
  sync.show(woken + 1);
  equal(sync.shown, tick - 1);
});

test("what stood still is not dragged along", () => {
  const { keyframe, step } = ship();
  const sync = new StateSync(TICK, 0, 0);
  sync.syncState(keyframe(1), 80);
  for (let now = 80; now < 5000; now += 16) sync.show(now);
  sync.syncState(step(100), 5030); // nothing changed for 98 ticks: the ship stood at 0 until tick 99
  ok(sync.show(5031).ship.get(0).x < 0.5, "it begins to move from where it stood");
  const later = sync.show(5030 + TICK / 2).ship.get(0).x;
  ok(later > 0 && later < 10, `half way: ${later}`);
  equal(sync.show(5030 + TICK).ship.get(0).x, 10);
});

test("a frame over several versions is shown over that many ticks", () => {
  const { keyframe, step } = ship();
  const sync = new StateSync(TICK, 0, 0);
  sync.syncState(keyframe(1), 80);
  sync.syncState(step(5, 4), 280);
  equal(sync.lastState.span, 4);
  equal(sync.updateRate, 20);
});

test("rows that come and go, and slots that are taken again, are not moved", () => {
  const replica = new Replica(SHIP([X]), 1, 0);
  replica.apply(1, 0, Uint8Array.of(2, 3, 0, 8, 0, 0, 0, 0, 8, 0, 0, 20, 40), []);
  const first = replica.version;
  // Slot 0 is freed; slot 1 is taken again with generation 1, at 100.
  replica.apply(2, 8, Uint8Array.of(2, 3, 2, 6, 1, 6, 0xc8, 1), []);
  const world = interpolate(first, replica.version, 0.5);
  equal([...world.ship].map(({ slot, generation, x }) => [slot, generation, x]), [[1, 1, 100]]);
  equal(world.ship.get(0), undefined);
});

test("the clock of a room that dropped ticks goes on", () => {
  const sync = new StateSync(TICK, 100, 1_000_000);
  equal(sync.timeOf(120), 1_001_000);
  sync.setClock(120, 1_002_000);
  equal(sync.timeOf(121), 1_002_050);
});

test("a few bytes that make the largest of worlds take little time", () => {
  const fields = [...Array.from({ length: 31 }, (_, i) => ({ name: `n${i}`, kind: "uint", bits: 31 })), ...Array.from({ length: 33 }, (_, i) => ({ name: `t${i}`, kind: "text", max: 9 }))];
  const tables = Array.from({ length: 31 }, (_, i) => ({ name: `t${i}`, fields }));
  const schema = Schema.parse(toWire({ tables, actions: [], events: [] }));
  // Every table gets one row, in the last slot there is.
  const data = unhex("feffffff0f" + "0100" + "feff0300" + "0100feff0300".repeat(30));
  const times = Array.from({ length: 5 }, () => {
    const replica = new Replica(schema, 1, 0);
    const began = performance.now();
    replica.apply(1, 0, data, [[30, 40, [16_383], ["last"]]]);
    const took = performance.now() - began;
    const row = interpolate(replica.version, replica.version, 1).t30.get(16_383);
    equal([row.n30, row.t9, row.t8], [0, "last", ""]);
    return took;
  });
  ok(Math.min(...times) < 50, `${times} ms`);
});
