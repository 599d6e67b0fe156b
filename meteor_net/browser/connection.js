// The connections under a session, one after the other: which one is tried when, and what is done when it ends (wire 4.5).

import { CloseCode, ConnectionFailed } from "./errors.js";
import { ANSWER_MS, BESIDE_MS, POLL_MS, SETTLED_MS, SIDE_TRY_MS } from "./limits.js";
import { BROWSER } from "./outside.js";
import { NetworkErrorHandler, mostWait } from "./recovery.js";
import { Routes } from "./routes.js";
import { SideTry } from "./side-try.js";
import { PacketSocket } from "./socket.js";
import { Stage } from "./stage.js";

/** @typedef {import("./outside.js").Outside} Outside */
/** @typedef {import("./outside.js").Transport} Transport */
/** @typedef {import("./recovery.js").Verdict} Verdict */
/** @typedef {import("./session.js").ClientSession} ClientSession */
/** Further doublings change nothing. */
const MOST_ROUNDS = 16;

/** Keeps a session connected. */
export class ConnectionManager {
  #stage;
  #offline = "";
  /** @type {PacketSocket | null} */
  #socket = null;
  /** The one that we move away from: the server ends it when it has us on the new one. @type {PacketSocket | null} */
  #before = null;
  #everGood = false;
  #goodAt = Infinity;
  #rounds = 0;
  #tryAt = 0;
  /** When the server was asked whether it lives; Infinity: it was not, or has answered. */
  #askedAt = Infinity;
  #told = "";
  #flushing = false;
  #poll = /** @type {any} */ (null);
  #retry = /** @type {any} */ (null);
  /** @type {{promise: Promise<void>, resolve: () => void, reject: (error: Error) => void} | null} */
  #connecting = null;
  #routes;
  #better;
  #beside;
  #isStale = false;
  #session;
  #outside;
  #tell;

