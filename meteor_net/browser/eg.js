// The coding `eg`: only what a guess from the last two versions missed, in few bits (wire clauses 8.12 - 8.18).
//
// A step is read in three passes: the heads tell how many numbers there are, the planes give them all, and then they are added to what
// was guessed. Whatever was read before is checked by then: no pass is longer than the frame and the tables it names.

import { applyColumn } from "./eg-column.js";
import { FrameError } from "./errors.js";
import { Runs, readNumbers } from "./planes.js";
import { readHead, readRows } from "./rows.js";
import { Scratch } from "./scratch.js";
import { Reader } from "./words.js";

/** @typedef {import("./field.js").Column} Column */
/** @typedef {import("./schema.js").Schema} Schema */
/** @typedef {import("./table-state.js").TableState} TableState */
/** @typedef {import("./varint.js").Decoded} Decoded */
/** @typedef {{c: number, mode: number, count: number}} ColumnHead a column with values; `count` of its numbers, or rows in mode 3 */
/**
 * @typedef {object} Part
 * @property {TableState} next
 * @property {TableState} base
 * @property {TableState | null} before
 * @property {Int32Array} active
 * @property {number} stopped
 * @property {number} begun
 * @property {ColumnHead[]} columns
 */

export const FEW = 3;
const NONE = new Int32Array(0);

const stoppedPlaces = new Scratch(Int32Array);
const begunPlaces = new Scratch(Int32Array);
const listed = new Scratch(Int32Array);
const movedRows = new Scratch(Uint8Array);

/**
 * Bring a version to the next.
 * @param {Schema} schema
 * @param {TableState[]} base The version that the frame starts from.
 * @param {TableState[] | null} before The version before it; null where we have none.
 * @param {number} back Versions back.
 * @param {Uint8Array} data
 * @returns {Decoded & {between: TableState[] | null}} With the version before the new one, where the frame brought it.
 * @throws {FrameError} If the frame does not fit; nothing that was given is changed.
 */
export function decodeEg(schema, base, before, back, data) {
  if (back === 1) {
    if (before === null) throw new FrameError("a step that needs a version which we do not have");
    return { ...decodeStep(schema, base, before, data), between: null };
  }
  const reader = new Reader(data);
  const first = decodeStep(schema, base, null, reader.take(reader.word()));
  if (first.checksum !== null) throw new FrameError("a checksum in the middle of a frame");
  return { ...decodeStep(schema, first.tables, null, data.subarray(reader.at)), between: first.tables };
}

/**
 * @param {Schema} schema
 * @param {TableState[]} base
 * @param {TableState[] | null} before null: a self-contained step
 * @param {Uint8Array} data
 * @returns {Decoded}
 */
function decodeStep(schema, base, before, data) {
  const reader = new Reader(data);
  const { parts, checksum } = readHead(reader, schema.tables.length);
  const runs = new Runs();
  /** @type {Part[]} */
  const read = [];
  const tables = base.map((table, t) => {
    if (!parts[t]) return table;
    const part = readPart(reader, table, before === null ? null : before[t], runs);
    read.push(part);
    return part.next;
  });
  const numbers = readNumbers(data, reader.at, runs);
  let at = 0;
  for (const part of read) at = applyPart(part, numbers, at);
  return { tables, checksum };
}

/**
 * The head of a part (8.13).
 * @param {Reader} reader
 * @param {TableState} base
 * @param {TableState | null} before
 * @param {Runs} runs
 * @returns {Part}
 */
function readPart(reader, base, before, runs) {
  const has = reader.bits(base.kind.columns.length);
  const next = base.fork();
  /** @type {Part} */
  const part = { next, base, before, active: NONE, stopped: 0, begun: 0, columns: [] };
  if (has[0]) readRows(reader, base, next);
  if (!has.includes(true, 1)) return part;
  part.active = activeSet(base, before, next);
  if (part.active.length) {
    part.stopped = reader.word();
    gaps(runs, part.stopped, part.active.length);
  }
  part.begun = reader.word();
  gaps(runs, part.begun, next.size - part.active.length);
  const changed = part.active.length - part.stopped + part.begun;
  base.kind.columns.forEach((column, c) => {
    if (has[c + 1]) part.columns.push(readMode(reader, column, c, changed, runs));
  });
  return part;
}

/**
 * How a column was guessed, and how its numbers are written.
 * @param {Reader} reader
 * @param {Column} column
 * @param {number} c
 * @param {number} changed
 * @param {Runs} runs
 * @returns {ColumnHead}
 */
