// The client as a page sees it: one room, its world, its chat.

import { ConnectionManager } from "./connection.js";
import { MeteorError } from "./errors.js";
import { NetworkMonitor } from "./monitor.js";
import { BROWSER } from "./outside.js";
import { ClientSession } from "./session.js";
import { simulated } from "./simulate.js";

/** @typedef {import("./outside.js").Outside} Outside */
/** @typedef {import("./outside.js").Transport} Transport */
/** @typedef {import("./own.js").Step} Step */
/** @typedef {import("./prediction.js").Smoothing} Smoothing */
/** @typedef {import("./state.js").RowObject} RowObject */
/** @typedef {import("./state.js").WorldView} WorldView */
/**
 * @typedef {object} NetworkConfig
 * @property {string} url of the WebSocket, "ws://…/ws" or "wss://…/ws"
 * @property {string[]} [urls] other addresses of the same server, or of servers that share their storage: when one fails, the next is tried
 * @property {Transport[]} [transports] ways to the server: "websocket", and "http" for where that is blocked; both by default
 * @property {string} [room] "" is the server's first game
 * @property {string | null} [name] the wished name
 * @property {string | null} [token] the operator's token; null for a guest
 * @property {string | null} [resume] what `suspend` answered, to be who we were
 * @property {"play" | "watch"} [role]
 * @property {import("./simulate.js").Faults | import("./simulate.js").Simulation} [simulate] a bad network, to feel how a game is on one
 * @property {Outside} [outside] clock, timers, sockets: for tests
 */
/** @typedef {"line" | "event" | "status" | "gap" | "left" | "state" | "own" | "joined" | "welcome" | "refused" | "message"
 *   | "change" | "queued" | "said" | "unsaid" | "slow" | "error"} ListenerKind */
/** @typedef {(world: WorldView, me: RowObject | null, tick: number) => void} FrameListener */

/** A player in one room. Nothing is opened before `connect`. */
export class NetworkClient {
  /** @type {Map<string, Set<(value: any) => void>>} */
  #listeners = new Map();
  /** @type {Set<FrameListener>} */
  #frameListeners = new Set();
  #drawing = false;
  /** @type {{promise: Promise<NetworkClient>, resolve: (client: NetworkClient) => void, reject: (error: Error) => void} | null} */
  #joining = null;
  /** @type {ClientSession} */
  #session;
  /** @type {ConnectionManager} */
  #connection;
  /** @type {NetworkMonitor} */
  #monitor;
  /** @type {import("./room.js").Room} */
  #room;
  #outside;

