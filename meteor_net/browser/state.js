// The world as a page sees it: rows of values, interpolated between two versions, shown a little late so that it moves smoothly.
//
// StateSync keeps the newest versions and answers what to show now. Its clock is the arrival of frames: it notes how long after its
// tick each one came, and shows the world one interval and the usual lateness behind. The difference between the server's clock and
// ours falls out of that; jitter widens the delay, and calm narrows it, so slowly that nobody sees time run faster or slower.
// Where a frame is late all goes on as it went, for one interval at most. `meteor_net/state/playback.py` does the same in Python.

import { ARRIVALS, FASTEST, JITTER_MS, JUMP_MS, SLOWEST, SNAPSHOTS, USUAL } from "./limits.js";
import { interpolate } from "./view.js";

export { Replica } from "./replica.js";
export { TableView, interpolate } from "./view.js";

/** @typedef {import("./replica.js").Version} Version */
/** @typedef {import("./view.js").RowObject} RowObject */
/** @typedef {import("./view.js").WorldView} WorldView */

/** Intervals after which what did not come is taken not to have been: the world is at rest. */
const AT_REST = 3;

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
   * @param {number | null} [updateRate] See the property; null: every tick.
   */
  constructor(tickMs, tick, time, updateRate = null) {
    this.tickMs = tickMs;
    /** The rate as it was set; null: every tick. */
    this.askedRate = updateRate;
    this.clockTick = tick;
    this.clockTime = time;
    /** @type {Version | null} The newest version. */
    this.lastState = null;
  }

  /** Frames a second when everything moves (the mission's name): one for every tick, unless it was set. */
  get updateRate() {
    return this.askedRate ?? 1000 / this.tickMs;
  }

  set updateRate(hz) {
    if (!(hz > 0 && hz <= 1000)) throw new RangeError(`updateRate must be above 0 and at most 1000 Hz, not ${hz}`);
    this.askedRate = hz;
  }

  /** Ticks from one frame to the next when everything moves. */
  get #interval() {
    return Math.max(1, 1000 / (this.updateRate * this.tickMs));
  }

  /** How far the world is shown behind the frames that came the quickest, in ms; null before the first frame. */
  get delayMs() {
    return this.#lag === null ? null : this.#lag - Math.min(...this.#arrivals);
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
    const late = sorted[Math.floor(USUAL * (sorted.length - 1))];
    return sorted[0] + Math.min(late - sorted[0], JITTER_MS) + this.#interval * this.tickMs;
  }

  /**
   * Let the lag follow what is wanted, so that the film runs a little slower or faster.
   * @param {number} nowMs
   */
  #follow(nowMs) {
    const wanted = this.#wanted();
    if (wanted === null) return null;
    const passed = Math.max(0, nowMs - this.#lagAt);
    this.#lagAt = nowMs;
    if (this.#lag === null || Math.abs(wanted - this.#lag) > JUMP_MS) this.#lag = wanted;
    else this.#lag += Math.min(Math.max(wanted - this.#lag, (1 - FASTEST) * passed), (1 - SLOWEST) * passed);
    return this.#lag;
  }

  /**
   * The tick that is due at a moment, whether or not its version came; null before the first frame.
   * @param {number} nowMs
   */
  #due(nowMs) {
    const lag = this.#follow(nowMs);
    return lag === null ? null : this.clockTick + (nowMs - lag - this.clockTime) / this.tickMs;
  }

  /**
   * The tick on the player's screen at a moment, with its fraction; 0 before the first frame. At most an interval after the newest.
   * @param {number} nowMs our clock
   */
  tickAt(nowMs) {
    const newest = this.lastState?.tick ?? 0;
    const due = this.#due(nowMs);
    return due === null ? newest : Math.max(0, Math.min(due, newest + this.#interval));
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
    // Nothing changed between the two but in the last interval: a version is only made where something changes.
    const span = Math.max(1, Math.min(Math.max(second.span, this.#interval), second.tick - first.tick));
    // What is told of at a lower rate goes on to where it is, even where no more versions come.
    const at = Math.max(tick, this.#due(nowMs) ?? 0);
    if (tick > second.tick) return interpolate(first, second, 1 + this.#ahead(nowMs) / span, at);
    const alpha = (tick - (second.tick - span)) / span;
    return alpha > 0 ? interpolate(first, second, alpha, at) : interpolate(first, first, 1, at);
  }

  /**
   * How many ticks the world is carried on beyond the newest version. It waits there for a while; if still nothing comes then
   * nothing has changed, and it slides back to what is true.
   * @param {number} nowMs
   */
  #ahead(nowMs) {
    const interval = this.#interval;
    const late = ((this.#due(nowMs) ?? 0) - (this.lastState?.tick ?? 0)) / interval;
    return interval * Math.max(0, Math.min(late, 1, AT_REST - late));
  }

  /** The tick that was shown last. */
  get shown() {
    return this.#shown;
  }
}
