// The coding `eg`, bit by bit: frames made by hand after wire clauses 8.12 - 8.18. Those of whole worlds are in the vectors.

import { NetworkClient } from "/meteor-net/client.js";
import { FrameError } from "/meteor-net/errors.js";
import { Runs, readNumbers } from "/meteor-net/planes.js";
import { Replica } from "/meteor-net/replica.js";
import { toIntegers, toNumbers, turned } from "/meteor-net/rotation.js";
import { Schema } from "/meteor-net/schema.js";
import { interpolate } from "/meteor-net/state.js";
import { EG_STEP, FakeServer, STEP as PLAIN_STEP } from "/tests/fake.js";
import { close, equal, hex, mutate, ok, seeded, survives, test, throws, toWire } from "/tests/harness.js";

const FIELDS = [{ name: "x", kind: "fixed", step: 1, low: 0, high: 1000, wrap: true }, { name: "y", kind: "uint", bits: 10 }, { name: "lit", kind: "flag" }];
const begin = (fields = FIELDS) => new Replica(Schema.parse(toWire({ tables: [{ name: "ship", fields }], actions: [], events: [] })), 1, 0);
const bytes = (...list) => Uint8Array.from(list.flat());

/** Bits, the first the least significant of the first byte, as bytes. */
function plane(bits) {
  const out = new Uint8Array(Math.ceil(bits.length / 8));
  [...bits].forEach((bit, i) => { out[i >> 3] |= Number(bit) << (i & 7); });
  return [...out];
}

/** A number's bits in the planes C and D (8.14). */
function number(z, k) {
  const low = (value, width) => Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** i) % 2).join("");
  if (z < 3 * 2 ** k) return ["0".repeat(Math.floor(z / 2 ** k)) + "1", low(z % 2 ** k, k)];
  const e = Math.floor(Math.log2(z - 2 * 2 ** k));
  return ["0".repeat(3 + e - k) + "1", low(z - 2 * 2 ** k - 2 ** e, e)];
}

/** Both planes of numbers, each given with its k. */
function planes(...numbers) {
  const pairs = numbers.map(([z, k]) => number(z, k));
  return [...plane(pairs.map(([c]) => c).join("")), ...plane(pairs.map(([, d]) => d).join(""))];
}

/** A ship in slot 0 at x 10, y 20: one step from nothing. Then the same again: nothing changed. */
const FIRST = bytes(2, 0b0111, 0, 2, 0, 1, 32, 40, planes([0, 0], [20, 4], [40, 5]));
const KEYFRAME = bytes(FIRST.length, [...FIRST], 0);
/** Following: x grows by 10, of a row that stood still. */
const STEP = bytes(2, 2, 1, 32, planes([0, 0], [20, 4]));
/** Following: x grows as before. */
const LINEAR = bytes(2, 2, 0, 0, 2, planes([0, 0]));
const KEY = 1;
const FOLLOW = 9;

const ship = (replica) => { const { x, y, lit } = interpolate(replica.version, replica.version, 1).ship.get(0); return [x, y, lit]; };

/** A replica that holds the ship, and the versions to follow from. */
function held(...steps) {
  const replica = begin();
  replica.apply(1, KEY, KEYFRAME, []);
  steps.forEach((step, i) => replica.apply(2 + i, FOLLOW, bytes([...step]), []));
  return replica;
}

test("numbers of every size in two planes", () => {
  const random = seeded(7);
  for (let k = 0; k < 32; k++) {
    const some = Array.from({ length: 40 }, () => Math.floor(random() * 2 ** Math.floor(random() * 33)));
    const all = [0, 1, 2, 3, 2 ** k, 3 * 2 ** k - 1, 3 * 2 ** k, 4 * 2 ** k - 1, 4 * 2 ** k, 0xfffffffe, 0xffffffff, ...some].filter((z) => z <= 0xffffffff);
    const runs = new Runs();
    runs.add(k, all.length);
    equal([...readNumbers(bytes(9, planes(...all.map((z) => [z, k]))), 1, runs).slice(0, all.length)], all, `k ${k}`);
  }
});

test("numbers that are none are refused", () => {
  const runs = (k, count) => { const all = new Runs(); all.add(k, count); return all; };
  const refused = (list, k, count) => throws(FrameError, () => readNumbers(bytes(list), 0, runs(k, count)), `${list}`);
  refused([], 0, 1);
  refused([0, 0, 0, 0, 0, 0, 0], 0, 1);
  refused([0b11], 0, 1); // a bit left over in C
  refused([1, 0], 0, 1); // a byte left over
  refused([1, 0b10], 1, 1); // a bit left over in D
  refused([1], 1, 1); // D is missing
  refused([4, 0, 0, 0, 0], 31, 1); // 2^32
  refused([0, 0, 0, 0, 8, 255, 255, 255, 255], 0, 1); // 2 + 2^32 + ...
  refused([0, 0, 0, 0, 16, 0, 0, 0, 0, 0], 0, 1); // 33 bits
  refused([1], 0, 2 ** 31);
  equal([...readNumbers(bytes(), 0, new Runs())].length >= 0, true);
});

