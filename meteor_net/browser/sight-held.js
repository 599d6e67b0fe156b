// What we hold of a keyed table: the rows of the keys in our sight (wire clauses 8.22, 8.23).

import { checksumOf } from "./checksum.js";
import { FrameError } from "./errors.js";
import { MAX_ROWS } from "./limits.js";
import { TableState } from "./table-state.js";

/** @typedef {import("./field.js").Column} Column */
/** @typedef {import("./schema.js").Key} Key */
/** @typedef {import("./schema.js").Kind} Kind */
/** @typedef {(string | Uint8Array)[]} Texts of the text and data columns, in order */
/**
 * @typedef {object} Row never changed; another takes its place
 * @property {number} key The one that it entered last, or for which it waits.
 * @property {boolean} waits It left its key for one that was not told of since.
 * @property {number} generation
 * @property {number[]} values
 * @property {number[]} velocities
 * @property {Texts} texts
 */
/** @typedef {{ring: number, slots: number[]}} HeldKey a key in sight, and its rows as it was told of last, ascending; never changed */

/** Rows of all keys: a row that crosses is listed in its old key, too, until that key's ring is told of. */
const MAX_LISTED = 4 * MAX_ROWS;

/** What an integer column can hold, and how it wraps (8.16). */
export class Domain {
  /** @param {Column} column */
  constructor({ min, max, ring }) {
    this.min = min;
    this.max = max;
    /** Bits of a value that travels raw. */
    this.width = 32 - Math.clz32(max - min);
    this.modulus = ring || 2 ** 32;
    /** Sums are brought to the `modulus` integers from here on. */
    this.begin = ring ? min : -(2 ** 31);
    /** Differences of least magnitude are from `below` on, and less than `above`. */
    this.below = -Math.floor(this.modulus / 2);
    this.above = this.modulus + this.below;
  }

  /**
   * A sum, brought into the domain.
   * @param {number} sum
   */
  fold(sum) {
    if (sum >= this.min && sum <= this.max) return sum;
    const n = sum - Math.floor((sum - this.begin) / this.modulus) * this.modulus;
    if (n < this.min || n > this.max) throw new FrameError("a value leaves its domain");
    return n;
  }

  /**
   * A sum modulo the modulus; what is outside of the domain then, which nobody sends, is its border.
   * @param {number} sum
   */
  nearest(sum) {
    return Math.min(Math.max(sum - Math.floor((sum - this.begin) / this.modulus) * this.modulus, this.min), this.max);
  }

  /**
   * A difference, brought to its least magnitude.
   * @param {number} v
   */
  least(v) {
    return v >= this.below && v < this.above ? v : v - Math.floor((v - this.below) / this.modulus) * this.modulus;
  }
}

/** The rows of one table that are in sight. */
export class HeldTable {
  /** Whether `state` is not what the rows say. */
  #stale = false;
  /** When each ring was told of last. @type {number[]} */
  #told = [];

  /**
   * @param {Kind} kind A keyed one.
   * @param {HeldTable} [like] One of that kind, whose `state` is shared while nothing differs.
   */
  constructor(kind, like) {
    this.kind = kind;
    this.key = /** @type {Key} */ (kind.key);
    this.domains = like?.domains ?? kind.columns.map((column) => new Domain(column));
    /** The velocity of a row that stands still. @type {number[]} */
    this.still = like?.still ?? this.domains.map(() => 0);
    /** All rows, as `compose` made it last. */
    this.state = like?.state ?? new TableState(kind);
    /** @type {Map<number, HeldKey>} */
    this.keys = new Map();
    /** @type {Map<number, Row>} by slot */
    this.rows = new Map();
  }

  /** One that may be changed while this one stays. */
  fork() {
    const forked = new HeldTable(this.kind, this);
    forked.keys = new Map(this.keys);
    forked.rows = new Map(this.rows);
    forked.#stale = this.#stale;
    forked.#told = this.#told.slice();
    return forked;
  }

  /** One without keys and rows; itself if it has none. */
  emptied() {
    if (this.keys.size === 0) return this;
    const emptied = new HeldTable(this.kind, this);
    emptied.#stale = true;
    emptied.#told = this.#told;
    return emptied;
  }

  /**
   * Let a key go, with its rows and those that wait for it.
   * @param {number} key
   */
  drop(key) {
    if (!this.keys.delete(key)) throw new FrameError("a key is dropped that was not in sight");
    for (const [slot, row] of this.rows) if (row.key === key) this.#remove(slot);
  }

