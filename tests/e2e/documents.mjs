// Applies recorded documents with the browser's modules: node documents.mjs BROWSER_FOLDER FILE
//
// The file is JSON, a list of stories: `schema`, and `told`, a list of frames: `tick16`, `base`, `data` and `docs` (hexadecimal), and `trees`,
// what they lead to by name; bytes are {"hex": …}. `changed` are other forms of `docs`, tried before, from the same place: [docs, trees], with
// null for trees that Python refuses. Each must lead to the same here. What went wrong is thrown.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(join(folder, name)).href);
const [{ FrameError }, { Replica }, { Schema }] = await Promise.all(["errors.js", "replica.js", "schema.js"].map(load));

const unhex = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const hex = (bytes) => Buffer.from(bytes).toString("hex");

/** JSON to the values of the wire. */
function toWire(value) {
  if (Array.isArray(value)) return value.map(toWire);
  if (value === null || typeof value !== "object") return value;
  return new Map(Object.entries(value).map(([key, item]) => [key, toWire(item)]));
}

/** A tree as text: equal trees are equal texts, whatever the order of their keys. */
function show(value) {
  if (value instanceof Uint8Array) return `h'${hex(value)}'`;
  if (Array.isArray(value)) return `[${value.map(show)}]`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Object.keys(value).join() === "hex") return `h'${value.hex}'`;
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${show(value[key])}`)}}`;
}

const shown = (replica) => show(Object.fromEntries(replica.version.docs.trees));

/** Apply a frame with other documents, and go back: it must be refused by FrameError, or lead where Python was led. */
function tryChanged(replica, { tick16, base, data }, [docs, trees]) {
  const saved = { ...replica };
  const before = shown(replica);
  let found = null;
  try {
    replica.apply(tick16, base, unhex(data), [], new Uint8Array(0), unhex(docs));
    found = shown(replica);
  } catch (error) {
    if (!(error instanceof FrameError)) throw new Error(`${docs}: ${error.stack}`);
    if (replica.version !== saved.version) throw new Error("a refused frame has changed something");
  }
  const expected = trees === null ? null : show(trees);
  if (found !== expected) throw new Error(`${docs}: ${found} is not ${expected}\n${before}`);
  Object.assign(replica, saved);
  if (shown(replica) !== before) throw new Error("a changed frame has changed the version before");
  return found === null;
}

const clean = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
const counts = { frames: 0, tried: 0, refused: 0 };
for (const { schema, told } of JSON.parse(readFileSync(file, "utf8"))) {
  const replica = new Replica(Schema.parse(toWire(schema)), 1, 0);
  for (const frame of told) {
    for (const other of frame.changed) {
      counts.tried++;
      counts.refused += tryChanged(replica, frame, other);
    }
    replica.apply(frame.tick16, frame.base, unhex(frame.data), [], new Uint8Array(0), unhex(frame.docs));
    if (shown(replica) !== show(frame.trees)) throw new Error(`frame ${counts.frames}: ${shown(replica)}\nis not ${show(frame.trees)}`);
    counts.frames++;
  }
}
if (JSON.stringify(Object.getOwnPropertyNames(Object.prototype)) !== clean || {}.a !== undefined) throw new Error("a prototype was changed");
console.log(JSON.stringify(counts));
