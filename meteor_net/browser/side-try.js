// A connection that is tried beside the one that we have: a WebSocket while packets go over HTTP, or another one while nothing comes.
// When it opens, the session moves over to it.

import { CloseCode } from "./errors.js";
import { OPEN_MS } from "./limits.js";
import { PacketSocket } from "./socket.js";

/** @typedef {import("./outside.js").Outside} Outside */
/** @typedef {import("./socket.js").Route} Route */

export class SideTry {
  #tries = 0;
  /** @type {PacketSocket | null} */
  #socket = null;
  /** @type {any} */
  #timer = null;
  #outside;
  #waits;
  #opened;

  /**
   * @param {Outside} outside
   * @param {readonly number[]} waits before each try, in milliseconds; the last one again and again
   * @param {(socket: PacketSocket) => void} opened takes over a socket that is open
   */
  constructor(outside, waits, opened) {
    this.#outside = outside;
    this.#waits = waits;
    this.#opened = opened;
  }

  /** Try from now on, each time after a longer pause. @param {Route} route */
  start(route) {
    this.stop();
    const wait = this.#waits[Math.min(this.#tries++, this.#waits.length - 1)];
    this.#timer = this.#outside.setTimeout(() => this.#try(route), wait);
  }

  /** Try no more; the pauses stay long for the next time. */
  stop() {
    this.#outside.clearTimeout(this.#timer);
    this.#socket?.drop(CloseCode.NORMAL);
    this.#socket = null;
  }

  /** It is not needed any more: the next time begins with the first pause. */
  reset() {
    this.stop();
    this.#tries = 0;
  }

  /** Where it opened nothing was carried, and finding that out costs a player some seconds: each pause is the longest one from now on. */
  slow() {
    this.#tries = this.#waits.length - 1;
  }

  /** @param {Route} route */
  #try(route) {
    const again = () => this.start(route);
    this.#timer = this.#outside.setTimeout(again, OPEN_MS);
    this.#socket = new PacketSocket(this.#outside, route, {
      opened: (socket) => {
        if (!socket.speaks) return again();
        this.#socket = null;
        this.#outside.clearTimeout(this.#timer);
        return this.#opened(socket);
      },
      came: () => {},
      lost: again,
    });
  }
}
