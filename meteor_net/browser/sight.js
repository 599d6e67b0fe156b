// Keyed tables: what is in a player's sight (wire clauses 8.19 - 8.24).
//
// We never apply a part of an item `sight`: all is done to forks of what we hold, which we take when everything was right.

import { FrameError } from "./errors.js";
import { MAX_ROWS } from "./limits.js";
import { BitReader, unzigzag } from "./sight-bits.js";
import { HeldTable } from "./sight-held.js";

/** @typedef {import("./schema.js").Schema} Schema */
/** @typedef {import("./sight-held.js").Domain} Domain */
/** @typedef {import("./sight-held.js").Texts} Texts */
/** @typedef {import("./table-state.js").TableState} TableState */
/** @typedef {{slot: number, generation: number, values: number[]}} WholeRow a row that is told whole */
/** @typedef {{c: number, k: number, linear: boolean, domain: Domain}} Way how the numbers of a column are written */

const HOLD = 0;
const LINEAR = 2;

/** What we see of the keyed tables of a world; never changed. */
export class InSight {
  #places;

  /**
   * @param {number[]} places Of the keyed tables in the schema.
   * @param {HeldTable[]} tables
   */
  constructor(places, tables) {
    this.#places = places;
    /** The keyed ones, in the schema's order. */
    this.tables = tables;
  }

  /**
   * Nothing.
   * @param {Schema} schema
   */
  static of({ tables }) {
    const keyed = tables.filter(({ key }) => key !== null);
    return new InSight(keyed.map(({ number }) => number), keyed.map((kind) => new HeldTable(kind)));
  }

  /**
   * What is in sight after a frame; this stays as it is.
   * @param {Uint8Array} sight The frame's item; empty where it has none.
   * @param {boolean} anew All keys are forgotten first: the frame is a keyframe.
   * @returns {InSight}
   * @throws {FrameError} If it does not fit.
   */
  apply(sight, anew) {
    if (sight.length === 0 && !anew) return this;
    const reader = new BitReader(sight);
    let head = sight.length ? reader.word() : 0;
    const forgotten = anew || head % 2 === 1;
    const tables = this.tables.map((before) => {
      head = Math.floor(head / 2);
      const table = forgotten ? before.emptied() : before;
      if (head % 2 === 0) return table;
      const fork = table.fork();
      readSection(reader, fork);
      return fork;
    });
    if (head > 1) throw new FrameError("a section for a table that is not keyed");
    reader.finish();
    for (const table of tables) table.compose();
    return new InSight(this.#places, tables);
  }

  /**
   * The tables of a version, in which the keyed ones are empty, with what is in sight.
   * @param {TableState[]} tables
   * @returns {TableState[]} the same ones where none is keyed
   */
  compose(tables) {
    if (this.#places.length === 0) return tables;
    const composed = tables.slice();
    this.#places.forEach((place, i) => {
      if (tables[place].size) throw new FrameError("a keyed table with rows outside of the sight");
      composed[place] = this.tables[i].state;
    });
    return composed;
  }
}

/**
 * @param {BitReader} reader
 * @param {HeldTable} table
 */
function readSection(reader, table) {
  const what = reader.word();
  const { rings } = table.key;
  if (what >= 2 ** (3 + rings)) throw new FrameError("a ring that is not in the schema");
  const checked = (what & 4) !== 0;
  if (what & 1) for (const key of readKeys(reader, table)) table.drop(key);
  const gained = what & 2 ? readGained(reader, table, checked) : new Set();
  const told = Array.from({ length: rings }, (_, ring) => ((what >> (3 + ring)) & 1) === 1);
  told.forEach((has, ring) => {
    if (!has) return;
    /** @type {number[]} */
    const keys = [];
    for (const [key, held] of table.keys) if (held.ring === ring && !gained.has(key)) keys.push(key);
    const pieces = new Pieces(reader, table, checked);
    for (const key of keys.sort((a, b) => a - b)) pieces.read(key);
  });
  table.settle(told);
}

/**
 * A key set.
 * @param {BitReader} reader
 * @param {HeldTable} table
 */
function readKeys(reader, table) {
  /** @type {number[]} */
  const keys = [];
  let key = -1;
  for (let n = reader.word(); n > 0; n--) {
    key += reader.word() + 1;
    if (key >= 2 ** table.key.bits) throw new FrameError("a key of too many bits");
    keys.push(key);
  }
  return keys;
}

/**
 * The keyframes of a section; answer their keys.
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @param {boolean} checked
 * @returns {Set<number>}
 */
function readGained(reader, table, checked) {
  const rings = reader.word();
  if (rings >= 2 ** table.key.rings) throw new FrameError("keys are gained in a ring that is not in the schema");
  /** @type {Map<number, number>} */
  const gained = new Map();
  for (let ring = 0; ring < table.key.rings; ring++) {
    if (((rings >> ring) & 1) === 0) continue;
    const keys = readKeys(reader, table);
    if (keys.length === 0) throw new FrameError("a ring in which keys are gained, and none are named");
    for (const key of keys) {
      if (gained.has(key)) throw new FrameError("a key is gained twice");
      gained.set(key, ring);
    }
  }
  const gapK = reader.parameter();
  const ks = table.domains.map(() => reader.parameter());
  for (const [key, ring] of gained) {
    if (table.keys.has(key)) table.drop(key);
    readKeyframe(reader, table, key, ring, gapK, ks);
    if (checked) check(reader, table, key);
  }
  return new Set(gained.keys());
}

/**
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @param {number} key
 * @param {number} ring
 * @param {number} gapK
 * @param {number[]} ks
 */
function readKeyframe(reader, table, key, ring, gapK, ks) {
  const count = reader.number(2);
  if (count > MAX_ROWS) throw new FrameError("more rows than there can be");
  /** @type {{row: WholeRow, velocities: number[]}[]} */
  const rows = [];
  let slot = -1;
  for (let i = 0; i < count; i++) {
    const row = readRow(reader, table, slot, gapK);
    slot = row.slot;
    rows.push({ row, velocities: ks.map((k) => unzigzag(reader.number(k))) });
  }
  reader.fill();
  for (const { row, velocities } of rows) table.enter(row.slot, key, row.generation, row.values, velocities, readTexts(reader, table));
  table.keys.set(key, { ring, slots: rows.map(({ row }) => row.slot) });
}

/**
 * Slot, generation and values of a row.
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @param {number} before the slot before it; -1 if there is none
 * @param {number} gapK
 * @returns {WholeRow}
 */
function readRow(reader, table, before, gapK) {
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
function readTexts(reader, { kind }) {
  return kind.apart.map((f) => reader.text(kind.fields[f]));
}

/**
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @param {number} key
 */
function check(reader, table, key) {
  if (reader.bits(32) !== table.crc(key)) throw new FrameError("the checksum of a key disagrees");
}

/** Reads the pieces of one ring; it begins with what all of them have in common. */
class Pieces {
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
    const { ring, slots } = /** @type {import("./sight-held.js").HeldKey} */ (table.keys.get(key));
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
   * @param {import("./sight-held.js").Row} row
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
    const { slots } = /** @type {import("./sight-held.js").HeldKey} */ (table.keys.get(key));
    for (let n = reader.word(); n > 0; n--) {
      const [place, column] = [reader.word(), reader.word()];
      if (place >= slots.length || column >= apart.length) throw new FrameError("a text for a row or a column that is not there");
      table.setText(slots[place], column, reader.text(fields[apart[column]]));
    }
  }
}
