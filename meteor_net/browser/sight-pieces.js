// What a section `sight` tells of single keys: rows told whole, and the pieces of a ring (wire clauses 8.21, 8.22).

import { FrameError } from "./errors.js";
import { MAX_ROWS } from "./limits.js";
import { unzigzag } from "./sight-bits.js";

/** @typedef {import("./sight-bits.js").BitReader} BitReader */
/** @typedef {import("./sight-held.js").Domain} Domain */
/** @typedef {import("./sight-held.js").HeldKey} HeldKey */
/** @typedef {import("./sight-held.js").HeldTable} HeldTable */
/** @typedef {import("./sight-held.js").Row} Row */
/** @typedef {import("./sight-held.js").Texts} Texts */
/** @typedef {{slot: number, generation: number, values: number[]}} WholeRow a row that is told whole */
/** @typedef {{c: number, k: number, linear: boolean, domain: Domain}} Way how the numbers of a column are written */

const HOLD = 0;
const LINEAR = 2;

/**
 * Slot, generation and values of a row.
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @param {number} before the slot before it; -1 if there is none
 * @param {number} gapK
 * @returns {WholeRow}
 */
export function readRow(reader, table, before, gapK) {
  const slot = before + 1 + reader.number(gapK);
  const generation = reader.number(0);
  if (slot >= MAX_ROWS || generation > 0xffff) throw new FrameError("a slot or a generation that is none");
  const values = table.domains.map(({ min, max, width }) => {
    const value = min + reader.bits(width);
    if (value > max) throw new FrameError("a value outside its domain");
    return value;
  });
  return { slot, generation, values };
}

/**
 * The texts of a row that is told whole.
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @returns {Texts}
 */
export function readTexts(reader, { kind }) {
  return kind.apart.map((f) => reader.text(kind.fields[f]));
}

/**
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @param {number} key
 */
export function check(reader, table, key) {
  if (reader.bits(32) !== table.crc(key)) throw new FrameError("the checksum of a key disagrees");
}

/** Reads the pieces of one ring; it begins with what all of them have in common. */
export class Pieces {
  #reader;
  #table;
  #checked;
  #gapK;
  /** @type {Way[]} */
  #ways = [];

  /**
   * @param {BitReader} reader
   * @param {HeldTable} table
   * @param {boolean} checked
   */
  constructor(reader, table, checked) {
    this.#reader = reader;
    this.#table = table;
    this.#checked = checked;
    this.#gapK = reader.parameter();
    const columns = reader.word();
    if (columns >= 2 ** table.domains.length) throw new FrameError("values for a column that is not in the schema");
    table.domains.forEach((domain, c) => {
      if (((columns >>> c) & 1) === 0) return;
      const byte = reader.byte();
      const mode = byte & 7;
      if (mode !== HOLD && mode !== LINEAR) throw new FrameError("a mode that is none");
      this.#ways.push({ c, k: byte >> 3, linear: mode === LINEAR, domain });
    });
  }

  /**
   * Apply the piece of a key.
   * @param {number} key
   */
  read(key) {
    const reader = this.#reader;
    const table = this.#table;
    const { ring, slots } = /** @type {HeldKey} */ (table.keys.get(key));
    if (!reader.flag()) {
      reader.fill();
      for (const slot of slots) table.rest(slot, table.staying(slot, key));
      return;
    }
    const [hasLeft, hasEntered, all] = [reader.flag(), reader.flag(), reader.flag()];
    const left = hasLeft ? this.#left(slots) : new Map();
    const entered = hasEntered ? this.#entered() : [];
    const others = new Set(entered.map(({ slot }) => slot));
    const staying = hasLeft || hasEntered ? slots.filter((slot) => !left.has(slot) && !others.has(slot)) : slots;
    const changed = staying.map(() => all || reader.flag());
    staying.forEach((slot, i) => {
      const row = table.staying(slot, key);
      if (changed[i]) this.#move(slot, row);
      else table.rest(slot, row);
    });
    reader.fill();
    for (const [slot, to] of left) table.leave(slot, key, to);
    for (const { slot, generation, values } of entered) table.enter(slot, key, generation, values, table.still, readTexts(reader, table));
    if (hasLeft || hasEntered) table.keys.set(key, { ring, slots: [...staying, ...others].sort((a, b) => a - b) });
    if (table.kind.apart.length) this.#changedTexts(key);
    if (this.#checked) check(reader, table, key);
  }

  /**
   * The rows that leave: slot to key, -1 if that is not told.
   * @param {number[]} slots
   * @returns {Map<number, number>}
   */
  #left(slots) {
    const reader = this.#reader;
    const { rings, bits } = this.#table.key;
    /** @type {Map<number, number>} */
    const left = new Map();
    let place = -1;
    for (let n = reader.number(0); n >= 0; n--) {
      place += 1 + reader.number(2);
      if (place >= slots.length) throw new FrameError("a row leaves that is not there");
      left.set(slots[place], rings > 1 && reader.flag() ? reader.bits(bits) : -1);
    }
    return left;
  }

  #entered() {
    /** @type {WholeRow[]} */
    const rows = [];
    let slot = -1;
    for (let n = this.#reader.number(0); n >= 0; n--) {
      const row = readRow(this.#reader, this.#table, slot, this.#gapK);
      slot = row.slot;
      rows.push(row);
    }
    return rows;
  }

  /**
   * Read the numbers of a row, and move it (8.22).
   * @param {number} slot
   * @param {Row} row
   */
  #move(slot, row) {
    const values = row.values.slice();
    const velocities = this.#table.still.slice();
    for (const { c, k, linear, domain } of this.#ways) {
      const d = unzigzag(this.#reader.number(k));
      const now = domain.fold(row.values[c] + d + (linear ? row.velocities[c] : 0));
      velocities[c] = domain.least(now - row.values[c]);
      values[c] = now;
    }
    this.#table.move(slot, row, values, velocities);
  }

  /**
   * Give rows of a key their new texts.
   * @param {number} key
   */
  #changedTexts(key) {
    const reader = this.#reader;
    const table = this.#table;
    const { fields, apart } = table.kind;
    const { slots } = /** @type {HeldKey} */ (table.keys.get(key));
    for (let n = reader.word(); n > 0; n--) {
      const [place, column] = [reader.word(), reader.word()];
      if (place >= slots.length || column >= apart.length) throw new FrameError("a text for a row or a column that is not there");
      table.setText(slots[place], column, reader.text(fields[apart[column]]));
    }
  }
}