  /**
   * @param {{urls: string[], transports: Transport[]}} where
   * @param {ClientSession} session
   * @param {(kind: string, value: unknown) => void} tell hears "status", "bytes", "error" and "ended"
   * @param {Outside} [outside]
   * @throws {TypeError} If there is no address, or no transport.
   */
  constructor({ urls, transports }, session, tell, outside = BROWSER) {
    this.#routes = new Routes(urls, transports);
    this.#better = new SideTry(outside, SIDE_TRY_MS, (socket) => this.#move(socket));
    this.#beside = new SideTry(outside, BESIDE_MS, (socket) => this.#move(socket));
    this.#session = session;
    this.#outside = outside;
    this.#tell = tell;
    this.#stage = new Stage(outside.now);
    /** Connections that were good again after a loss. */
    this.reconnections = 0;
    /** What is done about errors. */
    this.errors = new NetworkErrorHandler({
      resume: (error) => this.handleReconnection(/** @type {ConnectionFailed} */ (error).code),
      fallback: () => this.#open(),
      "give-up": (error) => { if (error instanceof ConnectionFailed) this.#end(error.code, error.message); },
    }, (verdict) => tell("error", verdict));
    session.onOutgoing = () => this.#flushSoon();
  }

  /** "online", "stale", "connecting", "reconnecting in 3 s", or "offline: " and why; "new" before the first. */
  get status() {
    switch (this.#stage.state) {
      case "waiting": return `reconnecting in ${Math.max(1, Math.ceil((this.#tryAt - this.#outside.now()) / 1000))} s`;
      case "online": return this.#session.stale ? "stale" : "online";
      case "offline": return this.#offline === "" ? "new" : `offline: ${this.#offline}`;
      default: return this.#before === null ? "connecting" : "online";
    }
  }

  /** What the packets go over. @returns {Transport | null} null while there is no connection */
  get transport() {
    return this.#socket?.route.transport ?? null;
  }

  /** Whether so much waits in the socket that an input would come too late. */
  get congested() {
    return this.#socket?.congested ?? false;
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
    this.#pollLater();
    this.#open();
    return promise;
  }

  /**
   * Leave for good.
   * @param {string} [text]
   */
  disconnect(text = "disconnected") {
    if (this.#stage.state === "offline") return;
    this.#session.goodbye(text);
    this.#flush();
    this.#end(CloseCode.NORMAL, text);
  }

  /** Leave so that the session waits for us, as after a loss; the code says that we are coming back. */
  suspend() {
    this.#flush();
    this.#stop(CloseCode.RESTARTING, "the page was left");
  }

  /** Rounds of tries since the last connection that lasted: one that is lost at once, again and again, is no success. */
  get reconnectAttempts() {
    if (this.#outside.now() - this.#goodAt >= SETTLED_MS) this.#rounds = 0;
    return this.#rounds;
  }

  /**
   * Try again: at the next address at once, once round; else within a time that grows with each round, so that a crowd comes back spread out.
   * @param {number} [code] why the last connection ended
   */
  handleReconnection(code = CloseCode.ABNORMAL) {
    if (this.#stage.state !== "online" && this.#routes.more) return this.#open();
    const wait = this.#outside.random() * mostWait(code, Math.min(this.reconnectAttempts, MOST_ROUNDS));
    this.#rounds++;
    this.#goodAt = Infinity;
    this.#stage.go("wait");
    this.#tryAt = this.#outside.now() + wait;
    this.#retry = this.#outside.setTimeout(() => this.#open(), wait);
    return this.#tellStatus();
  }

  /** The page is shown again, or the network is back: a waiting try is made now, and a connection is asked whether it lives. */
  wake() {
    if (this.#stage.state === "waiting") {
      this.#rounds = 0;
      this.#open();
    } else if (this.#stage.state === "online") {
      this.#askedAt = Math.min(this.#askedAt, this.#outside.now());
      this.#session.ask();
    }
    this.#pollNow();
  }

  #open() {
    this.#outside.clearTimeout(this.#retry);
    this.#stage.go("open");
    const route = this.#routes.next;
    try {
      this.#socket = new PacketSocket(this.#outside, route, this.#owner());
    } catch (error) {
      this.#end(CloseCode.ABNORMAL, `${route.url} cannot be opened: ${error instanceof Error ? error.message : error}`);
      return;
    }
    this.#tellStatus();
  }

  /** @returns {import("./socket.js").SocketOwner} */
  #owner() {
    return {
      opened: (socket) => this.#opened(socket),
      came: (data) => this.#came(data),
      lost: (_, code, text) => this.#lost(code, text),
    };
  }

  /** @param {PacketSocket} socket */
  #opened(socket) {
    if (!socket.speaks) return this.#fail(new ConnectionFailed("the server does not speak meteor.v1", CloseCode.WRONG_VERSION));
    this.#stage.go("opened");
    return this.#greet();
  }

  #greet() {
    this.#session.opened(this.#outside.now());
    this.#flush();
  }

  /** Another connection opened beside the one that we have: the session goes on there. @param {PacketSocket} socket */
  #move(socket) {
    this.#flush();
    this.#better.stop();
    this.#stage.go("moved");
    [this.#before, this.#socket] = [this.#socket, socket];
    this.#before?.mute();
    socket.owner = this.#owner();
    this.#session.closed();
    this.#lookIfStale();
    this.#greet();
  }

  /** @param {unknown} data */
  #came(data) {
    if (!(data instanceof ArrayBuffer)) {
      this.#fail(new ConnectionFailed("the server sent text", CloseCode.BAD_PACKET));
      return;
    }
    this.#tell("bytes", { in: data.byteLength });
    this.#askedAt = Infinity;
    this.#session.receive(new Uint8Array(data), this.#outside.now());
    if (this.#stage.state === "greeting" && this.#session.phase === "READY") this.#isGood();
    this.#afterTurn();
    this.#tellStatus();
  }

