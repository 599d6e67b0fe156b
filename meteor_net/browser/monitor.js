// How the connection does: round trips, bytes, and a report of them.

const WINDOW_S = 5;

/**
 * @typedef {object} NetworkReport
 * @property {Record<string, number>} metrics
 * @property {string} text one line for people
 */

export class NetworkMonitor {
  /** @type {{second: number, in: number, out: number}[]} */
  #seconds = [];

  constructor() {
    /** @type {Map<string, number>} */
    this.metrics = new Map();
  }

  /**
   * Count something.
   * @param {string} name
   * @param {number} [by]
   */
  count(name, by = 1) {
    this.metrics.set(name, (this.metrics.get(name) ?? 0) + by);
  }

  /**
   * Count an error, and what was done about it.
   * @param {import("./recovery.js").Answer} answer
   */
  countError(answer) {
    this.count("errors");
    this.count(`errors_${answer}`);
  }

  /**
   * Note a round trip.
   * @param {number} ms
   */
  trackLatency(ms) {
    const smooth = this.metrics.get("round_trip_ms");
    this.metrics.set("round_trip_ms", smooth === undefined ? ms : smooth + (ms - smooth) / 4);
    this.metrics.set("round_trip_min_ms", Math.min(ms, this.metrics.get("round_trip_min_ms") ?? Infinity));
  }

  /**
   * Note bytes that came or went.
   * @param {number} bytesIn
   * @param {number} bytesOut
   * @param {number} nowMs
   */
  measureBandwidth(bytesIn, bytesOut, nowMs) {
    this.count("bytes_in", bytesIn);
    this.count("bytes_out", bytesOut);
    const second = Math.floor(nowMs / 1000);
    let last = this.#seconds.at(-1);
    if (last?.second !== second) {
      last = { second, in: 0, out: 0 };
      this.#seconds.push(last);
      if (this.#seconds.length > WINDOW_S + 1) this.#seconds.shift();
    }
    last.in += bytesIn;
    last.out += bytesOut;
  }

  /**
   * Bytes that came per second, over the last whole seconds.
   * @param {number} nowMs
   */
  bytesPerSecond(nowMs) {
    const second = Math.floor(nowMs / 1000);
    const window = this.#seconds.filter((each) => each.second < second && each.second >= second - WINDOW_S);
    return window.reduce((sum, each) => sum + each.in, 0) / WINDOW_S;
  }

  /** @returns {NetworkReport} */
  generateReport() {
    const metrics = Object.fromEntries(this.metrics);
    const text = Object.entries(metrics).map(([name, value]) => `${name} ${Math.round(10 * value) / 10}`).join(", ");
    return { metrics, text };
  }
}
