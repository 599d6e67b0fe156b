// Which address is tried next, and over which transport.
//
// A try that fails goes on to the next address; once round, there is a pause. The last good address is tried first.
// An address where WebSocket got nowhere twice is tried over HTTP, and over each in turn for as long as neither works: a page is not told
// whether a WebSocket is blocked or the server is down.

import { MAX_URLS, SETTLED_MS, TRIES_BEFORE_HTTP } from "./limits.js";

/** @typedef {import("./outside.js").Transport} Transport */
/** @typedef {import("./socket.js").Route} Route */
/** @typedef {{url: string, blocked: number, turn: boolean}} Address `blocked`: tries in a row that got nowhere; `turn`: HTTP is next */

const TRANSPORTS = new Set(["websocket", "http"]);

export class Routes {
  /** @type {Address[]} */
  #addresses;
  #at = 0;
  #transports;

  /**
   * @param {string[]} urls
   * @param {Transport[]} transports
   * @throws {TypeError} If there is none of either, too many, or one that is unknown.
   */
  constructor(urls, transports) {
    const unique = [...new Set(urls)];
    if (unique.length === 0 || unique.length > MAX_URLS) throw new TypeError(`urls: 1 to ${MAX_URLS} addresses, not ${unique.length}`);
    const unknown = transports.find((name) => !TRANSPORTS.has(name));
    if (transports.length === 0 || unknown !== undefined) throw new TypeError(`transports: "websocket", "http" or both, not ${unknown ?? "none"}`);
    this.#addresses = unique.map((url) => ({ url, blocked: 0, turn: false }));
    this.#transports = transports;
  }

  /** Whether there is another transport than WebSocket. */
  get #fallback() {
    return this.#transports.length > 1;
  }

  /** The route to try now. @returns {Route} */
  get next() {
    const { url, turn } = this.#addresses[this.#at];
    return { url, transport: !this.#fallback ? this.#transports[0] : turn ? "http" : "websocket" };
  }

  /** Whether a route has a better one: a WebSocket to the same address. @param {Route} route @returns {Route | null} */
  better(route) {
    return route.transport === "http" && this.#fallback ? { url: route.url, transport: "websocket" } : null;
  }

  /** The server has welcomed us: this route is the first from now on. @param {Route} route */
  good(route) {
    const address = this.#of(route);
    this.#addresses = [address, ...this.#addresses.filter((each) => each !== address)];
    this.#at = 0;
    address.turn = route.transport === "http";
  }

  /**
   * A connection is over, or did not come about.
   * @param {Route} route
   * @param {boolean} spoke whether the server said itself that it ends
   * @param {number} goodMs how long it was good, -1 if never
   * @returns {boolean} whether HTTP is to be tried at once, for WebSocket got nowhere
   */
  lost(route, spoke, goodMs) {
    const address = this.#of(route);
    if (this.#count(address, route.transport, spoke || goodMs >= SETTLED_MS)) return true;
    if (goodMs < 0) this.#at = (this.#at + 1) % this.#addresses.length;
    return false;
  }

  /** Whether there are addresses that were not tried in this round. */
  get more() {
    return this.#at > 0;
  }

  /**
   * @param {Address} address
   * @param {Transport} transport
   * @param {boolean} works
   * @returns {boolean} whether WebSocket is given up here, just now
   */
  #count(address, transport, works) {
    if (!this.#fallback) return false;
    if (transport === "http") {
      address.turn = works; // the other one in turn, if this one got nowhere
      return false;
    }
    address.blocked = works ? 0 : address.blocked + 1;
    address.turn = address.blocked >= TRIES_BEFORE_HTTP;
    return address.blocked === TRIES_BEFORE_HTTP;
  }

  /** @param {Route} route @returns {Address} */
  #of(route) {
    return this.#addresses.find(({ url }) => url === route.url) ?? this.#addresses[0];
  }
}
