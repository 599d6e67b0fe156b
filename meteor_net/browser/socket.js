// One socket, of either transport: it tells its owner what happens, and nothing once it is dropped.

import { CloseCode, comeBack } from "./errors.js";
import { UNSENT_BYTES } from "./limits.js";

export const SUBPROTOCOL = "meteor.v1";

/** @typedef {import("./outside.js").Outside} Outside */
/** Where a socket leads, and how. @typedef {{url: string, transport: import("./outside.js").Transport}} Route */
/**
 * @typedef {object} SocketOwner
 * @property {(socket: PacketSocket) => void} opened
 * @property {(data: unknown) => void} came
 * @property {(socket: PacketSocket, code: number, text: string) => void} lost
 */

export class PacketSocket {
  /** @type {WebSocket | null} */
  #socket;
  #muted = false;

  /**
   * @param {Outside} outside
   * @param {Route} route
   * @param {SocketOwner} owner may be changed: the next event goes to the new one
   * @throws If no socket can be made: the address is none.
   */
  constructor(outside, route, owner) {
    this.route = route;
    this.owner = owner;
    const socket = outside.open(route.url, SUBPROTOCOL, route.transport);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { if (!this.#muted) this.owner.opened(this); };
    socket.onmessage = (event) => { if (!this.#muted) this.owner.came(event.data); };
    socket.onclose = (event) => { if (!this.#muted) this.owner.lost(this, event.code, event.reason); };
  }

  get isOpen() {
    return this.#socket?.readyState === 1;
  }

  /** Whether the server speaks what we speak. */
  get speaks() {
    return this.#socket?.protocol === SUBPROTOCOL;
  }

  /** Whether so much waits in it that an input would come too late. */
  get congested() {
    return (this.#socket?.bufferedAmount ?? 0) > UNSENT_BYTES;
  }

  /** @param {Uint8Array} packet */
  send(packet) {
    this.#socket?.send(packet);
  }

  /** Hear no more of it. */
  mute() {
    this.#muted = true;
  }

  /**
   * Close it, and hear no more of it.
   * @param {number} code
   */
  drop(code) {
    this.mute();
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    if (socket.readyState >= 2) return;
    // A page may close with 1000 and 3000-4999 only; and 1000 would tell the server that we leave for good.
    const said = comeBack(code) ? CloseCode.SILENT : CloseCode.NORMAL;
    socket.close(code >= 3000 && code <= 4999 ? code : said);
  }
}
