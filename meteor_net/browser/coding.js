// Frames to versions: coding `varint` with the bounds of wire 8.5 - 8.8.
//
// A version is a list of TableState, one for each table. `decodeStep` copies the tables that have a part, changes the copies, and
// answers the new list: when it throws FrameError nothing was changed, and tables without a part are shared between versions.

import { FrameError } from "./errors.js";
import { MAX_ROWS } from "./limits.js";

/** @typedef {import("./schema.js").Kind} Kind */
/** @typedef {import("./schema.js").Schema} Schema */

const BITMAP_BYTES = MAX_ROWS / 8;

/** The rows of one table in one version, by slot. */
export class TableState {
  /**
   * @param {Kind} kind
   * @param {number} height Slots there is room for.
   */
  constructor(kind, height) {
    this.kind = kind;
    this.height = height;
    /** Rows. */
    this.size = 0;
    this.alive = new Uint8Array(height);
    this.generations = new Int32Array(height);
    /** The integer columns, in order; zero where no row is (8.2). */
    this.columns = kind.columns.map(() => new Int32Array(height));
    /** @type {string[][]} By field; only text fields have a list. */
    this.texts = kind.fields.map((field) => (field.isText ? new Array(height).fill("") : []));
  }

  /**
   * A copy with room for `height` slots at least.
   * @param {number} height
   */
  copy(height) {
    const copied = new TableState(this.kind, Math.max(height, this.height));
    copied.size = this.size;
    copied.alive.set(this.alive);
    copied.generations.set(this.generations);
    this.columns.forEach((column, i) => copied.columns[i].set(column));
    this.texts.forEach((texts, i) => texts.forEach((text, slot) => { copied.texts[i][slot] = text; }));
    return copied;
  }

  /** @param {number} slot */
  clear(slot) {
    for (const column of this.columns) column[slot] = 0;
    for (const texts of this.texts) if (texts.length) texts[slot] = "";
  }

  /** The slots that rows are in, ascending. */
  slots() {
    /** @type {number[]} */
    const slots = [];
    for (let slot = 0; slot < this.height; slot++) if (this.alive[slot]) slots.push(slot);
    return slots;
  }
}

/**
 * The version before the first: no rows (8.1).
 * @param {Schema} schema
 */
export function emptyTables(schema) {
  return schema.tables.map((kind) => new TableState(kind, 0));
}

class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  /** An unsigned LEB128 of at most 5 bytes and 32 bits. */
  word() {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 5; i++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new FrameError("the frame ends in the middle of a number");
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > 0xffffffff) break;
        return value;
      }
      scale *= 128;
    }
    throw new FrameError("a number of more than 32 bits");
  }

  /** @param {number} count */
  take(count) {
    if (count > this.bytes.length - this.at) throw new FrameError("bytes of the frame are missing");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /**
   * Which of `count` things a number of bits names.
   * @param {number} count
   * @returns {boolean[]} `count` + 1 of them: bit 0 means something else
   */
  bits(count) {
    let value = this.word();
    const bits = [];
    for (let i = 0; i <= count; i++) {
      bits.push(value % 2 === 1);
      value = Math.floor(value / 2);
    }
    if (value) throw new FrameError("a part or a column that the schema does not have");
    return bits;
  }

  /** A row set (8.6): slots, ascending. */
  rows() {
    const head = this.word();
    const count = Math.floor(head / 2);
    if (count > MAX_ROWS) throw new FrameError("more rows than a table can have");
    return head % 2 ? this.#bitmap(count) : this.#list(count);
  }

  /** @param {number} count */
  #list(count) {
    /** @type {number[]} */
    const slots = [];
    let slot = -1;
    for (let i = 0; i < count; i++) {
      slot += this.word() + 1;
      if (slot >= MAX_ROWS) throw new FrameError("a slot that no table has");
      slots.push(slot);
    }
    return slots;
  }

  /** @param {number} count */
  #bitmap(count) {
    const size = this.word();
    if (size > BITMAP_BYTES) throw new FrameError("a slot that no table has");
    const bytes = this.take(size);
    /** @type {number[]} */
    const slots = [];
    bytes.forEach((byte, i) => {
      for (let bit = 0; byte >> bit; bit++) if ((byte >> bit) & 1) slots.push(8 * i + bit);
    });
    if (slots.length !== count) throw new FrameError("a row set's count disagrees with its bits");
    return slots;
  }
}