function readMode(reader, column, c, changed, runs) {
  const byte = reader.byte();
  const k = byte >> 3;
  const mode = byte & 7;
  if (mode > FEW) throw new FrameError("a mode that is none");
  if (mode !== FEW) {
    runs.add(k, changed);
    return { c, mode, count: changed };
  }
  const count = reader.word();
  gaps(runs, count, changed);
  if (column.values !== 2) runs.add(k, count);
  return { c, mode, count };
}

/**
 * Note gaps (8.15).
 * @param {Runs} runs
 * @param {number} count
 * @param {number} size
 */
function gaps(runs, count, size) {
  if (count > size) throw new FrameError("more places than there are");
  if (count) runs.add(31 - Math.clz32(Math.floor(size / count)), count);
}

/**
 * The slots of the rows that are in all three versions and moved in the step before (8.15).
 * @param {TableState} base
 * @param {TableState | null} before null: none counts
 * @param {TableState} next
 */
function activeSet(base, before, next) {
  if (before === null || before === base) return NONE;
  const { touched } = base;
  const active = new Int32Array(touched.length);
  let count = 0;
  for (const slot of touched) {
    if (slot >= before.height || !before.alive[slot] || !next.alive[slot]) continue;
    const generation = base.generations[slot];
    if (before.generations[slot] !== generation || next.generations[slot] !== generation) continue;
    if (differs(base.columns, before.columns, slot)) active[count++] = slot;
  }
  return active.subarray(0, count);
}

/**
 * @param {Int32Array[]} columns
 * @param {Int32Array[]} others
 * @param {number} slot
 */
function differs(columns, others, slot) {
  for (let c = 0; c < columns.length; c++) if (columns[c][slot] !== others[c][slot]) return true;
  return false;
}

/**
 * Read gaps: the places, ascending.
 * @param {Uint32Array} numbers
 * @param {number} at
 * @param {number} count
 * @param {number} size
 * @param {Int32Array} found to be filled
 */
function places(numbers, at, count, size, found) {
  let place = -1;
  for (let i = 0; i < count; i++) {
    place += numbers[at + i] + 1;
    if (place >= size) throw new FrameError("a place beyond the last");
    found[i] = place;
  }
}

/**
 * Add the numbers of a part to what was guessed; answer where those of the next begin.
 * @param {Part} part
 * @param {Uint32Array} numbers
 * @param {number} at
 */
function applyPart(part, numbers, at) {
  if (!part.columns.length) return at;
  const { next, active } = part;
  const rows = changedRows(part, numbers, at);
  at += part.stopped + part.begun;
  next.touched = rows.slots;
  ownColumns(part);
  for (const { c, mode, count } of part.columns) {
    const few = mode === FEW ? listed.room(count) : null;
    if (few !== null) {
      places(numbers, at, count, rows.slots.length, few);
      at += count;
    }
    at = applyColumn(part, c, mode, rows, few, count, numbers, at);
  }
  return at;
}

/**
 * Take copies of the columns with values, side by side in one piece of memory.
 * @param {Part} part
 */
function ownColumns({ next, base, columns }) {
  const shared = columns.filter(({ c }) => next.columns[c] === base.columns[c]);
  const memory = new Int32Array(shared.length * next.height);
  shared.forEach(({ c }, i) => {
    next.columns[c] = memory.subarray(i * next.height, (i + 1) * next.height);
    next.columns[c].set(base.columns[c]);
  });
}

/**
 * The changed rows, ascending, and which of them were active (8.15).
 * @param {Part} part
 * @param {Uint32Array} numbers
 * @param {number} at where its gaps begin
 */
function changedRows({ next, active, stopped, begun }, numbers, at) {
  const stops = stoppedPlaces.room(stopped + 1);
  places(numbers, at, stopped, active.length, stops);
  const begins = begunPlaces.room(begun + 1);
  places(numbers, at + stopped, begun, next.size - active.length, begins);
  stops[stopped] = begins[begun] = -1; // after the last
  const slots = new Int32Array(active.length - stopped + begun);
  const moved = movedRows.room(slots.length);
  const { alive } = next;
  let count = 0;
  let s = 0; // in stops
  let b = 0; // in begins
  let place = 0; // among the rows that are not active
  let slot = 0;
  // Up to each active row, and after the last of them, come others.
  for (let a = 0; a <= active.length; a++) {
    const end = a < active.length ? active[a] : next.height;
    for (; slot < end && b < begun; slot++) {
      if (alive[slot] === 0 || place++ !== begins[b]) continue;
      b++;
      moved[count] = 0;
      slots[count++] = slot;
    }
    slot = end + 1;
    if (a === active.length) break;
    if (stops[s] === a) s++;
    else {
      moved[count] = 1;
      slots[count++] = end;
    }
  }
  return { slots, moved };
}
