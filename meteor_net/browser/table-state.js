// The rows of one table in one version, as columns.
//
// What a version did not change it shares with the one before: whoever changes a column takes a copy of it first.

/** @typedef {import("./schema.js").Kind} Kind */
/** @typedef {import("./schema.js").Schema} Schema */

/** @typedef {{was: number[], tick: number, span: number}} Slow a row's integers as they were told the time before, when it was told of last, and how many ticks that takes it */

const NONE = new Int32Array(0);

/** The rows of one table in one version, by slot. */
export class TableState {
  /** @param {Kind} kind */
  constructor(kind) {
    this.kind = kind;
    /** Slots there is room for. */
    this.height = 0;
    /** Rows. */
    this.size = 0;
    this.alive = new Uint8Array(0);
    this.generations = NONE;
    /** The integer columns, in order; zero where no row is (8.2). @type {Int32Array[]} */
    this.columns = kind.columns.map(() => NONE);
    /**
     * By field; only those of texts and data have a list, and what it lacks is blank: a high slot alone costs nothing. See `text`.
     * @type {(string | Uint8Array | undefined)[][]}
     */
    this.texts = kind.fields.map(() => []);
    /** The slots whose integers the step to this version may have changed, ascending. */
    this.touched = NONE;
    /** Of a keyed table: the rows that are told of at every few ticks only. @type {Map<number, Slow>} */
    this.slow = new Map();
  }

  /** The same rows, everything shared. */
  fork() {
    const forked = new TableState(this.kind);
    forked.height = this.height;
    forked.size = this.size;
    forked.alive = this.alive;
    forked.generations = this.generations;
    forked.columns = this.columns.slice();
    forked.texts = this.texts.slice();
    return forked;
  }

  /**
   * Take copies of all, with room for `height` slots at least.
   * @param {number} height
   */
  own(height) {
    this.height = Math.max(height, this.height);
    const alive = new Uint8Array(this.height);
    alive.set(this.alive);
    this.alive = alive;
    // In one piece: what is not written to of a large new table takes no time.
    const memory = new Int32Array((this.columns.length + 1) * this.height);
    const [generations, ...columns] = [this.generations, ...this.columns].map((column, c) => {
      const own = memory.subarray(c * this.height, (c + 1) * this.height);
      own.set(column);
      return own;
    });
    this.generations = generations;
    this.columns = columns;
    for (const f of this.kind.apart) this.ownTexts(f);
  }

  /**
   * The text or data of a row.
   * @param {number} f
   * @param {number} slot
   * @returns {string | Uint8Array}
   */
  text(f, slot) {
    return this.texts[f][slot] ?? /** @type {string | Uint8Array} */ (this.kind.fields[f].blank);
  }

  /**
   * Take a copy of a column of texts or data.
   * @param {number} f
   */
  ownTexts(f) {
    this.texts[f] = this.texts[f].slice();
    return this.texts[f];
  }

  /** @param {number} slot */
  clear(slot) {
    for (const column of this.columns) column[slot] = 0;
    for (const f of this.kind.apart) delete this.texts[f][slot];
  }

  /** The slots that rows are in, ascending. */
  slots() {
    /** @type {number[]} */
    const slots = [];
    const { alive, height } = this;
    for (let slot = 0; slot < height; slot++) if (alive[slot]) slots.push(slot);
    return slots;
  }
}

/**
 * The version before the first: no rows (8.1).
 * @param {Schema} schema
 */
export function emptyTables(schema) {
  return schema.tables.map((kind) => new TableState(kind));
}