  /**
   * Let a row be of a key, whatever it was before.
   * @param {number} slot
   * @param {number} key
   * @param {number} generation
   * @param {number[]} values
   * @param {number[]} velocities
   * @param {Texts} texts
   */
  enter(slot, key, generation, values, velocities, texts) {
    this.rows.set(slot, { key, waits: false, generation, values, velocities, texts });
    this.#stale = true;
  }

  /**
   * Let a row leave a key.
   * @param {number} slot
   * @param {number} key
   * @param {number} to The key that it has now; -1 if that is not told.
   */
  leave(slot, key, to) {
    const row = this.rows.get(slot);
    if (row?.key !== key) return; // it has entered another key since, or is gone already
    if (this.keys.has(to)) this.rows.set(slot, { ...row, key: to, waits: true });
    else this.#remove(slot);
  }

  /** @param {number} slot */
  #remove(slot) {
    this.rows.delete(slot);
    this.#stale = true;
  }

  /**
   * The row of a key that stays in it.
   * @param {number} slot
   * @param {number} key
   */
  staying(slot, key) {
    const row = this.rows.get(slot);
    if (row === undefined || row.key !== key || row.waits) throw new FrameError("a row stays in a key, and is not there");
    return row;
  }

  /**
   * Let a row stand still, or move.
   * @param {number} slot
   * @param {Row} row as it was
   * @param {number[]} values
   * @param {number[]} velocities
   */
  move(slot, { key, generation, texts }, values, velocities) {
    this.rows.set(slot, { key, waits: false, generation, values, velocities, texts });
    this.#stale = true;
  }

  /**
   * @param {number} slot
   * @param {Row} row as it was
   */
  rest(slot, row) {
    if (row.velocities !== this.still) this.rows.set(slot, { ...row, velocities: this.still });
  }

  /**
   * Give a row another text, or data.
   * @param {number} slot
   * @param {number} column counts those only
   * @param {string | Uint8Array} text
   */
  setText(slot, column, text) {
    const row = /** @type {Row} */ (this.rows.get(slot));
    this.rows.set(slot, { ...row, texts: row.texts.map((was, i) => (i === column ? text : was)) });
    this.#stale = true;
  }

  /**
   * End a section in which these rings were told of: who waited for their keys in vain is gone.
   * @param {boolean[]} told by ring
   * @param {number} tick
   */
  settle(told, tick) {
    told.forEach((has, ring) => {
      if (has) this.#told[ring] = tick;
    });
    for (const [slot, { key, waits }] of this.rows) {
      if (waits && told[/** @type {HeldKey} */ (this.keys.get(key)).ring]) this.#remove(slot);
    }
    let listed = 0;
    for (const { slots } of this.keys.values()) listed += slots.length;
    if (listed > MAX_LISTED) throw new FrameError("more rows in sight than there can be");
  }

  /**
   * The checksum of a key's rows (8.24).
   * @param {number} key
   */
  crc(key) {
    const { slots } = /** @type {HeldKey} */ (this.keys.get(key));
    const rows = slots.map((slot) => /** @type {Row} */ (this.rows.get(slot)));
    const columns = this.domains.map((_, c) => rows.map(({ values }) => values[c]));
    return checksumOf(Int32Array.from([slots.length, ...slots, ...rows.map(({ generation }) => generation), ...columns.flat()]));
  }

  /** Make `state` of the rows, unless it is theirs. */
  compose() {
    if (!this.#stale) return;
    this.#stale = false;
    const state = new TableState(this.kind);
    let height = 0;
    for (const slot of this.rows.keys()) if (slot >= height) height = slot + 1;
    state.own(height);
    state.size = this.rows.size;
    const { alive, generations, columns, kind } = state;
    for (const [slot, { generation, values, texts }] of this.rows) {
      alive[slot] = 1;
      generations[slot] = generation;
      for (let c = 0; c < columns.length; c++) columns[c][slot] = values[c];
      for (let i = 0; i < texts.length; i++) state.texts[kind.apart[i]][slot] = texts[i];
    }
    this.state = state;
    this.#findSlow(state);
  }

  /**
   * The rows of slower rings that moved when they were told of last.
   * @param {TableState} state
   */
  #findSlow({ slow }) {
    for (const [slot, { key, waits, values, velocities }] of this.rows) {
      const { ring } = /** @type {HeldKey} */ (this.keys.get(key));
      if (ring === 0 || waits || !velocities.some((v) => v !== 0)) continue;
      const was = values.map((value, c) => this.domains[c].nearest(value - velocities[c]));
      slow.set(slot, { was, tick: this.#told[ring], span: 2 ** ring });
    }
  }
}
