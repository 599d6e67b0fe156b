// The WebSocket under a session, and its coming back: the close code decides whether, full-jitter backoff decides when (wire 4.5).

import { CloseCode, ConnectionFailed, comeBack } from "./errors.js";
import { BACKOFF_BASE_MS, BACKOFF_CAP_MS, SETTLED_MS, OPEN_MS, POLL_MS, UNSENT_BYTES } from "./limits.js";

/** @typedef {import("./session.js").ClientSession} ClientSession */
/**
 * @typedef {object} Outside what the manager needs of its surroundings; tests give their own
 * @property {(url: string, protocol: string) => WebSocket} open
 * @property {() => number} now milliseconds that never go back
 * @property {() => number} random 0 to 1
 * @property {(call: () => void, ms: number) => any} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/** @type {Outside} */
export const BROWSER = {
  open: (url, protocol) => new WebSocket(url, protocol),
  now: () => performance.now(),
  random: () => Math.random(),
  setTimeout: (call, ms) => setTimeout(call, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

/** The words of `status`. @typedef {"new" | "connecting" | "online" | "stale" | "reconnecting" | "offline"} Standing */

/** Keeps a session connected. */
export class ConnectionManager {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Standing} */
  #standing = "new";
  #offline = "";
  #welcomed = false;
  #everGood = false;
  #openedAt = 0;
  #goodAt = Infinity;
  #attempts = 0;
  #tryAt = 0;
  #told = "";
  #flushing = false;
  #poll = /** @type {any} */ (null);
  #retry = /** @type {any} */ (null);
  /** @type {{promise: Promise<void>, resolve: () => void, reject: (error: Error) => void} | null} */
  #connecting = null;
  #url;
  #session;
  #outside;
  #tell;

  /**
   * @param {string} url
   * @param {ClientSession} session
   * @param {(kind: string, value: unknown) => void} tell hears "status" and "bytes"
   * @param {Outside} [outside]
   */
  constructor(url, session, tell, outside = BROWSER) {
    this.#url = url;
    this.#session = session;
    this.#tell = tell;
    this.#outside = outside;
    /** Connections that were good again after a loss. */
    this.reconnections = 0;
    session.onOutgoing = () => this.#flushSoon();
  }

  /** "online", "stale", "connecting", "reconnecting in 3 s", or "offline: " and why. */
  get status() {
    if (this.#standing === "reconnecting") {
      return `reconnecting in ${Math.max(1, Math.ceil((this.#tryAt - this.#outside.now()) / 1000))} s`;
    }
    if (this.#standing === "offline") return `offline: ${this.#offline}`;
    if (this.#standing === "online" && this.#session.stale) return "stale";
    return this.#standing;
  }

  /** Whether so much waits in the socket that an input would come too late. */
  get congested() {
    return (this.#socket?.bufferedAmount ?? 0) > UNSENT_BYTES;
  }

  /**
   * Connect, and go on trying until it works or the server says to stay away.
   * @returns {Promise<void>} Resolved once the server has welcomed us. Rejected with ConnectionFailed.
   */
  connect() {
    if (this.#connecting !== null) return this.#connecting.promise;
    let resolve = () => {};
    /** @type {(error: Error) => void} */
    let reject = () => {};
    /** @type {Promise<void>} */
    const promise = new Promise((yes, no) => { [resolve, reject] = [yes, no]; });
    this.#connecting = { promise, resolve, reject };
    this.#open();
    this.#pollLater();
    return promise;
  }

  /**
   * Leave for good.
   * @param {string} [text]
   */
  disconnect(text = "disconnected") {
    if (this.#standing === "offline" || this.#standing === "new") return;
    this.#session.goodbye(text);
    this.#flush();
    this.#end(CloseCode.NORMAL, text);
  }

  /** Leave so that the session waits for us, as after a loss; the code says that we are coming back. */
  suspend() {
    this.#flush();
    this.#outside.clearTimeout(this.#retry);
    this.#outside.clearTimeout(this.#poll);
    this.#dropSocket(CloseCode.RESTARTING);
    this.#standing = "offline";
    this.#offline = "the page was left";
  }

  /** Tries since the last connection that lasted: one that is lost at once, again and again, is no success. */
  get reconnectAttempts() {
    if (this.#outside.now() - this.#goodAt >= SETTLED_MS) this.#attempts = 0;
    return this.#attempts;
  }

  /** Try again later: within a time that doubles with each try, so that a crowd comes back spread out. */
  handleReconnection() {
    const most = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** this.reconnectAttempts);
    const wait = this.#outside.random() * most;
    this.#attempts++;
    this.#goodAt = Infinity;
    this.#standing = "reconnecting";
    this.#tryAt = this.#outside.now() + wait;
    this.#retry = this.#outside.setTimeout(() => this.#open(), wait);
    this.#tellStatus();
  }

  /** The page is shown again, or the network is back: a waiting try is made now, and a connection is asked whether it lives. */
  wake() {
    if (this.#standing === "reconnecting") this.#open();
    else if (this.#socket !== null) this.#pollNow();
  }

  #open() {
    this.#outside.clearTimeout(this.#retry);
    this.#standing = "connecting";
    this.#openedAt = this.#outside.now();
    this.#welcomed = false;
    let socket;
    try {
      socket = this.#outside.open(this.#url, "meteor.v1");
    } catch (error) {
      this.#end(CloseCode.ABNORMAL, `${this.#url} cannot be opened: ${error instanceof Error ? error.message : error}`);
      return;
    }
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => { if (this.#socket === socket) this.#opened(socket); };
    socket.onmessage = (event) => { if (this.#socket === socket) this.#message(event.data); };
    socket.onclose = (event) => { if (this.#socket === socket) this.#closed(event.code, event.reason); };
    this.#tellStatus();
  }

  /** @param {WebSocket} socket */
  #opened(socket) {
    if (socket.protocol !== "meteor.v1") {
      this.#end(CloseCode.WRONG_VERSION, "the server does not speak meteor.v1");
      return;
    }
    this.#session.opened(this.#outside.now());
    this.#flush();
  }

  /** @param {unknown} data */
  #message(data) {
    if (!(data instanceof ArrayBuffer)) {
      this.#end(CloseCode.BAD_PACKET, "the server sent text");
      return;
    }
    this.#tell("bytes", { in: data.byteLength });
    this.#session.receive(new Uint8Array(data), this.#outside.now());
    if (!this.#welcomed && this.#session.phase === "READY") this.#isGood();
    this.#afterTurn();
    this.#tellStatus();
  }

  #isGood() {
    this.#welcomed = true;
    if (this.#everGood) this.reconnections++;
    this.#everGood = true;
    this.#goodAt = this.#outside.now();
    this.#standing = "online";
    this.#connecting?.resolve();
    this.#tellStatus();
  }

  /** Send what waits, and end the connection if the session wants that. */
  #afterTurn() {
    this.#flush();
    const { phase, ending } = this.#session;
    if (phase === "LEAVING" && ending !== null) this.#closed(ending.code, ending.text);
  }

  #flushSoon() {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#afterTurn());
  }

  #flush() {
    this.#flushing = false;
    const socket = this.#socket;
    const packets = this.#session.drain();
    if (socket === null || socket.readyState !== 1) return;
    for (const packet of packets) {
      socket.send(packet);
      this.#tell("bytes", { out: packet.byteLength });
    }
  }

  /**
   * The connection is over, by the peer, the network, or the session.
   * @param {number} code
   * @param {string} text
   */
  #closed(code, text) {
    const said = this.#session.ending;
    const why = said ?? { code, text };
    this.#dropSocket(why.code);
    if (comeBack(why.code)) this.handleReconnection();
    else this.#end(why.code, why.text || `the connection was closed with ${why.code}`);
  }

  /** @param {number} code */
  #dropSocket(code) {
    const socket = this.#socket;
    this.#socket = null;
    this.#session.closed();
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // A page may close with 1000 and 3000-4999 only.
    if (socket.readyState < 2) socket.close(code >= 3000 && code <= 4999 ? code : CloseCode.NORMAL);
  }

  /**
   * No connection, and no further try.
   * @param {number} code
   * @param {string} text
   */
  #end(code, text) {
    this.#outside.clearTimeout(this.#retry);
    this.#outside.clearTimeout(this.#poll);
    this.#dropSocket(code);
    this.#standing = "offline";
    this.#offline = text;
    this.#connecting?.reject(new ConnectionFailed(text, code));
    this.#connecting?.promise.catch(() => {}); // whoever waits has been told; nobody else needs to hear of it
    this.#connecting = null;
    this.#tell("ended", new ConnectionFailed(text, code));
    this.#tellStatus();
  }

  #pollLater() {
    this.#poll = this.#outside.setTimeout(() => {
      this.#pollLater();
      this.#pollNow();
    }, POLL_MS);
  }

  #pollNow() {
    const now = this.#outside.now();
    this.#session.poll(now);
    if (this.#socket !== null && !this.#welcomed && now - this.#openedAt > OPEN_MS) this.#closed(CloseCode.ABNORMAL, "no answer");
    else this.#afterTurn();
    this.#tellStatus();
  }

  #tellStatus() {
    const status = this.status;
    if (status === this.#told) return;
    this.#told = status;
    this.#tell("status", status);
  }
}
