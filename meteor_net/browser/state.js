// The world as a page sees it: rows of values, interpolated between two versions, shown a little late so that it moves smoothly.
//
// StateSync keeps the newest versions and answers what to show now. Its clock is the arrival of frames: it notes how long after its
// tick each one came, and shows the world one tick and the usual lateness behind. The difference between the server's clock and ours
// falls out of that; jitter widens the delay, and calm narrows it, so slowly that nobody sees time run faster or slower.

import { interpolate } from "./view.js";
import { ARRIVALS, JITTER_MS, JUMP_MS, SNAPSHOTS } from "./limits.js";

export { Replica } from "./replica.js";
export { TableView, interpolate } from "./view.js";

/** @typedef {import("./replica.js").Version} Version */
/** @typedef {import("./view.js").RowObject} RowObject */
/** @typedef {import("./view.js").WorldView} WorldView */

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
