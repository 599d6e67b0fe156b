// What is in sight of keyed tables (wire clauses 8.19 - 8.24): the vectors' stories, and items that must not be applied.

import { FrameError, MessageError } from "/meteor-net/errors.js";
import { Replica } from "/meteor-net/replica.js";
import { Schema } from "/meteor-net/schema.js";
import { BitReader } from "/meteor-net/sight-bits.js";
import { StateSync, interpolate } from "/meteor-net/state.js";
import { close, equal, hex, mutate, ok, seeded, survives, test, throws, toWire, unhex, vectors } from "/tests/harness.js";

const bytes = (value) => (typeof value === "object" ? unhex(value.hex) : value);

/** A replica that has heard of a story. */
function begin(schema, story) {
  return new Replica(Schema.parse(toWire(schema)), 1, story.known_tick);
}

const apply = (replica, frame, sight = unhex(frame.sight)) => replica.apply(frame.tick16, frame.base, unhex(frame.data), [], sight);

/** Compare what a replica holds, and a page sees, with what a frame was to lead to. */
function compare(replica, frame, about) {
  equal([replica.version.tick, replica.crc()], [frame.tick, frame.crc], about);
  const world = interpolate(replica.version, replica.version, 1);
  for (const [t, { name, slots, generations, ints, texts }] of frame.tables.entries()) {
    const table = replica.version.tables[t];
    equal(table.slots(), slots, `${about} ${name}`);
    equal(table.size, slots.length, `${about} ${name} size`);
    equal(slots.map((slot) => table.generations[slot]), generations, `${about} ${name} generations`);
    table.columns.forEach((column, c) => equal(slots.map((slot) => column[slot]), ints[c], `${about} ${name} column ${c}`));
    for (const [field, column] of Object.entries(texts)) equal([...world[name]].map((row) => row[field]), column.map(bytes), `${about} ${name}.${field}`);
  }
}

/** Everything that a replica holds, to be compared. */
const held = (replica) => JSON.stringify([replica.version, replica.inSight.tables.map((table) => table.rings)], (name, value) => (name === "kind" ? undefined : value));

test("what is in sight is as the vectors say", async () => {
  const { schema, stories } = await vectors("sight.json");
  for (const story of stories) {
    const replica = begin(schema, story);
    story.frames.forEach((frame, i) => {
      apply(replica, frame);
      compare(replica, frame, `${story.about}, frame ${i}`);
    });
  }
});

test("items that the vectors refuse are refused, and nothing has changed", async () => {
  const { schema, stories, refused } = await vectors("sight.json");
  for (const { about, after, sight } of refused) {
    const replica = begin(schema, stories[after]);
    for (const frame of stories[after].frames) apply(replica, frame);
    const before = [replica.version, held(replica)];
    throws(FrameError, () => replica.apply((replica.tick + 1) & 0xffff, 8, Uint8Array.of(0), [], unhex(sight)), about);
    ok(before[0] === replica.version && before[1] === held(replica), `${about} changed something`);
  }
});

test("what is cut short at any byte is refused", async () => {
  const { schema, stories } = await vectors("sight.json");
  const replica = begin(schema, stories[1]);
  for (const frame of stories[1].frames) {
    const whole = unhex(frame.sight);
    const before = held(replica);
    for (let size = 1; size < whole.length; size++) throws(FrameError, () => apply(replica, frame, whole.slice(0, size)), `${size} bytes`);
    throws(FrameError, () => apply(replica, frame, Uint8Array.of(...whole, 0)), "a byte too many");
    equal(held(replica), before);
    apply(replica, frame);
  }
});

test("mutated items are applied, or refused by FrameError and nothing has changed", async () => {
  const random = seeded(11);
  const { schema, stories } = await vectors("sight.json");
  let refused = 0;
  for (const story of stories) {
    const replica = begin(schema, story);
    for (const frame of story.frames) {
      for (let i = 0; i < 60; i++) {
        const { version, base, before, inSight } = replica;
        const was = held(replica);
        const changed = mutate(unhex(frame.sight), random);
        if (survives(FrameError, () => apply(replica, frame, changed), hex(changed))) {
          for (const table of replica.version.tables) equal(table.slots().length, table.size, hex(changed));
          Object.assign(replica, { version, base, before, inSight, tick: version.tick });
        } else refused++;
        ok(held(replica) === was, "an item that was refused, or another version, has changed this one");
      }
      apply(replica, frame);
    }
  }
  ok(refused > 500, `${refused} refused`);
});

test("between two versions ships are shown as the vectors say", async () => {
  const { schema, stories, between } = await vectors("sight.json");
  let slow = 0;
  for (const { story, frames, alpha, at, slots, shown } of between) {
    const replica = begin(schema, stories[story]);
    const [previous, next] = stories[story].frames.slice(0, frames[1] + 1).map((frame) => apply(replica, frame)).slice(-2);
    slow += next.tables[1].slow.size;
    const rows = [...interpolate(previous, next, alpha, at).ship];
    equal(rows.map((row) => row.slot), slots);
    for (const [field, values] of Object.entries(shown)) {
      values.forEach((value, i) => {
        const row = rows[i][field];
        const about = `story ${story}, frame ${frames[1]}, ${alpha}, ${at}: ${field} of ${slots[i]}:`;
        if (Array.isArray(value)) value.forEach((part, p) => close(row[p] ?? row["xyzw"[p]], part, about));
        else close(row, bytes(value), about);
      });
    }
  }
  ok(slow > 20, `${slow} rows on their way`);
});

