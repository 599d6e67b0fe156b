// A bad network, as an author would feel it: packets come late, unevenly, after losses, in bursts after a stall, or not at all.
//
// Between a client and its sockets; from a seed. TCP loses no bytes: what it feels of a lost packet is that this one and all behind it
// wait until it was sent again. Timers drive it, so a hidden tab is worse than it says.

import { Way } from "./way.js";

/** @typedef {import("./outside.js").Outside} Outside */
/** @typedef {import("./outside.js").Transport} Transport */
/**
 * @typedef {object} Faults
 * @property {number} [latency] milliseconds that a round trip takes longer
 * @property {number} [jitter] milliseconds that a round trip may take longer or shorter than that
 * @property {number} [loss] of 100 packets of TCP so many are lost, and sent again
 * @property {number} [stall] milliseconds for which nothing passes, now and then: on average every `stallEvery`, 20 s by default
 * @property {number} [stallEvery] milliseconds
 * @property {number} [cut] the connection is cut, on average after so many milliseconds
 * @property {number} [kbits] kilobits that pass in a second, each way; 0: any number
 * @property {number} [seed] the same chance each time
 */

/** The most of each, and what it is if nothing is said: more would be a mistake. @type {Record<keyof Faults, [number, number]>} */
const MOST = {
  latency: [10_000, 0], jitter: [10_000, 0], loss: [50, 0], stall: [60_000, 0], stallEvery: [3_600_000, 20_000],
  cut: [3_600_000, 0], kbits: [1_000_000, 0], seed: [2 ** 32 - 1, 1],
};
/** Bytes of a packet of TCP, what an empty one has, how long the sender waits for its acknowledgement at the least, and how often one is lost. */
const SEGMENT_BYTES = 1_400;
const HEAD_BYTES = 60;
const RESEND_MS = 200;
const RESENDS = 5;

/**
 * The faults that a page's address asks for, as `?latency=200&jitter=40&loss=3`.
 * @param {string} search
 * @returns {Faults}
 */
export function faultsOf(search) {
  const wanted = new URLSearchParams(search);
  return Object.fromEntries(Object.keys(MOST).filter((name) => wanted.get(name)).map((name) => [name, Number(wanted.get(name))]));
}

/**
 * Surroundings whose sockets suffer.
 * @param {Outside} outside
 * @param {Faults | Simulation} faults
 * @returns {Outside}
 * @throws {TypeError} If one of them is no number, or too much.
 */
export function simulated(outside, faults) {
  const simulation = faults instanceof Simulation ? faults : new Simulation(faults);
  return { ...outside, open: (url, protocol, transport) => simulation.open(outside, url, protocol, transport) };
}

/** The network that all sockets of a client share; its faults may be changed while it runs. */
export class Simulation {
  #state = 1;
  #cutUntil = -Infinity;
  /** @type {Set<SimulatedSocket>} */
  #sockets = new Set();
  /** @type {Required<Faults>} */
  #faults;

  /** @param {Faults} [faults] */
  constructor(faults = {}) {
    this.#faults = /** @type {Required<Faults>} */ (Object.fromEntries(Object.entries(MOST).map(([name, [, usual]]) => [name, usual])));
    this.set(faults);
    this.#state = this.#faults.seed >>> 0;
  }

  /** What is set now. @returns {Readonly<Required<Faults>>} */
  get faults() {
    return this.#faults;
  }