test("a keyframe, and steps that follow: hold, linear, half, few", () => {
  const replica = held();
  equal(ship(replica), [10, 20, false]);
  replica.apply(2, FOLLOW, STEP, []);
  equal(ship(replica), [20, 20, false]);
  replica.apply(3, FOLLOW, LINEAR, []);
  equal(ship(replica), [30, 20, false]);
  replica.apply(4, FOLLOW, bytes(2, 2, 0, 0, 1, planes([0, 0])), []); // half of +10
  equal(ship(replica), [35, 20, false]);
  replica.apply(5, FOLLOW, bytes(2, 0b1010, 0, 0, 0, 3, 1, planes([1, 0], [0, 0])), []); // x -1; few: the flag of the first
  equal(ship(replica), [34, 20, true]);
  replica.apply(6, FOLLOW, bytes(2, 4, 0, 0, 3, 1, planes([0, 0], [1, 0])), []); // few: y by z = 2
  equal(ship(replica), [34, 21, true]);
  replica.apply(7, FOLLOW, bytes(2, 4, 1, 0, 0, planes([0, 0])), []); // the active row stops: nothing is left to change
  equal(ship(replica), [34, 21, true]);
  equal(replica.version.tick, 7);
});

test("the way over the wrap is short, in values and in guesses", () => {
  const replica = held(bytes(2, 2, 1, 32, planes([0, 0], [29, 4]))); // -15
  equal(ship(replica)[0], 995);
  replica.apply(3, FOLLOW, bytes(2, 2, 0, 0, 2, planes([0, 0])), []);
  equal(ship(replica)[0], 980);
});

test("a following step needs the version before the last", () => {
  const replica = begin();
  replica.apply(1, 0, bytes(2, 7, 0, 2, 0, 2, 20, 40), []); // a keyframe of the plain coding brings none
  throws(FrameError, () => replica.apply(2, FOLLOW, STEP, []));
  replica.apply(2, 8, bytes(2, 2, 2, 20), []); // a step of it does
  replica.apply(3, FOLLOW, LINEAR, []);
  equal(ship(replica), [30, 20, false]);
  replica.apply(9, 32, bytes(2, 2, 2, 20), []); // over four versions
  throws(FrameError, () => replica.apply(10, FOLLOW, LINEAR, []));
  replica.apply(12, 17, bytes(1, 0, STEP.length ? [...STEP] : []), []); // two steps of eg bring the one between
  replica.apply(13, FOLLOW, LINEAR, []);
  equal(ship(replica), [60, 20, false]);
});

test("frames that do not fit are refused, and nothing has changed", () => {
  const replica = held([...STEP]);
  const broken = [
    [], [2], [2, 2], [2, 2, 0], [2, 2, 0, 0], [2, 2, 0, 0, 2], // the end is missing
    [2, 2, 0, 0, 4, 1], [2, 2, 0, 0, 7, 1], // a mode that is none
    [2, 2, 2, 0, 0, 1], // more stop than there are
    [2, 2, 0, 1, 0, ...planes([0, 0], [0, 0])], // more begin than there are
    [2, 2, 1, 0, 0, ...planes([1, 0])], // a place beyond the last
    [2, 2, 0, 0, 3, 2, ...planes([0, 0], [0, 0], [0, 0], [0, 0])], // more are few than there are
    [2, 4, 0, 0, 40, ...planes([41, 5])], // y below its domain
    [2, 32, 0, 0, 0, 1], [4, 0], // a column, a table that is not there
    [...LINEAR, 0], [...LINEAR.slice(0, -1), 3], // left over
  ];
  for (const list of broken) {
    const { version, before } = replica;
    throws(FrameError, () => replica.apply(3, FOLLOW, bytes(list), []), `${list}`);
    ok(version === replica.version && before === replica.before, "something has changed");
  }
  throws(FrameError, () => replica.apply(3, 17, bytes(1, 0), []), "the second step is missing");
  throws(FrameError, () => replica.apply(3, 17, bytes(9, 0, 0), []), "the first is longer than the frame");
  throws(FrameError, () => replica.apply(3, 17, bytes(5, 1, 0, 0, 0, 0, 0), []), "the first has a checksum");
  throws(FrameError, () => replica.apply(3, 10, LINEAR, []), "a coding of which nothing was said");
  replica.apply(3, FOLLOW, LINEAR, []);
  equal(ship(replica), [30, 20, false]);
});

test("a checksum that disagrees is refused", () => {
  const replica = held([...STEP]);
  const other = held([...STEP]);
  other.apply(3, FOLLOW, LINEAR, []);
  const crc = [0, 8, 16, 24].map((shift) => (other.crc() >>> shift) & 255);
  throws(FrameError, () => replica.apply(3, FOLLOW, bytes(3, crc.map((byte) => byte ^ 1), [...LINEAR.slice(1)]), []));
  replica.apply(3, FOLLOW, bytes(3, crc, [...LINEAR.slice(1)]), []);
  equal(replica.crc(), other.crc());
});

