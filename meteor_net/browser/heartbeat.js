// Whether the server lives (wire 5.2): heard lately, stale, or dead.

import { LATE_TIMER_MS, SILENT_MS } from "./limits.js";

/** @typedef {"alive" | "stale" | "dead"} Pulse */

export class Heartbeat {
  #heardAt = 0;
  #lookedAt = 0;

  /**
   * A connection begins.
   * @param {number} nowMs
   */
  opened(nowMs) {
    this.#heardAt = this.#lookedAt = nowMs;
  }

  /**
   * Something came: any byte is a sign of life.
   * @param {number} nowMs
   */
  heard(nowMs) {
    this.#heardAt = nowMs;
  }

  /**
   * Look how long the server has been silent.
   * @param {number} nowMs
   * @param {number} everyMs after which it should have been heard at the latest
   * @returns {Pulse}
   */
  look(nowMs, everyMs) {
    // A timer that was held back by the browser says nothing: messages may wait behind it.
    if (nowMs - this.#lookedAt > LATE_TIMER_MS) this.#heardAt = Math.max(this.#heardAt, nowMs - 1000);
    this.#lookedAt = nowMs;
    const silence = nowMs - this.#heardAt;
    if (silence > SILENT_MS) return "dead";
    return silence > 1.5 * everyMs ? "stale" : "alive";
  }
}
