// One column of the coding `eg`: the sums of base, guess and difference (wire clauses 8.16, 8.17).

import { FrameError } from "./errors.js";
import { rebased } from "./rotation.js";
import { Scratch } from "./scratch.js";

/** @typedef {import("./eg.js").Part} Part */
/** @typedef {import("./field.js").Column} Column */
/** @typedef {{slots: Int32Array, moved: Uint8Array}} Changed the changed rows, and which of them were active */

const HALF = 1;
const LINEAR = 2;

/** Sums may be beyond 32 bits before they are reduced. */
const added = new Scratch(Float64Array);

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
  const { kind, columns } = part.next;
  const column = kind.columns[c];
  const { ring, min, max } = column;
  const { slots } = changed;
  const sums = bases(part, c, mode, changed);
  const implied = listed !== null && column.values === 2;
  for (let i = 0; i < count && listed !== null; i++) sums[listed[i]] = sum(column, sums[listed[i]], implied ? 1 : numbers[at + i] + 1);
  for (let i = 0; i < count && listed === null; i++) {
    const z = numbers[at + i];
    const n = sums[i] + ((z >>> 1) ^ -(z & 1));
    sums[i] = ring === 0 ? n | 0 : reduced(n, column);
  }
  const values = columns[c];
  for (let i = 0; i < slots.length; i++) {
    const n = sums[i];
    if (n < min || n > max) throw new FrameError(`${kind.name}.${column.name} leaves its domain`);
    values[slots[i]] = n;
  }
  return implied ? at : at + count;
}

/**
 * @param {Column} column
 * @param {number} old
 * @param {number} z at most 2^32
 */
function sum(column, old, z) {
  const n = old + (z % 2 ? -(z + 1) / 2 : z / 2);
  return column.ring === 0 ? n | 0 : reduced(n, column);
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
 * What the differences are added to: base and guess of each changed row.
 * @param {Part} part
 * @param {number} c
 * @param {number} mode
 * @param {Changed} changed
 */
function bases(part, c, mode, { slots, moved }) {
  const { next, base, before } = part;
  const column = next.kind.columns[c];
  const values = next.columns[c];
  const made = added.room(slots.length);
  for (let i = 0; i < slots.length; i++) made[i] = values[slots[i]];
  const rotation = column.part > 0;
  if (before !== null && (mode === HALF || mode === LINEAR)) {
    const was = before.columns[c];
    const is = base.columns[c];
    const largest = c - column.part;
    for (let i = 0; i < slots.length; i++) {
      if (moved[i] === 0) continue;
      const slot = slots[i];
      if (rotation && before.columns[largest][slot] !== base.columns[largest][slot]) continue;
      const v = least(is[slot] - was[slot], column.ring);
      made[i] += mode === HALF ? v >> 1 : v;
    }
  }
  if (rotation) rebase(part, c, column, slots, made);
  return made;
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

/**
 * Where another component of a quaternion is the largest now, the base is the old rotation written that way (8.17).
 * @param {Part} part
 * @param {number} c
 * @param {Column} column
 * @param {Int32Array} slots
 * @param {Float64Array} made
 */
function rebase({ next, base, taken }, c, column, slots, made) {
  const first = c - column.part;
  const now = next.columns[first];
  const [largest, x, y, z] = base.columns.slice(first, first + 4);
  if (now === largest) return;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i];
    if (now[slot] === largest[slot] || (taken !== null && taken[slot])) continue;
    made[i] = rebased(largest[slot], x[slot], y[slot], z[slot], column.max, now[slot])[column.part];
  }
}
