// What the steps of both codings have in common: their head, and rows that are freed and taken (wire clauses 8.5, 8.8).

import { FrameError } from "./errors.js";
import { MAX_ROWS } from "./limits.js";

/** @typedef {import("./table-state.js").TableState} TableState */
/** @typedef {import("./words.js").Reader} Reader */

/**
 * The head of a step: which tables have a part, and the checksum of the new version.
 * @param {Reader} reader
 * @param {number} tables
 */
export function readHead(reader, tables) {
  const [checked, ...parts] = reader.bits(tables);
  if (!checked) return { parts, checksum: null };
  const [a, b, c, d] = reader.take(4);
  return { parts, checksum: (a | (b << 8) | (c << 16) | (d << 24)) >>> 0 };
}

/**
 * Read the rows of a part that are freed and taken.
 * @param {Reader} reader
 * @param {TableState} base
 * @param {TableState} next A fork of the base.
 */
export function readRows(reader, base, next) {
  const freed = reader.rows();
  const taken = reader.rows();
  const top = taken.length ? taken[taken.length - 1] + 1 : 0;
  next.own(top > base.height ? Math.min(MAX_ROWS, Math.max(top, 2 * base.height)) : 0);
  for (const slot of freed) free(next, slot);
  for (const slot of taken) take(next, base, slot, reader.word());
}

/**
 * @param {TableState} table
 * @param {number} slot
 */
function free(table, slot) {
  if (!table.alive[slot]) throw new FrameError("a row is freed that is not taken");
  table.alive[slot] = 0;
  table.generations[slot] = 0;
  table.clear(slot);
  table.size--;
}

/**
 * @param {TableState} table
 * @param {TableState} base
 * @param {number} slot
 * @param {number} generation
 */
function take(table, base, slot, generation) {
  if (generation > 0xffff) throw new FrameError("a generation of more than 16 bits");
  if (!table.alive[slot]) {
    if (base.alive[slot]) throw new FrameError("a row is freed and taken at once");
    table.size++; // what is free is clear already
  } else if (table.generations[slot] === generation) throw new FrameError("a row is taken that was taken already");
  else table.clear(slot);
  table.alive[slot] = 1;
  table.generations[slot] = generation;
}