  /** @param {NetworkConfig} config */
  constructor(config) {
    this.config = config;
    const outside = config.outside ?? BROWSER;
    this.#outside = config.simulate === undefined ? outside : simulated(outside, config.simulate);
    this.#monitor = this.startMonitoring();
    [this.#session, this.#connection] = this.initializeConnection();
    this.#room = this.setupHandlers();
  }

  /**
   * Make the session and the connection under it; nothing is opened.
   * @returns {[ClientSession, ConnectionManager]}
   */
  initializeConnection() {
    const { url, urls = [], transports = ["websocket", "http"], name = null, token = null, resume = null } = this.config;
    /** @type {(kind: string, value: unknown) => void} */
    const tell = (kind, value) => this.#told(kind, value);
    const session = new ClientSession({ name, token, resume, tell });
    return [session, new ConnectionManager({ urls: [url, ...urls], transports }, session, tell, this.#outside)];
  }

  /** Say which room we want; what happens there comes to our listeners. */
  setupHandlers() {
    return this.#session.join(this.config.room ?? "", this.config.role === "watch" ? 1 : 0);
  }

  /** Make what counts. */
  startMonitoring() {
    return new NetworkMonitor();
  }

  // --- connect and leave ---

  /**
   * Connect and join.
   * @returns {Promise<NetworkClient>} Resolved once we are in and the first picture is there. Rejected with ConnectionFailed or Refused.
   */
  connect() {
    if (this.#joining === null) {
      /** @type {(client: NetworkClient) => void} */
      let resolve = () => {};
      /** @type {(error: Error) => void} */
      let reject = () => {};
      /** @type {Promise<NetworkClient>} */
      const promise = new Promise((yes, no) => { [resolve, reject] = [yes, no]; });
      this.#joining = { promise, resolve, reject };
      this.#connection.connect().catch(() => {}); // its end is told as "ended" too
    }
    return this.#joining.promise;
  }

  /**
   * Leave for good.
   * @param {string} [text]
   */
  disconnect(text) {
    this.#connection.disconnect(text);
  }

  /** Leave this page, but not the room: for a while another one can be who we were, with this answer as `resume` in its config. */
  suspend() {
    this.#connection.suspend();
    return this.#session.resume;
  }

  /** The page is shown again, or the network is back. */
  wake() {
    this.#room.world.sync?.toPresent();
    this.#connection.wake();
  }

  // --- what is ---

  /** The newest world: tables by name, each iterable, with `get(slot)` and `size`. @returns {WorldView} */
  get world() { return this.#room.world.view; }

  /**
   * The world to draw now, a little in the past, so that all moves smoothly: for a page that draws at times of its own; others use `onFrame`.
   * @returns {WorldView}
   */
  show() { return this.#room.show(this.#outside.now()); }

  /** Our rows as `{table, slot}`. */
  get rows() {
    const { rows, schema } = this.#room.world;
    return rows.map(([table, slot]) => ({ table: schema?.tables[table]?.name ?? "", slot }));
  }

  /** Our first row in the newest world, or null. @returns {RowObject | null} */
  get me() { return this.#mine(this.world); }

  /** @param {WorldView} world */
  #mine(world) {
    const [first] = this.rows;
    return (first && world[first.table]?.get(first.slot)) ?? null;
  }

  /** The room's conversation. */
  get chat() { return this.#room.chat; }

  /** What is shown when: its `updateRate` may be set, and `delayMs` tells how late the world is shown; null before we are in. */
  get stateSync() { return this.#room.world.sync; }

  /** The room's schema; null before we are in. */
  get schema() { return this.#room.world.schema; }

  /** The room's full name. */
  get room() { return this.#room.name; }

  /** Our name, as others see it. */
  get name() { return this.#session.name ?? ""; }

  /** Our user's id. */
  get user() { return this.#session.user; }

  /** "online", "stale", "connecting", "reconnecting in 3 s", or "offline: " and why. */
  get status() { return this.#connection.status; }

  /** The server's time in milliseconds since 1970, as well as we know it. */
  get serverTime() { return this.#outside.now() + (this.#session.clock.offsetMs ?? 0); }

  /** What a readout shows. */
  get stats() {
    const { frames, lostFrames, replica, sync } = this.#room.world;
    const now = this.#outside.now();
    return {
      roundTripMs: this.#session.clock.roundTripMs,
      bytesPerSecond: this.#monitor.bytesPerSecond(now),
      bytesIn: this.#monitor.metrics.get("bytes_in") ?? 0,
      bytesOut: this.#monitor.metrics.get("bytes_out") ?? 0,
      reconnections: this.#connection.reconnections,
      reconnectAttempts: this.#connection.reconnectAttempts,
      transport: this.#connection.transport,
      frames,
      lostFrames,
      tick: replica?.version.tick ?? 0,
      shownTick: sync?.shown ?? 0,
      epoch: replica?.epoch ?? 0,
      /** The checksum of the newest version (wire 8.7), computed when asked for. */
      get crc() { return replica?.crc() ?? 0; },
    };
  }

  /** A report of the numbers. */
  report() { return this.#monitor.generateReport(); }

  // --- what the player does ---

  /**
   * Do something the game knows: an input goes now or never; an action is applied once and answered.
   * @param {string} name
   * @param {Record<string, unknown>} [fields]
   * @returns {Promise<unknown> | undefined} undefined for an input; for an action what the game answered. Rejected with Refused.
   * @throws {MeteorError} If the game has no such action, or its fields do not fit.
   */
  act(name, fields = {}) {
    return this.#room.act(name, fields, this.#outside.now(), this.#connection.congested);
  }

  /**
   * Predict our own rows, for an input with a `step` in the game's `steps`: from now on say by `act`, for each picture, how the controls
   * stand; what `show` and `onFrame` give has our rows where they will be when the server has heard it (docs/explanation/prediction.md).
   * @param {string} name the input
   * @param {Step} step does to the integers of our rows what the game's does
   * @param {Smoothing} [smoothing] how corrections are shown
   * @throws {MeteorError} If the game has no such input.
   */
  predict(name, step, smoothing = {}) {
    this.#room.predict(name, step, smoothing);
  }

  /**
   * Say a line.
   * @param {string} text
   * @returns {Promise<number>} The line's offset once it is kept. Rejected with Refused.
   */
  say(text) { return this.chat.sendMessage(text); }

  // --- listening ---

  /**
   * Hear of something: "line", "event", "status", "gap", "left", "state" (a frame was applied), "joined", "welcome", "refused", "message";
   * "error" (a `Verdict`: what went wrong, and what is done about it); of the chat also "change" (a line is another now), "queued", "said"
   * and "unsaid" (a line of ours), "slow" (milliseconds to wait).
   * @param {ListenerKind} kind
   * @param {(value: any) => void} listener
   * @returns {() => void} Ends the listening.
   */
  on(kind, listener) {
    const set = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, set.add(listener));
    return () => set.delete(listener);
  }

  /**
   * Draw: called on every animation frame with the world as it is to be shown now, our own row in it, and its tick.
   * @param {FrameListener} listener
   * @returns {() => void} Ends it.
   */
  onFrame(listener) {
    this.#frameListeners.add(listener);
    if (!this.#drawing && typeof requestAnimationFrame === "function") {
      this.#drawing = true;
      requestAnimationFrame(() => this.#draw());
    }
    return () => this.#frameListeners.delete(listener);
  }

  #draw() {
    this.#drawing = this.#frameListeners.size > 0;
    if (!this.#drawing) return;
    requestAnimationFrame(() => this.#draw()); // before the listeners: one that throws does not end the film
    const world = this.show();
    const me = this.#mine(world);
    for (const listener of this.#frameListeners) listener(world, me, this.stateSync?.shown ?? 0);
  }

  // --- what happened ---

  /**
   * @param {string} kind
   * @param {any} value
   */
  #told(kind, value) {
    switch (kind) {
      case "bytes": return this.#monitor.measureBandwidth(value.in ?? 0, value.out ?? 0, this.#outside.now());
      case "round trip": return this.#monitor.trackLatency(value);
      case "ready":
        this.#joining?.resolve(this);
        return undefined;
      case "join refused": case "ended": return this.#over(value);
      case "left":
        this.#emit("left", value);
        return this.#over(new MeteorError(value.text || value.reason));
      case "trouble":
        this.#connection.errors.handleMessageError(value);
        return undefined;
      case "error":
        this.#monitor.countError(value.answer);
        return this.#emit("error", value);
      case "message":
        if (this.#listeners.get("message")?.size) this.#emit("message", value());
        return undefined;
      default:
        this.#monitor.count(kind.replaceAll(" ", "_"));
        return this.#emit(kind, value);
    }
  }

  /**
   * We are not in the room, and will not be.
   * @param {Error} error
   */
  #over(error) {
    this.#joining?.reject(error);
    this.#joining?.promise.catch(() => {});
    this.#room.end(error.message);
    // Not from within the session's own call: it is in the middle of a packet.
    queueMicrotask(() => this.#connection.disconnect(error.message));
  }

  /**
   * @param {string} kind
   * @param {unknown} value
   */
  #emit(kind, value) {
    for (const listener of this.#listeners.get(kind) ?? []) {
      try {
        listener(value);
      } catch (error) {
        // A page's mistake is the page's: it goes to the console, and the session goes on.
        queueMicrotask(() => { throw error; });
      }
    }
  }
}
