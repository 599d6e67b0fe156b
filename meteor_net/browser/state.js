// The world as a page sees it: rows of values, interpolated between two versions, shown a little late so that it moves smoothly.
//
// StateSync keeps the newest versions and answers what to show now. Its clock is the arrival of frames: it notes how long after its
// tick each one came, and shows the world one tick and the usual lateness behind. The difference between the server's clock and ours
// falls out of that; jitter widens the delay, and calm narrows it, so slowly that nobody sees time run faster or slower.

import { ARRIVALS, JITTER_MS, JUMP_MS, SNAPSHOTS } from "./limits.js";

export { Replica } from "./replica.js";

/** @typedef {import("./coding.js").TableState} TableState */
/** @typedef {import("./fields.js").Field} Field */
/** @typedef {import("./fields.js").FieldValue} FieldValue */
/** @typedef {import("./schema.js").Kind} Kind */
/** @typedef {import("./schema.js").Schema} Schema */
/** @typedef {import("./replica.js").Version} Version */

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
  if (field.rule === "step" || from === to) return field.dequantize(from);
  if (field.rule === "linear") return field.dequantize(from + (to - from) * alpha);
  const { modulus } = field;
  const half = Math.floor(modulus / 2);
  const way = rest(to - from + half, modulus) - half; // the shorter way round
  return field.dequantize(rest(from + way * alpha, modulus));
}

/** The rows of one table at one moment: iterable, `get(slot)`, `size`. Rows are made when first asked for. */
export class TableView {
  #next;
  #previous;
  #alpha;
  /** @type {Map<number, RowObject> | null} */
  #rows = null;

  /**
   * @param {TableState} next
   * @param {TableState} [previous]
   * @param {number} [alpha]
   */
  constructor(next, previous = next, alpha = 1) {
    this.#next = next;
    this.#previous = previous;
    this.#alpha = alpha;
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
    const moves = previous !== next && this.#alpha < 1 && previous.alive[slot] === 1 && previous.generations[slot] === generation;
    const row = bare();
    let column = 0;
    next.kind.fields.forEach((field, f) => {
      if (field.isText) {
        row[field.name] = moves ? previous.texts[f][slot] : next.texts[f][slot];
        return;
      }
      const to = field.min < 0 ? next.columns[column][slot] : next.columns[column][slot] >>> 0;
      const from = field.min < 0 ? previous.columns[column][slot] : previous.columns[column][slot] >>> 0;
      row[field.name] = moves ? between(field, from, to, this.#alpha) : field.dequantize(to);
      column++;
    });
    row.slot = slot;
    row.generation = generation;
    return row;
  }
}

/** @typedef {{[table: string]: TableView}} WorldView the tables by name */

/**
 * The world between two versions: rows that are in both go by their fields' rules (`step`, and texts: the earlier until alpha is 1), all
 * others are as in `next`.
 * @param {Version} previous
 * @param {Version} next
 * @param {number} alpha 0 shows `previous`, 1 `next`.
 * @returns {WorldView}
 */
export function interpolate(previous, next, alpha) {
  const world = bare();
  next.tables.forEach((table, t) => {
    world[table.kind.name] = new TableView(table, previous.tables[t], alpha);
  });
  return world;
}

/** Keeps the newest versions of a stream and tells what to show now. */
export class StateSync {
  /** @type {Version[]} ascending; the last is the newest */
  #snapshots = [];
  /** @type {number[]} how long after its tick's time each frame came, in our clock */
  #arrivals = [];
  #arrived = 0;
  /** @type {number | null} our time minus the time shown, as it is now */
  #lag = null;
  #lagAt = 0;
  #shown = 0;

  /**
   * @param {number} tickMs The length of a tick.
   * @param {number} tick A tick, and its time in the server's milliseconds (JOINED).
   * @param {number} time
   */
  constructor(tickMs, tick, time) {
    this.tickMs = tickMs;
    this.clockTick = tick;
    this.clockTime = time;
    /** @type {Version | null} The newest version. */
    this.lastState = null;
  }

  /** Frames a second when everything moves. */
  get updateRate() {
    return 1000 / this.tickMs;
  }

  /**
   * Take a new version, when it came (the mission's name).
   * @param {Version} newState
   * @param {number} nowMs our clock
   */
  syncState(newState, nowMs) {
    this.lastState = newState;
    this.#snapshots.push(newState);
    if (this.#snapshots.length > SNAPSHOTS) this.#snapshots.shift();
    this.#arrivals[this.#arrived++ % ARRIVALS] = nowMs - this.timeOf(newState.tick);
  }

  /**
   * The world between two versions (the mission's name).
   * @param {Version} prevState
   * @param {Version} nextState
   * @param {number} [alpha]
   * @returns {WorldView}
   */
  interpolateState(prevState, nextState, alpha = 1) {
    return interpolate(prevState, nextState, alpha);
  }

  /**
   * Set the clock: a tick is at a time (wire 6.4).
   * @param {number} tick
   * @param {number} time
   */
  setClock(tick, time) {
    this.clockTick = tick;
    this.clockTime = time;
  }

  /**
   * The time of a tick in the server's milliseconds.
   * @param {number} tick
   */
  timeOf(tick) {
    return this.clockTime + (tick - this.clockTick) * this.tickMs;
  }

  /** Forget how frames came: after a pause in which the page was asleep. The newest version is shown at once. */
  toPresent() {
    this.#arrivals = [];
    this.#arrived = 0;
    this.#lag = null;
    if (this.lastState) this.#snapshots = [this.lastState];
  }

  /** The lag that the last arrivals ask for; null before the first. */
  #wanted() {
    if (this.#arrivals.length === 0) return null;
    const sorted = [...this.#arrivals].sort((a, b) => a - b);
    const late = sorted[Math.floor(0.95 * (sorted.length - 1))];
    return sorted[0] + Math.min(late - sorted[0], JITTER_MS) + this.tickMs;
  }

  /**
   * Let the lag follow what is wanted by at most a tenth of the time gone by.
   * @param {number} nowMs
   */
  #follow(nowMs) {
    const wanted = this.#wanted();
    if (wanted === null) return null;
    const most = Math.max(0, nowMs - this.#lagAt) / 10;
    this.#lagAt = nowMs;
    if (this.#lag === null || Math.abs(wanted - this.#lag) > JUMP_MS) this.#lag = wanted;
    else this.#lag += Math.min(Math.max(wanted - this.#lag, -most), most);
    return this.#lag;
  }

  /**
   * The tick on the player's screen at a moment, with its fraction; 0 before the first frame.
   * @param {number} nowMs our clock
   */
  tickAt(nowMs) {
    const lag = this.#follow(nowMs);
    if (lag === null || this.lastState === null) return this.lastState?.tick ?? 0;
    const tick = this.clockTick + (nowMs - lag - this.clockTime) / this.tickMs;
    return Math.max(0, Math.min(tick, this.lastState.tick));
  }

  /**
   * The world to show at a moment; null before the first frame. Versions that were shown are let go.
   * @param {number} nowMs our clock
   * @returns {WorldView | null}
   */
  show(nowMs) {
    if (this.lastState === null) return null;
    const tick = this.tickAt(nowMs);
    this.#shown = tick;
    while (this.#snapshots.length > 2 && this.#snapshots[1].tick <= tick) this.#snapshots.shift();
    const [first, second = first] = this.#snapshots;
    const alpha = (tick - (second.tick - second.span)) / second.span;
    return alpha > 0 ? interpolate(first, second, Math.min(alpha, 1)) : interpolate(first, first, 1);
  }

  /** The tick that was shown last. */
  get shown() {
    return this.#shown;
  }
}
