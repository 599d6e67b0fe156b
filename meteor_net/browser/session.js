// One user's presence, across connections: packets and the time in; packets and what happened out (wire 4 - 6).
//
// It knows no socket and no timer. The connection calls `opened`, `receive`, `poll` and `closed`, and sends what `drain` gives.
// All that must not wait is done in `receive`: browsers hold timers of hidden tabs back, but not messages.

import { CloseCode, MessageError, Refused, RemoteProtocolError } from "./errors.js";
import { ServerClock } from "./clock.js";
import { Heartbeat } from "./heartbeat.js";
import { PACKET_IN_BYTES, PACKET_MESSAGES } from "./limits.js";
import { decodeFromServer, encodeMessage, networkMessage, pack } from "./messages.js";
import { Room } from "./room.js";
import { Rooms } from "./rooms.js";

/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./room-world.js").Outgoing} Outgoing */
/** @typedef {"GONE" | "HELLO" | "READY" | "LEAVING"} Phase */
/** @typedef {{code: number, text: string}} Ending */

const CLIENT = "meteor-net.js 0.1";
const JOIN = 50;
const EARLIER = 5;
/** What we can read beyond the least (wire 8.3). */
const FEATURES = Object.freeze(["eg"]);

/** Phase -> message that may come in it -> the next phase; READY takes all others too (4.1). @type {Record<Phase, Record<string, Phase>>} */
const NEXT = {
  GONE: {},
  HELLO: { WELCOME: "READY", GOODBYE: "LEAVING" },
  READY: { GOODBYE: "LEAVING" },
  LEAVING: {},
};

export class ClientSession {
  #rooms = new Rooms();
  /** @type {Map<number, Room>} pings sent after JOINED */
  #readyPings = new Map();
  /** @type {Uint8Array[]} */
  #out = [];
  /** @type {string | null} */
  #resume;
  #session = "";
  #heartbeat = new Heartbeat();
  #stale = false;
  #now = 0;
  #tell;

  /**
   * @param {{name: string | null, token: string | null, resume?: string | null, tell: (kind: string, value: unknown) => void}} config
   *   `resume`: the `resume` of the session that is to be taken up again; `tell` hears what happened, from within `receive` and `poll`.
   */
  constructor({ name, token, resume = null, tell }) {
    this.#resume = resume;
    /** The wished name; after WELCOME the name that others see. */
    this.name = name;
    this.token = token;
    this.user = "";
    /** @type {Map<string, number>} */
    this.limits = new Map();
    /** @type {Phase} */
    this.phase = "GONE";
    this.clock = new ServerClock();
    /** @type {Ending | null} What the connection is to be closed with. */
    this.ending = null;
    /** Whether the server took us as who we were. */
    this.resumed = false;
    /** Called when something waits to be sent. */
    this.onOutgoing = () => {};
    this.#tell = tell;
  }

  get stale() {
    return this.#stale;
  }

  /** The secret with which the session is taken up again; null if there is none. */
  get resume() {
    return this.#resume;
  }

  // --- the connection's calls ---

  /**
   * There is a connection: say HELLO.
   * @param {number} nowMs
   */
  opened(nowMs) {
    this.phase = "HELLO";
    this.ending = null;
    this.#now = nowMs;
    this.#heartbeat.opened(nowMs);
    this.clock.opened(nowMs);
    const { name, token } = this;
    this.#send({ type: "HELLO", versions: [1], name, token, resume: this.#resume, client: CLIENT, features: FEATURES });
  }

  /** The connection is gone; rooms wait for the next one. */
  closed() {
    this.phase = "GONE";
    this.ending = null;
    this.#out = [];
    this.#readyPings.clear();
    this.#rooms.away();
    this.#setStale(false);
  }

