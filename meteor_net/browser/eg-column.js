// One column of the coding `eg`: the sums of base, guess and difference (wire clauses 8.16, 8.17).

import { FrameError } from "./errors.js";

/** @typedef {import("./eg.js").Part} Part */
/** @typedef {import("./field.js").Column} Column */
/** @typedef {import("./table-state.js").TableState} TableState */
/** @typedef {{slots: Int32Array, moved: Uint8Array}} Changed the changed rows, and which of them were active */

const HALF = 1;
const LINEAR = 2;

/**
 * Add a column's numbers; answer where those of the next begin.
 * @param {Part} part
 * @param {number} c
 * @param {number} mode
 * @param {Changed} changed
 * @param {Int32Array | null} listed In mode 3 the places of the rows that have a number; the others have none.
 * @param {number} count Rows listed, or all changed rows.
 * @param {Uint32Array} numbers
 * @param {number} at
 */
export function applyColumn(part, c, mode, changed, listed, count, numbers, at) {
  if (listed !== null) return applyFew(part, c, changed, listed, count, numbers, at);
  const { kind, columns } = part.next;
  const column = kind.columns[c];
  const values = columns[c];
  const { ring, min, max } = column;
  const { slots, moved } = changed;
  const guessed = part.before !== null && (mode === HALF || mode === LINEAR);
  for (let i = 0; i < count; i++) {
    const slot = slots[i];
    const z = numbers[at + i];
    let n = values[slot] + ((z >>> 1) ^ -(z & 1));
    if (guessed && moved[i] === 1) n += guess(part, c, column, slot, mode);
    n = ring === 0 ? n | 0 : reduced(n, column);
    if (n < min || n > max) throw new FrameError(`${kind.name}.${column.name} leaves its domain`);
    values[slot] = n;
  }
  return at + count;
}

/**
 * Add the numbers of a column in which few rows have one.
 * @param {Part} part
 * @param {number} c
 * @param {Changed} changed
 * @param {Int32Array} listed
 * @param {number} count
 * @param {Uint32Array} numbers
 * @param {number} at
 */
function applyFew(part, c, { slots }, listed, count, numbers, at) {
  const { kind, columns } = part.next;
  const column = kind.columns[c];
  const values = columns[c];
  const implied = column.values === 2;
  for (let i = 0; i < count; i++) {
    const slot = slots[listed[i]];
    const z = implied ? 1 : numbers[at + i] + 1; // up to 2^32
    const sum = values[slot] + (z % 2 ? -(z + 1) / 2 : z / 2);
    const n = column.ring === 0 ? sum | 0 : reduced(sum, column);
    if (n < column.min || n > column.max) throw new FrameError(`${kind.name}.${column.name} leaves its domain`);
    values[slot] = n;
  }
  return implied ? at : at + count;
}

/**
 * A sum modulo the column's ring.
 * @param {number} n
 * @param {Column} column
 */
function reduced(n, { min, ring }) {
  const above = n - min;
  if (above >= 0 && above < ring) return n;
  return n - Math.floor(above / ring) * ring;
}

/**
 * How an active row is guessed to move: as it did, or half of that (8.16); a rotation that came to be written in another way, not at all (8.17).
 * @param {Part} part
 * @param {number} c
 * @param {Column} column
 * @param {number} slot
 * @param {number} mode
 */
function guess({ base, before }, c, column, slot, mode) {
  const was = /** @type {TableState} */ (before).columns;
  if (column.part > 0) {
    const first = c - column.part;
    if (was[first][slot] !== base.columns[first][slot]) return 0;
  }
  const v = least(base.columns[c][slot] - was[c][slot], column.ring);
  return mode === HALF ? v >> 1 : v;
}

/**
 * A difference, brought to its least magnitude; the negative one of equals.
 * @param {number} difference
 * @param {number} ring
 */
function least(difference, ring) {
  if (ring === 0) return difference | 0;
  const half = ring >>> 1;
  const above = difference + half;
  return difference - Math.floor(above / ring) * ring;
}
