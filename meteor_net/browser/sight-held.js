// What we hold of a keyed table: the rows of each ring, and which of them are shown (wire clause 8.23).

import { MAX_ROWS } from "./limits.js";
import { Domain, Ring } from "./sight-ring.js";
import { TableState } from "./table-state.js";

/** @typedef {import("./schema.js").Kind} Kind */
/** @typedef {{slot: number, beyond: boolean}} Left a row that left a ring, and whether the next ring is to have it */

/** The ring of a slot that nobody shows. */
const NOBODY = 255;

/** The rows of one table that are in sight. */
export class HeldTable {
  /** Whether other rows are there than in `state`, other texts, other rows of slower rings, or anything else is other. */
  #otherRows = true;
  #otherTexts = true;
  #otherSlow = true;
  #stale = false;
  /** By slot: the ring whose row is shown. Where there is only one that is clear. */
  #shownOf;
  /** Slots of rows that left their ring for the next one, which was not told of since; they are shown as they were. @type {Set<number>} */
  #waiting = new Set();
  /** At which the rings stand. @type {number[]} */
  #ticks = [];

  /**
   * @param {Kind} kind A keyed one.
   * @param {HeldTable} [like] One of that kind, whose `state` is shared while nothing differs.
   */
  constructor(kind, like) {
    const rings = /** @type {import("./schema.js").Key} */ (kind.key).rings;
    this.kind = kind;
    this.domains = like?.domains ?? kind.columns.map((column) => new Domain(column));
    /** The rows that are shown, as `compose` made them last. */
    this.state = like?.state ?? new TableState(kind);
    /** The list of each. @type {Ring[]} */
    this.rings = Array.from({ length: rings }, () => Ring.of(kind, 0));
    this.#shownOf = new Uint8Array(rings > 1 ? MAX_ROWS : 0).fill(NOBODY);
  }

  /** One that may be changed while this one stays. */
  fork() {
    const forked = new HeldTable(this.kind, this);
    forked.rings = this.rings.slice();
    forked.#shownOf = this.#shownOf.slice();
    forked.#waiting = new Set(this.#waiting);
    forked.#ticks = this.#ticks.slice();
    forked.#otherRows = this.#otherRows;
    forked.#otherTexts = this.#otherTexts;
    forked.#otherSlow = this.#otherSlow;
    forked.#stale = this.#stale;
    return forked;
  }

  /** One without rows; itself if it has none. */
  emptied() {
    if (this.state.size === 0 && this.rings.every(({ slots }) => slots.length === 0)) return this;
    const emptied = new HeldTable(this.kind, this);
    emptied.#stale = true;
    return emptied;
  }

  /**
   * Remember that a ring stands at the version of a tick.
   * @param {number} number
   * @param {number} tick
   */
  stands(number, tick) {
    this.#ticks[number] = tick;
  }

  /**
   * Let a ring have another list.
   * @param {number} number
   * @param {Ring} ring
   * @param {Left[]} left
   */
  told(number, ring, left) {
    const before = this.rings[number];
    if (ring !== before) this.#stale = true;
    if (number > 0) this.#otherSlow = true;
    if (ring.texts !== before.texts) this.#otherTexts = true;
    if (ring.generations !== before.generations) this.#otherRows = true;
    this.rings[number] = ring;
    if (this.rings.length > 1) this.#show(number, ring.slots, left);
  }

