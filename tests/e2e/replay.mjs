// Applies recorded frames with the browser's modules: node replay.mjs BROWSER_FOLDER FILE MUTATIONS
//
// The file is JSON, a list of histories: `schema`, and `frames` of `tick16`, `base`, `data` (hexadecimal), `texts` and `crc`; bytes in
// texts are {"hex": …}. Each frame must lead to its checksum; each is also applied in so many changed forms, from the same version:
// they must be applied, or refused by FrameError, and none may take long. What went wrong is thrown.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** A frame that took so long is tried again: the compiler and the collector of garbage take their time too. */
const AGAIN_MS = 2;
const [folder, file, mutations] = process.argv.slice(2);
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
function survive(replica, frame, bytes) {
  const { version, before, tick } = replica;
  const began = process.cpuUsage();
  let refused = false;
  try {
    replica.apply(frame.tick16, frame.base, bytes, frame.texts);
  } catch (error) {
    if (!(error instanceof FrameError)) throw new Error(`${Buffer.from(bytes).toString("hex")}: ${error.stack}`);
    refused = true;
  }
  const { user, system } = process.cpuUsage(began);
  if (refused && replica.version !== version) throw new Error("a refused frame has changed something");
  Object.assign(replica, { version, before, tick });
  return { refused, ms: (user + system) / 1000 };
}

let frames = 0;
let refused = 0;
let longest = 0;
for (const { schema, frames: all } of JSON.parse(readFileSync(file, "utf8"))) {
  const replica = new Replica(Schema.parse(toWire(schema)), 1, all[0]?.tick16 ?? 0);
  for (const [i, { tick16, base, data, texts, crc }] of all.entries()) {
    const frame = { tick16, base, texts: toWire(texts) };
    const held = checksum(replica.version.tables);
    for (let n = 0; n < Number(mutations); n++) {
      const bytes = mutate(unhex(data));
      let outcome = survive(replica, frame, bytes);
      for (let again = 0; outcome.ms > AGAIN_MS && again < 5; again++) outcome = survive(replica, frame, bytes);
      longest = Math.max(longest, outcome.ms);
      refused += outcome.refused;
    }
    if (checksum(replica.version.tables) !== held) throw new Error(`frame ${i}: a changed frame has changed the version before`);
    replica.apply(tick16, base, unhex(data), frame.texts);
    if (replica.crc() !== crc) throw new Error(`frame ${i}, base ${base}: ${replica.crc()} is not ${crc}\n${JSON.stringify(schema)}`);
    frames++;
  }
  const { tables } = replica.version;
  for (const { alive, height, columns, size } of tables) {
    if (alive.reduce((sum, one) => sum + one, 0) !== size) throw new Error("the rows are not counted right");
    for (const column of columns) for (let slot = 0; slot < height; slot++) if (!alive[slot] && column[slot]) throw new Error("a free slot is not zero");
  }
}
console.log(JSON.stringify({ frames, refused, longest }));
