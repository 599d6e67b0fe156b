// Keyed tables: what is in a player's sight (wire clauses 8.19 - 8.24).
//
// We never apply a part of an item `sight`: all is done to forks of what we hold, which we take when everything was right.

import { FrameError } from "./errors.js";
import { MAX_ROWS } from "./limits.js";
import { BitReader, unzigzag } from "./sight-bits.js";
import { HeldTable } from "./sight-held.js";
import { Pieces, check, readRow, readTexts } from "./sight-pieces.js";

/** @typedef {import("./schema.js").Schema} Schema */
/** @typedef {import("./sight-pieces.js").WholeRow} WholeRow */
/** @typedef {import("./table-state.js").TableState} TableState */

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
  table.settle(told, tick);
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
