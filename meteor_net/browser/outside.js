// What a client needs of its surroundings: sockets, a clock, timers, chance. Tests and simulations give their own.

import { HttpSocket } from "./http-socket.js";

/** What packets go over: a WebSocket, or HTTP with the face of one where WebSockets are blocked. @typedef {"websocket" | "http"} Transport */
/**
 * @typedef {object} Outside
 * @property {(url: string, protocol: string, transport: Transport) => WebSocket} open
 * @property {() => number} now milliseconds that never go back
 * @property {() => number} random 0 to 1
 * @property {(call: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/** @type {Outside} */
export const BROWSER = {
  open: (url, protocol, transport) => {
    if (transport === "websocket") return new WebSocket(url, protocol);
    return /** @type {WebSocket} */ (/** @type {unknown} */ (new HttpSocket(url, protocol)));
  },
  now: () => performance.now(),
  random: () => Math.random(),
  setTimeout: (call, ms) => setTimeout(call, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};