test("rows of slower rings arrive where they are, though no more versions come", async () => {
  const { schema, stories: [story] } = await vectors("sight.json");
  const replica = begin(schema, story);
  const sync = new StateSync(50, story.known_tick, 0);
  for (const [i, frame] of story.frames.slice(0, 12).entries()) sync.syncState(apply(replica, frame), i * 50);
  const slots = [...replica.version.tables[1].slow.keys()];
  const places = (world) => slots.map((slot) => world.ship.get(slot).y);
  const early = places(sync.show(600));
  for (let now = 620; now < 1500; now += 20) sync.show(now);
  const end = places(interpolate(replica.version, replica.version, 1));
  equal(places(sync.show(1500)), end);
  ok(early.some((y, i) => y !== end[i]), "none was on its way");
});

test("rows that enter and leave are shown as in the later version, and those that stay glide", async () => {
  const { schema, stories } = await vectors("sight.json");
  let seen = 0;
  for (const story of stories.slice(0, 3)) {
    const replica = begin(schema, story);
    const sync = new StateSync(50, story.known_tick, 0);
    let previous = null;
    story.frames.forEach((frame, i) => {
      const version = apply(replica, frame);
      sync.syncState(version, i * 50);
      const from = new Map(previous === null ? [] : [...interpolate(previous, previous, 1).ship].map((row) => [row.slot, row]));
      const to = new Map([...interpolate(version, version, 1).ship].map((row) => [row.slot, row]));
      const world = sync.interpolateState(previous ?? version, version, 0.5);
      equal([...world.ship].map((row) => row.slot), [...to.keys()]);
      for (const row of world.ship) {
        const [was, now] = [from.get(row.slot), to.get(row.slot)];
        if (was?.generation !== now.generation) {
          equal(row, now);
          seen++;
        } else if (!previous.tables[1].slow.has(row.slot) && !version.tables[1].slow.has(row.slot)) equal(row.y, (was.y + now.y) / 2);
      }
      previous = version;
    });
    equal([...sync.show(1e6).ship].length, story.frames.at(-1).tables[1].slots.length);
  }
  ok(seen > 30, `${seen} rows came`);
});

test("what did not change is shared between versions", async () => {
  const { schema, stories } = await vectors("sight.json");
  const replica = begin(schema, stories[3]);
  for (const frame of stories[3].frames) apply(replica, frame);
  const { tables } = replica.version;
  replica.apply(9, 8, Uint8Array.of(0), [], new Uint8Array(0));
  replica.apply(10, 8, Uint8Array.of(0), [], Uint8Array.of(2, 2, 0, 3, 0)); // a part in which nothing changed
  tables.forEach((table, t) => ok(table === replica.version.tables[t], `table ${t}`));
  replica.apply(11, 8, Uint8Array.of(0), [], Uint8Array.of(1));
  equal(replica.version.tables[1].size, 0);
});

test("a keyed table has no rows outside of the sight", () => {
  const replica = new Replica(Schema.parse(toWire({ tables: [{ name: "ship", fields: [], key: { kind: "team", rings: 1 } }], actions: [], events: [] })), 1, 0);
  throws(FrameError, () => replica.apply(1, 0, Uint8Array.of(2, 1, 0, 2, 0), []));
  replica.apply(1, 0, Uint8Array.of(0), []);
});

test("keys of a schema are checked", () => {
  const parse = (key) => Schema.parse(toWire({ tables: [{ name: "ship", fields: [], key }], actions: [], events: [] }));
  equal(parse({ kind: "cells", rings: 4, more: 1 }).tables[0].key, { kind: "cells", rings: 4 });
  equal(Schema.parse(toWire({ tables: [{ name: "ship", fields: [] }], actions: [], events: [] })).tables[0].key, null);
  const bad = [null, 1, {}, { kind: "cell", rings: 1 }, { kind: "team" }, { kind: "team", rings: 1.5 }, { kind: "owner", rings: "1" },
    { kind: "cells", rings: 0 }, { kind: "cells", rings: 5 }];
  for (const key of bad) throws(MessageError, () => parse(key), JSON.stringify(key));
});

test("a reader of bits reads numbers of any size", () => {
  const random = seeded(3);
  for (let k = 0; k < 32; k++) {
    const all = [0, 1, 2, 3, 2 ** k, 3 * 2 ** k - 1, 3 * 2 ** k, 4 * 2 ** k - 1, 4 * 2 ** k, 0xfffffffe, 0xffffffff, Math.floor(random() * 2 ** 32)].filter((z) => z <= 0xffffffff);
    const bits = all.flatMap((z) => {
      const low = (value, width) => Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** i) % 2);
      if (z < 3 * 2 ** k) return [...Array(Math.floor(z / 2 ** k)).fill(0), 1, ...low(z % 2 ** k, k)];
      const e = Math.floor(Math.log2(z - 2 * 2 ** k));
      return [...Array(3 + e - k).fill(0), 1, ...low(z - 2 * 2 ** k - 2 ** e, e)];
    });
    const out = new Uint8Array(Math.ceil(bits.length / 8));
    bits.forEach((bit, i) => { out[i >> 3] |= bit << (i & 7); });
    const reader = new BitReader(out);
    equal(all.map(() => reader.number(k)), all, `k ${k}`);
    reader.fill();
    reader.finish();
  }
});
