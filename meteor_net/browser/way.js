// One direction of a simulated network (simulate.js).

/** @typedef {import("./outside.js").Outside} Outside */
/** @typedef {import("./simulate.js").Simulation} Simulation */

/** Packets on their way; more, and the connection is cut. */
const WAITING = 10_000;

/** One direction: what is put in comes out later, in order. */
export class Way {
  /** @type {{at: number, bytes: number, deliver: () => void}[]} */
  #queue = [];
  #freeAt = -Infinity;
  #lastAt = -Infinity;
  /** @type {any} */
  #timer = null;
  #simulation;
  #outside;

  /**
   * @param {Simulation} simulation
   * @param {Outside} outside
   */
  constructor(simulation, outside) {
    this.#simulation = simulation;
    this.#outside = outside;
  }

  /** Bytes on their way. */
  get bytes() {
    return this.#queue.reduce((sum, packet) => sum + packet.bytes, 0);
  }

  get isFull() {
    return this.#queue.length >= WAITING;
  }

  /**
   * @param {number} bytes
   * @param {() => void} deliver
   */
  put(bytes, deliver) {
    const now = this.#outside.now();
    this.#freeAt = Math.max(now, this.#freeAt) + this.#simulation.busy(bytes);
    const at = Math.max(this.#lastAt, this.#freeAt + this.#simulation.delay(bytes));
    if (at <= now && this.#queue.length === 0) return deliver();
    this.#lastAt = at;
    this.#queue.push({ at, bytes, deliver });
    return this.#wait();
  }

  /** Nothing comes out before a moment. @param {number} until */
  stall(until) {
    for (const packet of this.#queue) packet.at = Math.max(packet.at, until);
    this.#lastAt = Math.max(this.#lastAt, until);
    this.#wait();
  }

  /** All comes out now. */
  flush() {
    const packets = this.#queue;
    this.stop();
    for (const { deliver } of packets) deliver();
  }

  /** What is on its way is lost. */
  stop() {
    this.#queue = [];
    this.#outside.clearTimeout(this.#timer);
  }

  #wait() {
    this.#outside.clearTimeout(this.#timer);
    const next = this.#queue[0];
    if (next !== undefined) this.#timer = this.#outside.setTimeout(() => this.#deliver(), Math.max(0, next.at - this.#outside.now()));
  }

  #deliver() {
    while (this.#queue.length > 0 && this.#queue[0].at <= this.#outside.now()) this.#queue.shift()?.deliver();
    this.#wait();
  }
}
