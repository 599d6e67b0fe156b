// The world as a page sees it: rows of values, by slot, between two versions (wire clause 7.2).

import { toNumbers, turned } from "./rotation.js";

/** @typedef {import("./field.js").Field} Field */
/** @typedef {import("./field.js").FieldValue} FieldValue */
/** @typedef {import("./replica.js").Version} Version */
/** @typedef {import("./table-state.js").TableState} TableState */

/** @typedef {{slot: number, generation: number, [field: string]: any}} RowObject the fields' values by name */

// Rows and worlds have keys from the network: no prototype that a name such as __proto__ could reach.
class Bare {}
Object.setPrototypeOf(Bare.prototype, null);

/** @returns {any} */
const bare = () => new Bare();

/**
 * The remainder that is never negative.
 * @param {number} value
 * @param {number} modulus
 */
const rest = (value, modulus) => value - Math.floor(value / modulus) * modulus;

/**
 * A column's value at `alpha` between two integers, by the field's rule (7.2).
 * @param {Field} field
 * @param {number} from
 * @param {number} to
 * @param {number} alpha
 */
function between(field, from, to, alpha) {
  if (field.rule === "step" || from === to) return field.dequantize(alpha < 1 ? from : to);
  if (field.rule === "linear") return field.dequantize(Math.min(Math.max(from + (to - from) * alpha, field.min), field.max));
  const { modulus } = field;
  const half = Math.floor(modulus / 2);
  const way = rest(to - from + half, modulus) - half; // the shorter way round
  return field.dequantize(rest(from + way * alpha, modulus));
}

/**
 * @param {TableState} table
 * @param {Field} field
 * @param {number} column
 * @param {number} slot
 */
function rotation({ columns }, field, column, slot) {
  return toNumbers(columns[column][slot], columns[column + 1][slot], columns[column + 2][slot], columns[column + 3][slot], field.max);
}

/** The rows of one table at one moment: iterable, `get(slot)`, `size`. Rows are made when first asked for. */
export class TableView {
  #next;
  #previous;
  #alpha;
  #at;
  /** @type {Map<number, RowObject> | null} */
  #rows = null;

  /**
   * @param {TableState} next
   * @param {TableState} [previous]
   * @param {number} [alpha]
   * @param {number} [at] The tick shown.
   */
  constructor(next, previous = next, alpha = 1, at = Infinity) {
    this.#next = next;
    this.#previous = previous;
    this.#alpha = alpha;
    this.#at = at;
  }

  /** The table's name. */
  get name() { return this.#next.kind.name; }

  /** Its name and fields. */
  get kind() { return this.#next.kind; }

  /** How many rows there are. */
  get size() { return this.#next.size; }

  /**
   * The row in a slot.
   * @param {number} slot
   * @returns {RowObject | undefined}
   */
  get(slot) {
    return this.#all().get(slot);
  }

  /** @returns {IterableIterator<RowObject>} */
  [Symbol.iterator]() {
    return this.#all().values();
  }

  #all() {
    if (this.#rows === null) this.#rows = new Map(this.#next.slots().map((slot) => [slot, this.#row(slot)]));
    return this.#rows;
  }

  /**
   * @param {number} slot
   * @returns {RowObject}
   */
  #row(slot) {
    const next = this.#next;
    const previous = this.#previous;
    const generation = next.generations[slot];
    const both = previous !== next && previous.alive[slot] === 1 && previous.generations[slot] === generation;
    const early = both && this.#alpha < 1;
    const still = early ? previous : next; // what does not move by degrees
    // Who is told of at every few ticks only from the later version on stays as it was until then.
    const waits = early && next.slow.has(slot) && !previous.slow.has(slot);
    const moves = both && this.#alpha !== 1 && !waits && !this.#jumped(slot);
    const row = bare();
    let column = 0;
    next.kind.fields.forEach((field, f) => {
      if (field.isApart) row[field.name] = still.text(f, slot);
      else if (field.isRotation) {
        const from = rotation(still, field, column, slot);
        row[field.name] = moves && field.rule !== "step" ? this.#turn(field, column, slot) : from;
      } else if (moves) row[field.name] = between(field, previous.columns[column][slot], next.columns[column][slot], this.#alpha);
      else row[field.name] = field.dequantize(still.columns[column][slot]);
      column += field.columns.length;
    });
    const slow = still.slow.get(slot);
    if (slow !== undefined) this.#glide(row, still, slot, slow);
    row.slot = slot;
    row.generation = generation;
    return row;
  }

  /**
   * Show a row that is told of at every few ticks only on its way from where it was to where it was told to be.
   * @param {RowObject} row
   * @param {TableState} table The version that tells of it.
   * @param {number} slot
   * @param {import("./table-state.js").Slow} slow
   */
  #glide(row, { kind, columns }, slot, { was, tick, span }) {
    if (kind.snaps.some((c) => was[c] !== columns[c][slot])) return;
    const done = Math.min(Math.max((this.#at - tick) / span, 0), 1);
    let c = 0;
    for (const field of kind.fields) {
      if (field.rule !== "step" && field.isRotation) {
        const from = toNumbers(was[c], was[c + 1], was[c + 2], was[c + 3], field.max);
        row[field.name] = turned(from, toNumbers(columns[c][slot], columns[c + 1][slot], columns[c + 2][slot], columns[c + 3][slot], field.max), done);
      } else if (field.rule !== "step" && !field.isApart) row[field.name] = between(field, was[c], columns[c][slot], done);
      c += field.columns.length;
    }
  }

  /**
   * @param {Field} field
   * @param {number} column
   * @param {number} slot
   */
  #turn(field, column, slot) {
    return turned(rotation(this.#previous, field, column, slot), rotation(this.#next, field, column, slot), this.#alpha);
  }

  /**
   * Whether a row that is in both is not to be shown on its way from one to the other (7.2).
   * @param {number} slot
   */
  #jumped(slot) {
    return this.#next.kind.snaps.some((column) => this.#previous.columns[column][slot] !== this.#next.columns[column][slot]);
  }
}

/** @typedef {{[name: string]: any}} WorldView the tables by name, each a TableView, and the documents, each a frozen object */

/**
 * The world between two versions: rows that are in both go by their fields' rules (`step`, and texts: the earlier until alpha is 1; where
 * a flag with `snap` differs all go so), all others are as in `next`, and so are documents.
 * @param {Version} previous
 * @param {Version} next
 * @param {number} alpha 0 shows `previous`, 1 `next`; beyond 1 all goes on as it went, within its domain.
 * @param {number} [at] The tick shown: rows that are told of at every few ticks only are shown on their way at it. If it is not given
 *   they are where they were told to be.
 * @returns {WorldView}
 */
export function interpolate(previous, next, alpha, at) {
  const world = bare();
  next.tables.forEach((table, t) => {
    world[table.kind.name] = new TableView(table, previous.tables[t], alpha, at);
  });
  for (const [name, tree] of next.docs.trees) world[name] = tree;
  return world;
}