  /**
   * A packet came.
   * @param {Uint8Array} packet
   * @param {number} nowMs
   */
  receive(packet, nowMs) {
    if (this.phase === "GONE" || this.phase === "LEAVING") return;
    this.#now = nowMs;
    this.#heartbeat.heard(nowMs);
    try {
      for (const message of decodeFromServer(packet)) this.#message(message);
    } catch (error) {
      if (error instanceof RemoteProtocolError) this.#fail(error.code, error.message);
      else if (error instanceof MessageError) {
        this.#tell("trouble", error);
        this.#fail(CloseCode.BAD_PACKET, error.message);
      } else throw error;
    }
    for (const room of this.#rooms) room.packetRead();
    this.#setStale(false);
    this.#pingIfDue();
  }

  /**
   * Look what is due; call it every half second.
   * @param {number} nowMs
   */
  poll(nowMs) {
    if (this.phase === "GONE" || this.phase === "LEAVING") return;
    this.#now = nowMs;
    const pulse = this.#heartbeat.look(nowMs, 1000 * this.#pingS());
    if (pulse === "dead") this.#fail(CloseCode.SILENT, "nothing was heard for 45 s");
    this.#setStale(pulse === "stale");
    this.#rooms.poll(nowMs);
    if (this.#rooms.isLate(nowMs)) this.#fail(CloseCode.SILENT, "the room does not answer");
    this.#pingIfDue();
  }

  /** The seconds after which the server is heard at the latest (5.2). */
  #pingS() {
    const world = [...this.#rooms].some((room) => room.number >= 0 && room.world.exists);
    return world ? this.limits.get("ping_world_s") ?? 2 : this.limits.get("ping_s") ?? 15;
  }

  /** Packets to be sent now. */
  drain() {
    const packets = pack(this.#out, this.limits.get("packet_in_bytes") ?? PACKET_IN_BYTES, PACKET_MESSAGES);
    this.#out = [];
    return packets;
  }

  /** @param {Outgoing} message */
  #send(message) {
    if (this.phase === "GONE") return;
    this.#out.push(encodeMessage(message));
    this.onOutgoing();
  }

  /**
   * End the connection by our own choice.
   * @param {number} code
   * @param {string} text
   */
  #fail(code, text) {
    this.#send({ type: "GOODBYE", code, text: text.slice(0, 300) });
    this.phase = "LEAVING";
    this.ending = { code, text };
  }

  /** @param {boolean} stale */
  #setStale(stale) {
    if (stale === this.#stale) return;
    this.#stale = stale;
    for (const room of this.#rooms) room.holdBack(stale);
    this.#tell("stale", stale);
  }

  #pingIfDue() {
    if (this.phase === "READY" && this.clock.due(this.#now)) this.#ping();
  }

  /** Ask the server whether it lives. */
  ask() {
    if (this.phase === "READY") this.#ping();
  }

  #ping() {
    const number = this.clock.ping(this.#now);
    this.#send({ type: "PING", number, time: Math.max(0, Math.floor(this.#now)) });
    return number;
  }

  // --- what the user wants ---

  /**
   * Be in a room, from now on and after every lost connection.
   * @param {string} name
   * @param {number} role 0 plays, 1 watches.
   */
  join(name, role) {
    const room = new Room(name, role, (message) => this.#send(message), this.#tell);
    this.#rooms.add(room);
    if (this.phase === "READY") this.#join(room);
    return room;
  }

  /** @param {Room} room */
  #join(room) {
    room.chat.user = this.user;
    room.chat.lineChars = this.limits.get("line_chars") ?? room.chat.lineChars;
    this.#rooms.join(room, this.#now);
  }

  /**
   * Leave for good: the session ends too.
   * @param {string} text
   */
  goodbye(text) {
    if (this.phase === "HELLO" || this.phase === "READY") this.#fail(CloseCode.NORMAL, text);
    this.#resume = null;
    this.#rooms.end(text);
  }

  // --- messages ---

  /** @param {ServerMessage} message */
  #message(message) {
    const next = NEXT[this.phase][message.type];
    if (next === undefined && (this.phase !== "READY" || message.type === "WELCOME")) {
      throw new RemoteProtocolError(`${message.type} may not come now`);
    }
    this.phase = next ?? this.phase;
    this.#tell("message", () => networkMessage(message, Math.round(this.#now + (this.clock.offsetMs ?? 0))));
    this.#dispatch(message);
  }

  /** @param {ServerMessage} message */
  #dispatch(message) {
    switch (message.type) {
      case "WELCOME": return this.#welcome(message);
      case "JOINED": return this.#joined(message);
      case "LEFT": return this.#left(message);
      case "FRAME": return this.#rooms.frame(message, this.#now);
      case "PING": return this.#send({ type: "PONG", number: message.number, time: Math.max(0, Math.floor(this.#now)) });
      case "PONG": return this.#pong(message.number, message.time);
      case "ERROR": return this.#error(message);
      case "GOODBYE":
        this.ending = { code: message.code, text: message.text };
        return undefined;
      case "LINE": case "HISTORY": case "SAID": case "UNSAID": case "PAGE": return this.#rooms.chat(message, this.#now);
      default: return this.#rooms.take(message);
    }
  }

  /** @param {import("./messages.js").Welcome} message */
  #welcome(message) {
    if (message.version !== 1) throw new RemoteProtocolError("a version that we did not offer", CloseCode.WRONG_VERSION);
    this.resumed = this.#session === message.session;
    this.#session = message.session;
    this.#resume = message.resume;
    this.user = message.user;
    this.name = message.name;
    this.limits = message.limits;
    this.clock.welcomed(message.time, this.#now);
    this.#tell("welcome", { user: message.user, name: message.name, resumed: this.resumed });
    for (const room of this.#rooms) this.#join(room);
    this.#ping();
  }

  /** @param {import("./messages.js").Joined} message */
  #joined(message) {
    const room = this.#rooms.joined(message, this.resumed, this.#now);
    this.#readyPings.set(this.#ping(), room);
  }

  /**
   * @param {number} number
   * @param {number} time
   */
  #pong(number, time) {
    const trip = this.clock.pong(number, time, this.#now);
    if (trip !== null) this.#tell("round trip", trip);
    this.#readyPings.get(number)?.world.pong();
    this.#readyPings.delete(number);
  }

  /** @param {import("./messages.js").ErrorMessage} message */
  #error(message) {
    const refused = new Refused(message.text, message.reason);
    if (message.about === EARLIER && this.#rooms.earlierRefused(refused)) return undefined;
    if (message.about !== JOIN) return this.#tell("refused", refused);
    const over = this.#rooms.refused(refused, this.#now);
    this.#tell("trouble", refused);
    return over ? this.#tell("join refused", refused) : undefined;
  }

  /** @param {import("./messages.js").Left} message */
  #left(message) {
    if (this.#rooms.left(message)) this.#tell("left", { reason: message.reason, text: message.text });
  }
}
