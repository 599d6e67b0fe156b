// While packets go over HTTP, a WebSocket is tried on the side: when one opens, the session moves over to it.

import { CloseCode } from "./errors.js";
import { OPEN_MS, SIDE_TRY_MS } from "./limits.js";
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
  #opened;

  /**
   * @param {Outside} outside
   * @param {(socket: PacketSocket) => void} opened takes over a socket that is open
   */
  constructor(outside, opened) {
    this.#outside = outside;
    this.#opened = opened;
  }

  /** Try from now on, each time after a longer pause. @param {Route} route */
  start(route) {
    this.stop();
    const wait = SIDE_TRY_MS[Math.min(this.#tries++, SIDE_TRY_MS.length - 1)];
    this.#timer = this.#outside.setTimeout(() => this.#try(route), wait);
  }

  /** Try no more; the pauses stay long for the next time. */
  stop() {
    this.#outside.clearTimeout(this.#timer);
    this.#socket?.drop(CloseCode.NORMAL);
    this.#socket = null;
  }

  /** A WebSocket was good: the next time begins with a short pause. */
  reset() {
    this.#tries = 0;
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