  /**
   * Choose anew which ring shows a row.
   * @param {number} number
   * @param {Int32Array} slots
   * @param {Left[]} left
   */
  #show(number, slots, left) {
    const of = this.#shownOf;
    const waiting = this.#waiting;
    for (const { slot, beyond } of left) {
      if (of[slot] !== number) continue; // a lower ring has it
      if (beyond) waiting.add(slot);
      else of[slot] = NOBODY;
    }
    // Who waited for this ring is shown as it has it, or no more.
    for (const slot of waiting) {
      if (of[slot] !== number - 1) continue;
      of[slot] = NOBODY;
      waiting.delete(slot);
      this.#otherRows = this.#otherTexts = this.#stale = true;
    }
    for (const slot of slots) {
      if (of[slot] < number) continue;
      if (of[slot] !== number) {
        of[slot] = number;
        this.#otherRows = this.#otherTexts = this.#stale = true;
      }
      waiting.delete(slot);
    }
  }

  /** Make `state` of the rows, unless it is theirs. */
  compose() {
    if (!this.#stale) return;
    const { kind, rings } = this;
    const old = this.state;
    const state = new TableState(kind);
    this.state = state;
    const shown = rings.length === 1 ? rings : rings.map((ring, number) => this.#shown(ring, number));
    if (this.#waiting.size) shown.push(this.#kept(old));
    if (this.#otherRows) own(state, shown);
    else share(state, old);
    for (const { slots, generations, values, texts } of shown) {
      if (this.#otherRows) scatter(slots, generations, state.generations);
      for (let c = 0; c < values.length; c++) scatter(slots, values[c], state.columns[c]);
      for (let t = 0; t < texts.length && this.#otherTexts; t++) scatter(slots, texts[t], state.texts[kind.apart[t]]);
    }
    if (!this.#otherTexts) state.texts = old.texts;
    if (this.#otherSlow || this.#otherRows) this.#findSlow(state);
    else state.slow = old.slow;
    this.#otherRows = this.#otherTexts = this.#otherSlow = this.#stale = false;
  }

  /**
   * The rows of a ring that are shown.
   * @param {Ring} ring
   * @param {number} number
   */
  #shown(ring, number) {
    const of = this.#shownOf;
    let size = 0;
    for (const slot of ring.slots) if (of[slot] === number) size++;
    if (size === ring.slots.length) return ring;
    const shown = Ring.of(this.kind, size);
    for (let j = 0, i = 0; j < ring.slots.length; j++) if (of[ring.slots[j]] === number) shown.put(i++, ring, j);
    return shown;
  }

  /**
   * The rows that wait for their next ring.
   * @param {TableState} old
   */
  #kept(old) {
    const kept = Ring.of(this.kind, this.#waiting.size);
    let i = 0;
    for (const slot of [...this.#waiting].sort((a, b) => a - b)) {
      kept.slots[i] = slot;
      kept.generations[i] = old.generations[slot];
      kept.values.forEach((column, c) => { column[i] = old.columns[c][slot]; });
      kept.texts.forEach((column, t) => { column[i] = old.text(this.kind.apart[t], slot); });
      i++;
    }
    return kept;
  }

  /**
   * The rows that slower rings show.
   * @param {TableState} state
   */
  #findSlow({ slow }) {
    for (let number = 1; number < this.rings.length; number++) {
      const { slots, values, velocities } = this.rings[number];
      for (let i = 0; i < slots.length; i++) {
        if (this.#shownOf[slots[i]] !== number) continue;
        const was = this.domains.map((domain, c) => domain.nearest(values[c][i] - velocities[c][i]));
        slow.set(slots[i], { was, tick: this.#ticks[number], span: 2 ** number });
      }
    }
  }
}

/**
 * Let a table have rows, and room for all that is to be known of them.
 * @param {TableState} state
 * @param {Ring[]} shown
 */
function own(state, shown) {
  let height = 0;
  for (const { slots } of shown) {
    if (slots.length === 0) continue;
    height = Math.max(height, slots[slots.length - 1] + 1);
    state.size += slots.length;
  }
  state.own(height);
  for (const { slots } of shown) for (let i = 0; i < slots.length; i++) state.alive[slots[i]] = 1;
}

/**
 * Let a table have the rows of another one, and room for other numbers.
 * @param {TableState} state
 * @param {TableState} old
 */
function share(state, old) {
  state.height = old.height;
  state.size = old.size;
  state.alive = old.alive;
  state.generations = old.generations;
  const memory = new Int32Array(old.columns.length * old.height);
  state.columns = old.columns.map((_, c) => memory.subarray(c * old.height, (c + 1) * old.height));
}

/**
 * Write what rows have to their slots.
 * @template T
 * @param {Int32Array} slots
 * @param {{[i: number]: T}} from
 * @param {{[slot: number]: T}} column
 */
function scatter(slots, from, column) {
  for (let i = 0; i < slots.length; i++) column[slots[i]] = from[i];
}
