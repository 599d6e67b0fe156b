// The coding `varint`: the plain one, which a client of few lines reads (wire clauses 8.5 - 8.8).

import { FrameError } from "./errors.js";
import { readHead, readRows } from "./rows.js";
import { Reader } from "./words.js";

/** @typedef {import("./schema.js").Schema} Schema */
/** @typedef {import("./table-state.js").TableState} TableState */
/** @typedef {{tables: TableState[], checksum: number | null}} Decoded a version without its new texts, and what its checksum should be */

/**
 * Bring a version to the next (8.3 - 8.5).
 * @param {Schema} schema
 * @param {TableState[]} base The version that the frame starts from.
 * @param {Uint8Array} data
 * @returns {Decoded} Tables without a part are shared with the base.
 * @throws {FrameError} If the frame does not fit the base or the schema (8.8); `base` is as it was.
 */
export function decodeVarint(schema, base, data) {
  const reader = new Reader(data);
  const { parts, checksum } = readHead(reader, schema.tables.length);
  const tables = base.map((table, t) => (parts[t] ? part(reader, table) : table));
  if (reader.at !== data.length) throw new FrameError("bytes of the frame are left over");
  return { tables, checksum };
}

/**
 * @param {Reader} reader
 * @param {TableState} base
 */
function part(reader, base) {
  const columns = reader.bits(base.kind.columns.length);
  const next = base.fork();
  if (columns[0]) readRows(reader, base, next);
  if (columns.some((has, i) => has && i > 0)) values(reader, next, base, columns);
  return next;
}

/**
 * @param {Reader} reader
 * @param {TableState} table
 * @param {TableState} base
 * @param {boolean[]} columns
 */
function values(reader, table, base, columns) {
  const changed = reader.rows();
  for (const slot of changed) if (!table.alive[slot]) throw new FrameError("a row is changed that is not taken");
  table.touched = Int32Array.from(changed);
  table.kind.columns.forEach(({ name, modulus, min, max }, c) => {
    if (!columns[c + 1]) return;
    if (table.columns[c] === base.columns[c]) table.columns[c] = base.columns[c].slice();
    const column = table.columns[c];
    for (const slot of changed) {
      const z = reader.word();
      let n = column[slot] + ((z >>> 1) ^ -(z & 1));
      if (modulus) n -= Math.floor(n / modulus) * modulus;
      else n |= 0;
      if (n < min || n > max) throw new FrameError(`${table.kind.name}.${name} leaves its domain`);
      column[slot] = n;
    }
  });
}
