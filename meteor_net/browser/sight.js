// Keyed tables: what is in a player's sight (wire clauses 8.19 - 8.24).
//
// We never apply a part of an item `sight`: all is done to forks of what we hold, which we take when everything was right.

import { FrameError } from "./errors.js";
import { MAX_ROWS } from "./limits.js";
import { BitReader, unzigzag } from "./sight-bits.js";
import { HeldTable } from "./sight-held.js";
import { Ring } from "./sight-ring.js";

/** @typedef {import("./schema.js").Schema} Schema */
/** @typedef {import("./sight-ring.js").Domain} Domain */
/** @typedef {import("./sight-held.js").Left} Left */
/** @typedef {import("./table-state.js").TableState} TableState */
/** @typedef {{c: number, k: number, linear: boolean, domain: Domain}} Way how the numbers of a column are written */
/** @typedef {{step: boolean, every: boolean, columns: Way[]}} Ways how a part moves the rows that stay */

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
   * @param {boolean} anew All rows are forgotten first: the frame is a keyframe.
   * @param {number} [tick] Of the frame's version.
   * @returns {InSight}
   * @throws {FrameError} If it does not fit.
   */
  apply(sight, anew, tick = 0) {
    if (sight.length === 0 && !anew) return this;
    const reader = new BitReader(sight);
    let head = sight.length ? reader.word() : 0;
    const forgotten = anew || head % 2 === 1;
    const tables = this.tables.map((before) => {
      head = Math.floor(head / 2);
      const table = forgotten ? before.emptied() : before;
      if (head % 2 === 0) return table;
      const fork = table.fork();
      readSection(reader, fork, tick);
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
 * @param {number} tick
 */
function readSection(reader, table, tick) {
  const what = reader.word();
  const { length } = table.rings;
  if (what < 2 || what >= 2 ** (1 + length)) throw new FrameError("a ring that is not in the schema, or none");
  for (let number = 0; number < length; number++) {
    if (((what >> (number + 1)) & 1) === 0) continue;
    readPart(reader, table, number, tick);
    if (what & 1 && reader.bits(32) !== table.rings[number].crc()) throw new FrameError("the checksum of a ring disagrees");
  }
}

/**
 * Apply the part of a ring, but for its checksum.
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @param {number} number
 * @param {number} tick
 */
function readPart(reader, table, number, tick) {
  const ways = readWays(reader, table);
  const before = table.rings[number];
  const left = readLeft(reader, table, number);
  const entered = readEntered(reader, table);
  const staying = left.length || entered ? without(table, before, left, entered) : before;
  const moved = ways.step ? move(reader, ways, staying) : staying;
  if (ways.step) table.stands(number, tick);
  reader.fill();
  if (entered) readTexts(reader, table, entered);
  const ring = entered ? merged(table, moved, entered) : moved;
  table.told(number, table.kind.apart.length ? changedTexts(reader, table, ring) : ring, left);
}

/**
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @returns {Ways}
 */
function readWays(reader, table) {
  const bits = reader.word(2 + table.domains.length);
  const step = bits % 2 === 1;
  if (!step && bits !== 0) throw new FrameError("values in a part that is no step");
  const bitmap = Math.floor(bits / 4);
  /** @type {Way[]} */
  const columns = [];
  table.domains.forEach((domain, c) => {
    if (((bitmap >>> c) & 1) === 0) return;
    const byte = reader.byte();
    const mode = byte & 7;
    if (mode !== HOLD && mode !== LINEAR) throw new FrameError("a mode that is none");
    columns.push({ c, k: byte >> 3, linear: mode === LINEAR, domain });
  });
  return { step, every: (bits & 2) !== 0, columns };
}

/**
 * The rows that leave.
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @param {number} number
 * @returns {Left[]}
 */
function readLeft(reader, table, number) {
  const { slots } = table.rings[number];
  const several = table.rings.length > 1;
  const count = reader.number(0);
  if (count > slots.length) throw new FrameError("more rows leave than are there");
  /** @type {Left[]} */
  const left = [];
  let place = -1;
  for (let i = 0; i < count; i++) {
    place += 1 + reader.number(4);
    if (place >= slots.length) throw new FrameError("a row leaves that is not there");
    const beyond = several && reader.flag();
    if (beyond && number === table.rings.length - 1) throw new FrameError("a row leaves for a ring that is not in the schema");
    left.push({ slot: slots[place], beyond });
  }
  return left;
}

/**
 * The rows that enter, without their texts; null if none does.
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @returns {Ring | null}
 */
function readEntered(reader, { kind, domains }) {
  const count = reader.number(0);
  if (count === 0) return null;
  const least = domains.reduce((bits, { width }) => bits + width + 1, 2); // of a row: two numbers, its values, its velocities
  if (count > MAX_ROWS || count * least > reader.left) throw new FrameError("more rows enter than there can be");
  const gapK = reader.bits(5);
  const ks = domains.map(() => reader.bits(5));
  const entered = Ring.of(kind, count);
  let slot = -1;
  for (let i = 0; i < count; i++) {
    slot += 1 + reader.number(gapK);
    if (slot >= MAX_ROWS) throw new FrameError("a slot that is none");
    entered.slots[i] = slot;
  }
  for (let i = 0; i < count; i++) {
    const generation = reader.number(0);
    if (generation > 0xffff) throw new FrameError("a generation that is none");
    entered.generations[i] = generation;
    for (let c = 0; c < domains.length; c++) {
      const { min, max, width } = domains[c];
      const value = min + reader.bits(width);
      if (value > max) throw new FrameError("a value outside its domain");
      entered.values[c][i] = value;
    }
    for (let c = 0; c < domains.length; c++) entered.velocities[c][i] = unzigzag(reader.number(ks[c]));
  }
  return entered;
}

/**
 * The rows of a ring that neither leave nor enter.
 * @param {HeldTable} table
 * @param {Ring} ring
 * @param {Left[]} left
 * @param {Ring | null} entered
 */
function without({ kind }, ring, left, entered) {
  const others = new Set(entered?.slots);
  for (const { slot } of left) others.add(slot);
  let size = 0;
  for (const slot of ring.slots) if (!others.has(slot)) size++;
  const staying = Ring.of(kind, size);
  for (let j = 0, i = 0; j < ring.slots.length; j++) if (!others.has(ring.slots[j])) staying.put(i++, ring, j);
  return staying;
}

/**
 * The rows of two that share no slot.
 * @param {HeldTable} table
 * @param {Ring} one
 * @param {Ring} other
 */
function merged({ kind }, one, other) {
  const both = Ring.of(kind, one.slots.length + other.slots.length);
  for (let i = 0, j = 0, n = 0; n < both.slots.length; n++) {
    if (j === other.slots.length || one.slots[i] < other.slots[j]) both.put(n, one, i++);
    else both.put(n, other, j++);
  }
  return both;
}

/**
 * Read the numbers of the rows that stay, and move them (8.22).
 * @param {BitReader} reader
 * @param {Ways} ways
 * @param {Ring} ring
 */
function move(reader, { every, columns }, ring) {
  const size = ring.slots.length;
  const values = ring.values.map((column) => column.slice());
  const velocities = values.map(() => new Int32Array(size));
  for (let i = 0; i < size; i++) {
    if (!every && !reader.flag()) continue;
    for (let w = 0; w < columns.length; w++) {
      const { c, k, linear, domain } = columns[w];
      const was = ring.values[c][i];
      const d = unzigzag(reader.number(k));
      const now = domain.fold(was + d + (linear ? ring.velocities[c][i] : 0));
      values[c][i] = now;
      velocities[c][i] = domain.least(now - was);
    }
  }
  return new Ring(ring.slots, ring.generations, values, velocities, ring.texts);
}

/**
 * Read the texts of rows that enter.
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @param {Ring} entered
 */
function readTexts(reader, { kind: { apart, fields } }, entered) {
  for (let i = 0; i < entered.slots.length; i++) apart.forEach((f, t) => { entered.texts[t][i] = reader.text(fields[f]); });
}

/**
 * Give rows that stay their new texts.
 * @param {BitReader} reader
 * @param {HeldTable} table
 * @param {Ring} ring
 */
function changedTexts(reader, { kind: { apart, fields } }, ring) {
  const count = reader.word();
  if (count === 0) return ring;
  const texts = ring.texts.map((column) => column.slice());
  for (let n = 0; n < count; n++) {
    const [place, column] = [reader.word(), reader.word()];
    if (place >= ring.slots.length || column >= apart.length) throw new FrameError("a text for a row or a column that is not there");
    texts[column][place] = reader.text(fields[apart[column]]);
  }
  return new Ring(ring.slots, ring.generations, ring.values, ring.velocities, texts);
}