test("3,000 changed frames of eg are applied, or refused by FrameError and nothing has changed", () => {
  const random = seeded(8);
  const replica = held([...STEP]);
  const { version, base: start, before, tick } = replica;
  const crc = replica.crc();
  const frames = [[KEY, KEYFRAME], [FOLLOW, LINEAR], [FOLLOW, STEP], [FOLLOW, bytes(2, 0b1110, 0, 0, 40, 41, 3, 1, planes([20, 5], [3, 5], [0, 0]))]];
  let refused = 0;
  for (let i = 0; i < 3000; i++) {
    const [base, frame] = frames[i % frames.length];
    const changed = mutate(frame, random);
    if (!survives(FrameError, () => replica.apply(3, base, changed, []), hex(changed))) refused++;
    Object.assign(replica, { version, base: start, before, tick });
    ok(replica.crc() === crc, "the version before has changed");
  }
  ok(refused > 1500, `${refused} refused`);
});

test("rotations: three components are enough", () => {
  const random = seeded(9);
  for (let i = 0; i < 2000; i++) {
    const top = 2 ** (2 + Math.floor(random() * 14)) - 1;
    const q = [0, 0, 0, 0].map(() => random() * 2 - 1);
    const length = Math.hypot(...q);
    const [largest, a, b, c] = toIntegers(q, top);
    const shown = toNumbers(largest, a, b, c, top);
    const near = Math.abs(q.reduce((sum, each, n) => sum + (each / length) * shown[n], 0));
    ok(near > 1 - 4 / top, `${q} is shown as ${shown}`);
  }
  equal(toIntegers([0, 0, 0, 0], 511), toIntegers([0, 0, 0, 1], 511));
  equal(toIntegers([NaN, 0, 0, 1], 511), toIntegers([0, 0, 0, 5], 511));
  equal(toIntegers([0, Infinity, 0, 1], 511), toIntegers([0, 0, 0, -1], 511));
});

test("rotations turn the shorter way", () => {
  const half = Math.SQRT1_2;
  turned([0, 0, 0, 1], [0, 0, half, half], 0.5).forEach((value, i) => close(value, [0, 0, Math.sin(Math.PI / 8), Math.cos(Math.PI / 8)][i]));
  turned([0, 0, 0, 1], [0, 0, -half, -half], 0.5).forEach((value, i) => close(value, [0, 0, Math.sin(Math.PI / 8), Math.cos(Math.PI / 8)][i]));
  equal(turned([0, 0, 0, 0], [0, 0, 0, 0], 0.5), [0, 0, 0, 0]);
});

test("rows show rotations and bytes", () => {
  const replica = begin([{ name: "q", kind: "quaternion", bits: 9 }, { name: "mesh", kind: "data", max: 4 }]);
  const [largest, a, b, c] = toIntegers([0, 0, 1, 0], 511);
  const packet = bytes(0, 9, 8, 7, 0);
  const values = [largest, a, b, c].flatMap((n) => [((2 * n) & 127) | 128, (2 * n) >> 7]);
  replica.apply(1, 0, bytes(2, 31, 0, 2, 0, 2, values), [[0, 1, [0], [packet.subarray(1, 4)]]]);
  packet.fill(0);
  const row = interpolate(replica.version, replica.version, 1).ship.get(0);
  row.q.forEach((value, i) => ok(Math.abs(value - [0, 0, 1, 0][i]) < 0.003, `${row.q}`));
  equal(row.mesh, bytes(9, 8, 7));
  const texts = (value) => () => replica.apply(2, 8, bytes(0), [[0, 1, [0], [value]]]);
  for (const value of ["text", bytes(1, 2, 3, 4, 5), null, [1]]) throws(FrameError, texts(value), `${value}`);
  throws(FrameError, () => replica.apply(2, 8, bytes(0), [[0, 0, [0], [[0, 0, 0, 0]]]]), "a rotation does not travel beside");
});

test("a world that differs from the server's is found out by its checksum, and a keyframe mends it", async () => {
  const server = new FakeServer();
  const client = new NetworkClient({ url: "ws://test/ws", outside: server.outside });
  client.connect();
  await server.letIn();
  equal(server.take("HELLO")[0].features, ["eg"]);
  await server.frame(21, Uint8Array.of(3, 1, 2, 3, 4, ...PLAIN_STEP.slice(1)));
  equal(server.take("LOST").length, 1);
  equal([client.stats.tick, client.world.ship.get(0).x], [20, 10], "what was wrong is not shown");
  // The server answers in its own coding: two steps, the second of which changes nothing; after it one can follow.
  await server.frame(22, Uint8Array.of(EG_STEP.length, ...EG_STEP, 0), 1);
  await server.frame(23, Uint8Array.of(2, 2, 1, 32, 5, 4), 9);
  equal([client.stats.tick, client.world.ship.get(0).x, client.stats.lostFrames], [23, 20, 1]);
  equal(server.take("LOST").length, 0);
});
