// The server's clock and the round trip, from pings (wire 5.3).

import { FIRST_PINGS, FIRST_PING_MS, PING_MS, ROUND_TRIPS } from "./limits.js";

export class ServerClock {
  /** @type {Map<number, number>} when each ping was sent */
  #sent = new Map();
  /** @type {{trip: number, offset: number}[]} */
  #samples = [];
  #number = 0;
  #pings = 0;
  #nextAt = 0;

  constructor() {
    /** The last round trip; null before the first. @type {number | null} */
    this.roundTripMs = null;
    /** To be added to our time to have the server's. @type {number | null} */
    this.offsetMs = null;
  }

  /**
   * Begin anew on another connection; the last offset stays until there is a better one.
   * @param {number} nowMs
   */
  opened(nowMs) {
    this.#sent.clear();
    this.#samples = [];
    this.#pings = 0;
    this.#nextAt = nowMs;
  }

  /** @param {number} nowMs */
  due(nowMs) {
    return nowMs >= this.#nextAt;
  }

  /**
   * The number of a new ping.
   * @param {number} nowMs
   */
  ping(nowMs) {
    if (this.#sent.size >= ROUND_TRIPS) this.#sent.delete(Math.min(...this.#sent.keys()));
    this.#sent.set(++this.#number, nowMs);
    this.#nextAt = nowMs + (++this.#pings < FIRST_PINGS ? FIRST_PING_MS : PING_MS);
    return this.#number;
  }

  /**
   * A ping is answered.
   * @param {number} number
   * @param {number} serverMs
   * @param {number} nowMs
   * @returns {number | null} the round trip; null if we do not wait for it
   */
  pong(number, serverMs, nowMs) {
    const sent = this.#sent.get(number);
    if (sent === undefined) return null;
    this.#sent.delete(number);
    const trip = Math.max(0, nowMs - sent);
    this.#samples.push({ trip, offset: serverMs + trip / 2 - nowMs });
    if (this.#samples.length > ROUND_TRIPS) this.#samples.shift();
    this.roundTripMs = trip;
    this.offsetMs = this.#samples.reduce((best, each) => (each.trip < best.trip ? each : best)).offset;
    return trip;
  }

  /**
   * The server's time of WELCOME: a first guess.
   * @param {number} serverMs
   * @param {number} nowMs
   */
  welcomed(serverMs, nowMs) {
    this.offsetMs ??= serverMs - nowMs;
  }
}
