// Decodes recorded frames with the browser's modules: node decode.mjs BROWSER_FOLDER PASSES FILE...
//
// A file is a list of parts, each a length of 4 bytes (little-endian) and its bytes: the schema in CBOR, then packets of one FRAME
// each. For each file a line of JSON comes out: the checksum after each frame, and the times of decoding in microseconds.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, passes, ...files] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(join(folder, name)).href);
const [{ decode }, { decodeFromServer }, { Replica }, { Schema }] = await Promise.all(["codec.js", "messages.js", "replica.js", "schema.js"].map(load));

/** Cut a file into its parts. */
function* parts(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += 4 + view.getUint32(at, true)) yield bytes.subarray(at + 4, at + 4 + view.getUint32(at, true));
}

/** Apply all frames; `each` is told how long one took, and where that led. */
function replay(schema, frames, each) {
  const replica = new Replica(schema, 1, frames[0].tick16);
  for (const { tick16, base, data, texts } of frames) {
    const began = performance.now();
    replica.apply(tick16, base, data, texts);
    each(performance.now() - began, replica);
  }
}

for (const file of files) {
  const [described, ...packets] = parts(new Uint8Array(readFileSync(file)));
  const schema = Schema.parse(decode(described));
  const frames = packets.map((packet) => decodeFromServer(packet)[0]);
  const crcs = [];
  replay(schema, frames, (_, replica) => crcs.push(replica.crc()));
  const us = [];
  for (let pass = 0; pass < Number(passes); pass++) replay(schema, frames, (ms) => us.push(1000 * ms));
  console.log(JSON.stringify({ crcs, us }));
}