  #isGood() {
    const moved = this.#before !== null;
    this.#stage.go("welcomed");
    this.#before?.drop(CloseCode.NORMAL);
    this.#before = null;
    if (this.#everGood && !moved) this.reconnections++;
    if (this.#everGood && !this.#session.resumed) this.errors.sessionLost("the server took us, but not as who we were");
    this.#everGood = true;
    this.#goodAt = this.#outside.now();
    this.#connecting?.resolve();
    const route = /** @type {PacketSocket} */ (this.#socket).route;
    this.#routes.good(route);
    const better = this.#routes.better(route);
    if (better !== null) this.#better.start(better);
    else this.#better.reset();
    this.#tellStatus();
  }

  /** Send what waits, and end the connection if the session wants that. */
  #afterTurn() {
    this.#flush();
    const { phase, ending } = this.#session;
    if (phase === "LEAVING" && ending !== null) this.#lost(ending.code, ending.text);
  }

  #flushSoon() {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => this.#afterTurn());
  }

  #flush() {
    this.#flushing = false;
    const packets = this.#session.drain();
    if (!this.#socket?.isOpen) return;
    for (const packet of packets) {
      this.#socket.send(packet);
      this.#tell("bytes", { out: packet.byteLength });
    }
  }

  /**
   * The connection is over, by the peer, the network, or the session.
   * @param {number} code
   * @param {string} text
   */
  #lost(code, text) {
    const why = this.#session.ending ?? { code, text };
    this.#fail(new ConnectionFailed(why.text || `the connection was closed with ${why.code}`, why.code));
  }

  /** @param {ConnectionFailed} error */
  #fail(error) {
    const spoke = error.code !== CloseCode.ABNORMAL;
    if (this.#stage.state === "greeting" && !spoke && this.#socket?.route.transport === "websocket") this.#better.slow();
    const goodMs = this.#stage.state === "online" ? this.#outside.now() - this.#goodAt : -1;
    const fallBack = this.#socket !== null && this.#routes.lost(this.#socket.route, spoke, goodMs);
    this.#dropSocket(error.code);
    this.errors.handleConnectionError(error, fallBack);
    this.errors.attemptRecovery();
  }

  /** @param {number} code */
  #dropSocket(code) {
    const [socket, before] = [this.#socket, this.#before];
    this.#socket = this.#before = null;
    this.#askedAt = Infinity;
    this.#better.stop();
    this.#session.closed();
    this.#lookIfStale();
    socket?.drop(code);
    before?.drop(code);
  }

  /**
   * No connection, and no further try.
   * @param {number} code
   * @param {string} text
   */
  #end(code, text) {
    this.#stop(code, text);
    this.#connecting?.reject(new ConnectionFailed(text, code));
    this.#connecting?.promise.catch(() => {}); // whoever waits has been told; nobody else needs to hear of it
    this.#connecting = null;
    this.#tell("ended", new ConnectionFailed(text, code));
    this.#tellStatus();
  }

  /**
   * @param {number} code
   * @param {string} text
   */
  #stop(code, text) {
    this.#outside.clearTimeout(this.#retry);
    this.#outside.clearTimeout(this.#poll);
    this.#dropSocket(code);
    if (this.#stage.state !== "offline") this.#stage.go("end");
    this.#offline = text;
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
    const late = this.#stage.isLate || now - this.#askedAt > ANSWER_MS;
    if (late) this.#lost(CloseCode.ABNORMAL, "no answer");
    else this.#afterTurn();
    this.#tellStatus();
  }

  /** While nothing comes, try another connection beside this one: it may be dead, and nobody has told us. */
  #lookIfStale() {
    if (this.#session.stale === this.#isStale) return;
    this.#isStale = this.#session.stale;
    if (this.#isStale && this.#socket !== null) this.#beside.start(this.#socket.route);
    else this.#beside.reset();
  }

  #tellStatus() {
    this.#lookIfStale();
    const status = this.status;
    if (status === this.#told) return;
    this.#told = status;
    this.#tell("status", status);
  }
}
