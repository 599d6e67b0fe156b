// The same packets over HTTP, for where WebSockets are blocked (wire 11); to whoever uses it, it is a WebSocket.
//
// Down they come in one response that goes on, or where something on the way holds that back, in answers to one question after the other.
// Up they go in requests, one at a time. Whatever fails is a lost connection (1006); only a request up is sent once more, for its
// number tells the server whether it was there before.

import { HttpPackets, framed } from "./http-packets.js";
import { HTTP_CLOSE_MS, HTTP_WAITING_BYTES, LEFT_BEHIND_BYTES, STREAM_MS, UP_BYTES, UP_MS, UP_PACKETS } from "./limits.js";

/** What is taken of the browser; tests give their own. */
const BROWSER = {
  fetch: (/** @type {string} */ url, /** @type {RequestInit} */ options) => fetch(url, options),
  setTimeout: (/** @type {() => void} */ call, /** @type {number} */ ms) => setTimeout(call, ms),
  clearTimeout: (/** @type {any} */ timer) => clearTimeout(timer),
};

/** Where the way over HTTP begins, beside a WebSocket: `ws://host/ws` -> `http://host/http`. @param {string} url */
export function httpUrl(url) {
  const place = new URL(url, location.href);
  place.protocol = place.protocol.replace(/^ws/, "http");
  place.pathname = place.pathname.replace(/[^/]*$/, "http");
  place.search = place.hash = "";
  return place.href;
}

export class HttpSocket {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSING = 2;
  static CLOSED = 3;

  readyState = HttpSocket.CONNECTING;
  /** @type {BinaryType} */
  binaryType = "arraybuffer";
  extensions = "";
  bufferedAmount = 0;
  /** @type {((event: any) => void) | null} */
  onopen = null;
  /** @type {((event: {data: ArrayBuffer}) => void) | null} */
  onmessage = null;
  /** @type {((event: {code: number, reason: string, wasClean: boolean}) => void) | null} */
  onclose = null;
  /** @type {((event: any) => void) | null} */
  onerror = null;
  #link;
  #browser;
  #ended = new AbortController();
  #packets = new HttpPackets();
  /** @type {Uint8Array[]} */
  #queue = [];
  #sending = false;
  #sendingSoon = false;
  #ups = 0;
  #closedWith = { code: 1006, reason: "" };
  /** @type {any} */
  #closing = null;

  /**
   * @param {string} url the WebSocket's
   * @param {string} [protocol]
   * @param {typeof BROWSER} [browser]
   */
  constructor(url, protocol = "meteor.v1", browser = BROWSER) {
    this.url = url;
    this.protocol = protocol;
    this.#link = httpUrl(url);
    this.#browser = browser;
    this.#run().catch((error) => this.#end(1006, String(error?.message ?? error)));
  }

  async #run() {
    const opened = await this.#fetch("", { method: "POST" });
    const text = (await opened.text()).trim();
    if (!opened.ok) throw new Error(`the server refused: ${opened.status} ${text.slice(0, 200)}`);
    if (!/^[0-9a-f]{32}$/.test(text)) throw new Error("something answered that is no server of ours");
    this.#link += `/${text}`;
    if (await this.#stream()) throw new Error("the stream has ended");
    this.#open();
    for (let number = 0; this.readyState < HttpSocket.CLOSED; number++) await this.#poll(number);
  }