/**
 * Bring a version to the next (8.3 - 8.5).
 * @param {Schema} schema
 * @param {TableState[]} base The version that the frame starts from.
 * @param {Uint8Array} data
 * @param {unknown[][]} texts
 * @returns {{tables: TableState[], checksum: number | null}}
 * @throws {FrameError} If the frame does not fit the base or the schema (8.8); `base` is as it was.
 */
export function decodeStep(schema, base, data, texts) {
  const reader = new Reader(data);
  const parts = reader.bits(schema.tables.length);
  let checksum = null;
  if (parts[0]) {
    const bytes = reader.take(4);
    checksum = (bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24)) >>> 0;
  }
  const tables = base.map((table, t) => (parts[t + 1] ? part(reader, table) : table));
  if (reader.at !== data.length) throw new FrameError("bytes of the frame are left over");
  /** @type {Set<string>} */
  const seen = new Set();
  for (const change of texts) applyTexts(tables, base, change, seen);
  return { tables, checksum };
}

/**
 * @param {Reader} reader
 * @param {TableState} base
 */
function part(reader, base) {
  const columns = reader.bits(base.kind.columns.length);
  let next = base.copy(0);
  if (columns[0]) {
    const freed = reader.rows();
    const taken = reader.rows();
    for (const slot of freed) free(next, slot);
    const top = taken.length ? taken[taken.length - 1] + 1 : 0;
    if (top > next.height) next = next.copy(Math.min(MAX_ROWS, Math.max(top, 2 * next.height)));
    for (const slot of taken) take(next, base, slot, reader.word());
  }
  if (columns.some((has, i) => has && i > 0)) values(reader, next, columns);
  return next;
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
    table.size++;
  } else if (table.generations[slot] === generation) throw new FrameError("a row is taken that was taken already");
  table.alive[slot] = 1;
  table.generations[slot] = generation;
  table.clear(slot);
}

/**
 * @param {Reader} reader
 * @param {TableState} table
 * @param {boolean[]} columns
 */
function values(reader, table, columns) {
  const changed = reader.rows();
  for (const slot of changed) if (!table.alive[slot]) throw new FrameError("a row is changed that is not taken");
  table.kind.columns.forEach((field, c) => {
    if (!columns[c + 1]) return;
    const column = table.columns[c];
    const { modulus, min, max } = field;
    const unsigned = min >= 0;
    for (const slot of changed) {
      const z = reader.word();
      const difference = (z >>> 1) ^ -(z & 1);
      const old = unsigned ? column[slot] >>> 0 : column[slot];
      let n = old + difference;
      if (modulus) n -= Math.floor(n / modulus) * modulus;
      else n = unsigned ? n >>> 0 : n | 0;
      if (n < min || n > max) throw new FrameError(`${table.kind.name}.${field.name} leaves its domain`);
      column[slot] = n;
    }
  });
}

/**
 * New texts of a column (8.4).
 * @param {TableState[]} tables
 * @param {TableState[]} base
 * @param {unknown[]} change
 * @param {Set<string>} seen columns that had theirs
 */
function applyTexts(tables, base, change, seen) {
  const [t, f, slots, texts] = change;
  const table = Number.isInteger(t) ? tables[/** @type {number} */ (t)] : undefined;
  const field = Number.isInteger(f) ? table?.kind.fields[/** @type {number} */ (f)] : undefined;
  if (table === undefined || !field?.isText || seen.has(`${t} ${f}`)) throw new FrameError("texts for a column that has none, or has them twice");
  if (!Array.isArray(slots) || !Array.isArray(texts) || slots.length !== texts.length) throw new FrameError("slots and texts that do not fit");
  seen.add(`${t} ${f}`);
  const own = table === base[/** @type {number} */ (t)] ? table.copy(0) : table;
  tables[/** @type {number} */ (t)] = own;
  const column = own.texts[/** @type {number} */ (f)];
  slots.forEach((slot, i) => {
    if (!Number.isInteger(slot) || !own.alive[slot]) throw new FrameError("a text for a row that is not taken");
    if (typeof texts[i] !== "string" || !field.fits(texts[i])) throw new FrameError("a text that does not fit its field");
    column[slot] = texts[i];
  });
}