  /**
   * Change some faults: for packets that are sent from now on.
   * @param {Faults} faults
   * @throws {TypeError} If one of them is no number, or too much; then none is changed.
   */
  set(faults) {
    for (const [name, value] of Object.entries(faults)) {
      const most = MOST[/** @type {keyof Faults} */ (name)]?.[0];
      if (most === undefined) throw new TypeError(`there is no fault ${name}`);
      if (!(value >= 0 && value <= most)) throw new TypeError(`${name}: a number of 0 to ${most}, not ${value}`);
    }
    Object.assign(this.#faults, faults);
  }

  /** Nothing passes for a while. @param {number} ms */
  stall(ms) {
    for (const socket of this.#sockets) socket.stall(ms);
  }

  /**
   * Cut what is connected.
   * @param {number} [ms] so long nothing new connects
   */
  cut(ms = 0) {
    for (const socket of [...this.#sockets]) {
      this.#cutUntil = Math.max(this.#cutUntil, socket.outside.now() + ms);
      socket.cut();
    }
  }

  /**
   * @param {Outside} outside
   * @param {string} url
   * @param {string} protocol
   * @param {Transport} transport
   * @returns {WebSocket}
   */
  open(outside, url, protocol, transport) {
    const reachable = outside.now() >= this.#cutUntil;
    const socket = new SimulatedSocket(this, outside, reachable ? outside.open(url, protocol, transport) : null);
    this.#sockets.add(socket);
    socket.onGone = () => this.#sockets.delete(socket);
    return /** @type {any} */ (socket);
  }

  /** A number of 0 to 1 (mulberry32). */
  random() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** When something happens that does on average every so many milliseconds. @param {number} meanMs */
  after(meanMs) {
    return meanMs > 0 ? -meanMs * Math.log(1 - this.random()) : Infinity;
  }

  /** How long some bytes are on their way, in milliseconds. @param {number} bytes */
  delay(bytes) {
    const { latency, jitter, loss } = this.#faults;
    let ms = latency / 2 + (jitter > 0 ? (this.random() - 0.5) * jitter : 0);
    if (loss > 0) {
      const lost = 1 - (1 - loss / 100) ** Math.ceil((bytes + 1) / SEGMENT_BYTES);
      let wait = Math.max(RESEND_MS, 2 * latency);
      for (let i = 0; i < RESENDS && this.random() < lost; i++, wait *= 2) ms += wait;
    }
    return Math.max(0, ms);
  }

  /** How long the line is busy with some bytes. @param {number} bytes */
  busy(bytes) {
    return this.#faults.kbits > 0 ? ((bytes + HEAD_BYTES) * 8) / this.#faults.kbits : 0;
  }
}

/** A socket on a bad network, with the face of a WebSocket. */
class SimulatedSocket {
  /** @type {any} */
  #timer = null;
  #simulation;
  #socket;
  #up;
  #down;

  /**
   * @param {Simulation} simulation
   * @param {Outside} outside
   * @param {WebSocket | null} socket null where nothing connects
   */
  constructor(simulation, outside, socket) {
    this.#simulation = simulation;
    this.outside = outside;
    this.#socket = socket;
    this.#up = new Way(simulation, outside);
    this.#down = new Way(simulation, outside);
    this.readyState = 0;
    /** @type {BinaryType} */
    this.binaryType = "arraybuffer";
    /** @type {((event: any) => void) | null} */
    this.onopen = this.onmessage = this.onclose = null;
    this.onGone = () => {};
    if (socket === null) {
      this.#timer = outside.setTimeout(() => this.#closed(1006, ""), simulation.faults.latency);
      return;
    }
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#down.put(0, () => this.#up.put(0, () => this.#down.put(0, () => this.#opened()))); // TCP, and the upgrade
    socket.onmessage = ({ data }) => this.#came(data);
    socket.onclose = ({ code, reason }) => this.#down.put(0, () => this.#closed(code, reason));
  }

  get protocol() { return this.#socket?.protocol ?? ""; }

  get bufferedAmount() { return this.#up.bytes + (this.#socket?.bufferedAmount ?? 0); }

  /** @param {Uint8Array} data */
  send(data) {
    if (this.readyState !== 1) return;
    if (this.#up.isFull) this.cut();
    this.#up.put(data.byteLength, () => { if (this.#socket?.readyState === 1) this.#socket.send(data); });
  }

  /**
   * @param {number} [code]
   * @param {string} [reason]
   */
  close(code, reason) {
    if (this.readyState > 1) return;
    this.readyState = 2;
    this.#up.flush(); // a page that is left has no time to wait
    this.#socket?.close(code, reason);
    if (this.#socket === null) this.#closed(1006, "");
  }

  /** @param {number} ms */
  stall(ms) {
    const until = this.outside.now() + ms;
    this.#up.stall(until);
    this.#down.stall(until);
  }

  /** It breaks: nothing more passes, and the server has to see for itself. */
  cut() {
    this.#up.stop();
    this.#down.stop();
    if (this.#socket !== null) this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    if ((this.#socket?.readyState ?? 3) < 2) this.#socket?.close(4000); // a code with which the session waits
    this.#closed(1006, "");
  }

  #opened() {
    if (this.readyState !== 0) return;
    this.readyState = 1;
    this.#mishap();
    this.onopen?.({});
  }

  /** Let the next stall, or the end, come. */
  #mishap() {
    const { stall, stallEvery, cut } = this.#simulation.faults;
    const stallIn = stall > 0 ? this.#simulation.after(stallEvery) : Infinity;
    const cutIn = this.#simulation.after(cut);
    const wait = Math.min(stallIn, cutIn, 1_000); // the faults may be changed meanwhile; chance has no memory
    this.#timer = this.outside.setTimeout(() => {
      if (cutIn <= wait) return this.cut();
      if (stallIn <= wait) this.stall(stall);
      return this.#mishap();
    }, wait);
  }

  /** @param {any} data */
  #came(data) {
    if (this.#down.isFull) return this.cut();
    return this.#down.put(data.byteLength ?? data.length, () => this.onmessage?.({ data }));
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.outside.clearTimeout(this.#timer);
    this.#up.stop();
    this.onGone();
    this.onclose?.({ code, reason });
  }
}