  /** Hear a stream to its end. @returns {Promise<boolean>} whether it got through at all */
  async #stream() {
    const heldBack = new AbortController();
    const timer = this.#browser.setTimeout(() => heldBack.abort(), STREAM_MS);
    const stop = () => heldBack.abort();
    this.#ended.signal.addEventListener("abort", stop);
    let heard = false;
    try {
      const response = await this.#fetch("/down", { signal: heldBack.signal });
      if (response.status !== 200) throw new Error(`the stream was refused: ${response.status}`);
      const reader = response.body?.getReader();
      for (;;) {
        const { done, value } = await (reader?.read() ?? { done: true, value: undefined });
        if (done || value === undefined) return heard;
        if (!heard) {
          heard = true;
          this.#browser.clearTimeout(timer);
          this.#open();
        }
        this.#take(value);
      }
    } catch (error) {
      if (heard || !heldBack.signal.aborted) throw error;
      return false;
    } finally {
      this.#browser.clearTimeout(timer);
      this.#ended.signal.removeEventListener("abort", stop);
      heldBack.abort(); // of a browser that cannot read streams, too
    }
  }

  /** Ask what there is. @param {number} number */
  async #poll(number) {
    const response = await this.#fetch(`/poll?n=${number}`);
    if (response.status !== 200) throw new Error(`a question was refused: ${response.status}`);
    this.#take(new Uint8Array(await response.arrayBuffer()));
    if (this.#packets.begun) throw new Error("an answer is no packets");
  }

  /**
   * @param {string} path
   * @param {RequestInit} [options]
   */
  #fetch(path, options = {}) {
    return this.#browser.fetch(this.#link + path, { cache: "no-store", redirect: "error", signal: this.#ended.signal, ...options });
  }

  #open() {
    if (this.readyState !== HttpSocket.CONNECTING) return;
    this.readyState = HttpSocket.OPEN;
    this.onopen?.({});
  }

  /** @param {Uint8Array} bytes */
  #take(bytes) {
    let packets;
    try {
      packets = this.#packets.feed(bytes);
    } catch (error) {
      return this.#end(1009, error instanceof Error ? error.message : ""); // as a WebSocket says it
    }
    for (const packet of packets) {
      if (this.readyState === HttpSocket.OPEN) this.onmessage?.({ data: packet });
    }
    return undefined;
  }

  /**
   * Send a packet; like a WebSocket, nothing happens once it closes.
   * @param {Uint8Array | ArrayBuffer} packet
   * @throws {DOMException} If it is not open yet.
   */
  send(packet) {
    if (this.readyState === HttpSocket.CONNECTING) throw new DOMException("the socket is not open yet", "InvalidStateError");
    if (this.readyState !== HttpSocket.OPEN) return;
    const bytes = framed(packet);
    this.#queue.push(bytes);
    this.bufferedAmount += bytes.length;
    if (this.bufferedAmount > HTTP_WAITING_BYTES) {
      this.#end(1006, "more waits to be sent than gets through");
    } else if (!this.#sending && !this.#sendingSoon) {
      this.#sendingSoon = true; // what else is said in this turn goes with it
      queueMicrotask(() => this.#send());
    }
  }

  /**
   * Close behind what was sent.
   * @param {number} [code]
   * @param {string} [reason]
   */
  close(code = 1000, reason = "") {
    if (this.readyState >= HttpSocket.CLOSING) return;
    const wasOpen = this.readyState === HttpSocket.OPEN;
    this.readyState = HttpSocket.CLOSING;
    this.#closedWith = { code, reason };
    if (!wasOpen || (this.#queue.length === 0 && !this.#sending)) {
      queueMicrotask(() => this.#end(code, reason));
      return;
    }
    this.#closing = this.#browser.setTimeout(() => this.#end(code, reason), HTTP_CLOSE_MS);
    this.#send(); // now: the page may be on its way out
  }

  #send() {
    this.#sendingSoon = false;
    if (this.#sending || this.readyState === HttpSocket.CLOSED) return;
    const pieces = [];
    let size = 0;
    while (this.#queue.length > 0 && pieces.length < UP_PACKETS && (size === 0 || size + this.#queue[0].length <= UP_BYTES)) {
      const piece = /** @type {Uint8Array} */ (this.#queue.shift());
      pieces.push(piece);
      size += piece.length;
    }
    if (size > 0) {
      this.#sending = true;
      this.#up(pieces, size).then(() => this.#sent(size), (error) => this.#end(1006, String(error?.message ?? error)));
    } else if (this.readyState === HttpSocket.CLOSING) {
      this.#end(this.#closedWith.code, this.#closedWith.reason);
    }
  }

  /** @param {number} size */
  #sent(size) {
    this.#sending = false;
    this.bufferedAmount -= size;
    this.#ups++;
    this.#send();
  }

  /**
   * @param {Uint8Array[]} pieces
   * @param {number} size
   */
  async #up(pieces, size) {
    const body = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      body.set(piece, at);
      at += piece.length;
    }
    const response = await this.#post(body).catch(() => this.#post(body));
    if (response.status !== 204) throw new Error(`a request up was refused: ${response.status}`);
  }

  /** @param {Uint8Array} body */
  async #post(body) {
    const late = new AbortController();
    const stop = () => late.abort();
    const timer = this.#browser.setTimeout(stop, UP_MS);
    this.#ended.signal.addEventListener("abort", stop);
    try {
      this.#ended.signal.throwIfAborted();
      const keepalive = body.length <= LEFT_BEHIND_BYTES; // goes on when the page is closed
      const sent = /** @type {BodyInit} */ (/** @type {unknown} */ (body));
      return await this.#fetch(`/up?n=${this.#ups}`, { method: "POST", body: sent, keepalive, signal: late.signal });
    } finally {
      this.#browser.clearTimeout(timer);
      this.#ended.signal.removeEventListener("abort", stop);
    }
  }

  /**
   * It is over.
   * @param {number} code
   * @param {string} reason
   */
  #end(code, reason) {
    if (this.readyState === HttpSocket.CLOSED) return;
    if (this.readyState === HttpSocket.CLOSING) ({ code, reason } = this.#closedWith);
    this.readyState = HttpSocket.CLOSED;
    this.#browser.clearTimeout(this.#closing);
    this.#queue.length = 0;
    this.#ended.abort();
    this.onclose?.({ code, reason, wasClean: code !== 1006 });
  }
}
