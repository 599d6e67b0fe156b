// Applies recorded frames with the browser's modules: node replay.mjs BROWSER_FOLDER FILE CHANGED
//
// The file is JSON, a list of stories: `schema`, and `told`: `known`, a tick of CLOCK; or a frame, `tick16`, `base`, `data` (hexadecimal) and
// `texts`, with the `tick` and the `crc` that it must lead to; bytes in texts are {"hex": …}. Where there are keyed tables it has `sight`
// (hexadecimal), and `seen`: the `crc` of all rows that are seen then, and their `texts`, by table, by field, in the order of slots. Of each
// coding CHANGED frames are also applied in a changed form, from where the right one starts: they must be applied, or refused by
// FrameError, and none may take long. What went wrong is thrown.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** A frame that took so long is tried again: the compiler and the collector of garbage take their time too. */
const AGAIN_MS = 2;
const [folder, file, changed] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(join(folder, name)).href);
const [{ FrameError }, { Replica }, { Schema }, { checksum }] = await Promise.all(["errors.js", "replica.js", "schema.js", "checksum.js"].map(load));

const unhex = (text) => Uint8Array.from(Buffer.from(text, "hex"));

/** JSON to the values of the wire. */
function toWire(value) {
  if (Array.isArray(value)) return value.map(toWire);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.hex === "string") return unhex(value.hex);
  return new Map(Object.entries(value).map(([key, item]) => [key, toWire(item)]));
}

let state = 1;
/** A number below n that looks random and is the same in every run (xorshift). */
function below(n) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % n;
}

/** Change bytes as a bad line or a bad mind would. */
function mutate(bytes) {
  const list = [...bytes];
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const at = below(list.length + 1);
    const way = below(6);
    if (way === 0) list.splice(at, 1);
    else if (way === 1) list.splice(at, 0, below(256));
    else if (way === 2) list.splice(at);
    else if (way === 3 && at < list.length) list[at] = below(256);
    else if (at < list.length) list[at] ^= 1 << below(8);
  }
  return Uint8Array.from(list);
}

/** Apply a changed frame and go back; the answer is whether it was refused. */
function survive(replica, frame, bytes, sight) {
  const { version, base, before, inSight, tick } = replica;
  const began = process.cpuUsage();
  let refused = false;
  try {
    replica.apply(frame.tick16, frame.base, bytes, frame.texts, sight);
  } catch (error) {
    if (!(error instanceof FrameError)) throw new Error(`${[bytes, sight].map((part) => Buffer.from(part).toString("hex"))}: ${error.stack}`);
    refused = true;
  }
  const { user, system } = process.cpuUsage(began);
  if (refused && replica.version !== version) throw new Error("a refused frame has changed something");
  Object.assign(replica, { version, base, before, inSight, tick });
  return { refused, ms: (user + system) / 1000 };
}

const stories = JSON.parse(readFileSync(file, "utf8"));
const codings = [0, 1];
const those = codings.map((coding) => stories.flatMap(({ told }) => told).filter(({ base }) => base % 8 === coding).length);
const times = those.map((count) => Math.ceil(Number(changed) / count)); // that each frame is changed
const [tried, refused, longest] = [[0, 0], [0, 0], [0, 0]];
let frames = 0;

/** Apply changed forms of a frame, each from where the replica stands. */
function tryChanged(replica, frame, data, sight) {
  const coding = frame.base % 8;
  const held = checksum(replica.version.tables);
  for (let n = 0; n < times[coding]; n++) {
    const [bytes, item] = sight.length && below(2) ? [data, mutate(sight)] : [mutate(data), sight];
    const other = below(20) ? frame : { ...frame, base: 8 * below(9) + coding };
    let outcome = survive(replica, other, bytes, item);
    for (let again = 0; outcome.ms > AGAIN_MS && again < 5; again++) {
      const { ms } = survive(replica, other, bytes, item);
      outcome = { ...outcome, ms: Math.min(ms, outcome.ms) };
    }
    longest[coding] = Math.max(longest[coding], outcome.ms);
    refused[coding] += outcome.refused;
    if (++tried[coding] % 25_000 === 0) console.error(`  JavaScript, coding ${coding}: ${tried[coding]} changed frames`);
  }
  if (checksum(replica.version.tables) !== held) throw new Error("a changed frame has changed the version before");
}

/** Compare what is seen. */
function compare({ tables }, { crc, texts }, about) {
  if (checksum(tables) !== crc) throw new Error(`${about}: what is seen has another checksum`);
  const toJson = (value) => (typeof value === "string" ? value : { hex: Buffer.from(value).toString("hex") });
  const held = tables.map((table) => table.kind.apart.map((f) => table.slots().map((slot) => toJson(table.text(f, slot)))));
  if (JSON.stringify(held) !== JSON.stringify(texts)) throw new Error(`${about}: ${JSON.stringify(held)} is not ${JSON.stringify(texts)}`);
}

for (const { schema, told } of stories) {
  const replica = new Replica(Schema.parse(toWire(schema)), 1, told[0]?.known ?? told[0]?.tick ?? 0);
  for (const [i, { known, tick, tick16, base, data, texts, crc, sight = "", seen }] of told.entries()) {
    if (known !== undefined) {
      replica.noteTick(known);
      continue;
    }
    const frame = { tick16, base, texts: toWire(texts) };
    tryChanged(replica, frame, unhex(data), unhex(sight));
    replica.apply(tick16, base, unhex(data), frame.texts, unhex(sight));
    if (seen !== undefined) compare(replica.version, seen, `frame ${i}, sight ${sight}`);
    if (replica.crc() !== crc) throw new Error(`frame ${i}, base ${base}: ${replica.crc()} is not ${crc}\n${JSON.stringify(schema)}`);
    if (replica.version.tick !== tick) throw new Error(`frame ${i}: tick ${replica.version.tick} is not ${tick}`);
    frames++;
  }
  const { tables } = replica.version;
  for (const { alive, height, columns, size } of tables) {
    if (alive.reduce((sum, one) => sum + one, 0) !== size) throw new Error("the rows are not counted right");
    for (const column of columns) for (let slot = 0; slot < height; slot++) if (!alive[slot] && column[slot]) throw new Error("a free slot is not zero");
  }
}
console.log(JSON.stringify({ frames, tried, refused, longest }));
