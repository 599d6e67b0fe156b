// One room that we are in, or want to be in again: its replica, its chat, our actions (wire 6, 8, 9, 10).
//
// A room outlives its connection: `join` says what is held, and JOINED, HISTORY and a frame bring what is missing.

import { WaitingActions } from "./actions.js";
import { ChatSystem } from "./chat.js";
import { CloseCode, FrameError, LocalProtocolError, MessageError, Refused, RemoteProtocolError } from "./errors.js";
import { Schema } from "./schema.js";
import { BAD_KEYFRAMES, HELD_MS, READY_MS } from "./limits.js";
import { Replica } from "./replica.js";
import { StateSync, interpolate } from "./state.js";

/** @typedef {import("./messages.js").OwnRow} OwnRow */
/** @typedef {import("./messages.js").Joined} Joined */
/** @typedef {import("./messages.js").Frame} Frame */
/** @typedef {import("./messages.js").EventMessage} EventMessage */
/** @typedef {import("./state.js").WorldView} WorldView */
/** @typedef {{type: string, [item: string]: unknown}} Outgoing */

export class Room {
  #actions = new WaitingActions();
  #event = 0;
  #inSync = false;
  #lost = false;
  #ready = false;
  #readyAt = Infinity;
  #heldTick = -1;
  #heldAt = -Infinity;
  #badKeyframes = 0;
  /** @type {Uint8Array | null} */
  #schemaHash = null;
  /** @type {{version: unknown, world: WorldView} | null} */
  #view = null;
  #send;
  #tell;

  /**
   * @param {string} wish The room's name as it was asked for.
   * @param {number} role 0 plays, 1 watches.
   * @param {(message: Outgoing) => void} send
   * @param {(kind: string, value: unknown) => void} tell
   */
  constructor(wish, role, send, tell) {
    this.wish = wish;
    this.role = role;
    this.#send = send;
    this.#tell = tell;
    /** The room's full name. */
    this.name = wish;
    /** The room's and the stream's number on this connection; -1 while we are not in. */
    this.number = -1;
    this.stream = -1;
    /** @type {OwnRow[]} Our rows. */
    this.rows = [];
    this.frames = 0;
    this.lostFrames = 0;
    this.chat = new ChatSystem(send, tell);
    /** @type {Schema | null} */
    this.schema = null;
    /** @type {Replica | null} */
    this.replica = null;
    /** @type {StateSync | null} */
    this.sync = null;
  }

  /** Whether the room has a world: then the server is heard more often (5.2). */
  get hasWorld() {
    return this.schema !== null && this.schema.tables.length > 0;
  }

  /** The newest world. @returns {WorldView} */
  get world() {
    const version = this.replica?.version;
    if (version === undefined) return Object.create(null);
    if (this.#view?.version !== version) this.#view = { version, world: interpolate(version, version, 1) };
    return /** @type {{world: WorldView}} */ (this.#view).world;
  }

  /** Ask to be let in, naming the places held (6.1). */
  join() {
    /** @type {Map<string, unknown>} */
    const places = new Map();
    if (this.replica !== null) places.set("event", this.#event);
    if (this.replica !== null && this.#inSync) places.set("epoch", this.replica.epoch).set("tick", this.replica.version.tick);
    const channels = this.chat.places();
    if (channels.size) places.set("channels", channels);
    this.#send({ type: "JOIN", name: this.wish, role: this.role, places, schemaHash: this.#schemaHash });
  }

  /** The connection is gone. */
  away() {
    this.number = this.stream = -1;
    this.#readyAt = Infinity;
    this.chat.away();
  }

  /**
   * We are in (6.2).
   * @param {Joined} message
   * @param {boolean} resumed Whether the session is the one that we had.
   * @param {number} nowMs
   */
  joined(message, resumed, nowMs) {
    const schema = this.#takeSchema(message);
    if (this.replica === null || this.replica.epoch !== message.epoch) {
      this.replica = new Replica(schema, message.epoch, message.tick);
      this.#event = message.event;
      this.#inSync = false;
    }
    this.#event = Math.min(this.#event, message.event);
    this.replica.noteTick(message.tick);
    this.sync = new StateSync(message.tickUs / 1000, message.tick, message.time);
    this.sync.lastState = this.#inSync ? this.replica.version : null;
    this.number = message.room;
    this.stream = message.stream;
    this.name = message.name;
    this.rows = message.rows;
    this.#lost = this.#ready = false;
    this.#readyAt = nowMs + READY_MS;
    this.#heldTick = -1;
    this.#heldAt = -Infinity;
    this.chat.joined(message.channels);
    for (const [seq, action] of this.#actions.again(message.lastSeq, resumed)) this.#act(seq, action.kind, action.values, 0);
    this.#tell("joined", this.name);
  }

  /** @param {Joined} message */
  #takeSchema(message) {
    if (message.schema !== null) {
      this.schema = Schema.parse(message.schema);
      this.#schemaHash = message.schemaHash.slice();
      this.replica = null;
    }
    if (this.schema === null) throw new MessageError("JOINED brings no schema");
    return this.schema;
  }

  /**
   * A message that names the room by its number.
   * @param {import("./session.js").RoomMessage} message
   */
  take(message) {
    switch (message.type) {
      case "EVENT": return this.#heard(message);
      case "CLOCK": return this.#clock(message.tick, message.time);
      case "GAP": return this.#gap(message.number);
      case "ACK": return this.#actions.acked(message.seq);
      case "RESULT": return this.#actions.take(message.seq)?.resolve(message.value);
      case "REFUSED": return this.#actions.take(message.seq)?.reject(new Refused(message.text, message.reason));
      case "OWN":
        this.rows = message.rows;
        return this.#tell("own", message.rows);
      default: return undefined;
    }
  }

  /** A packet is dealt with. */
  packetRead() {
    this.#actions.packetRead();
  }

  // --- state ---

  /**
   * Apply a frame; one that cannot be applied is answered by LOST (8.9).
   * @param {Frame} message
   * @param {number} nowMs
   */
  frame(message, nowMs) {
    const { replica, sync } = this;
    const keyframe = message.base < 8;
    if (replica === null || sync === null || (this.#lost && !keyframe)) return;
    try {
      sync.syncState(replica.apply(message.tick16, message.base, message.data, message.texts), nowMs);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#frameLost(keyframe, error);
      return;
    }
    this.frames++;
    this.#lost = false;
    this.#inSync = true;
    this.#badKeyframes = 0;
    this.#tell("state", this.replica?.version.tick);
    this.#beReady();
    this.#tellHeld(nowMs);
  }

  /**
   * @param {boolean} keyframe
   * @param {FrameError} error
   */
  #frameLost(keyframe, error) {
    this.lostFrames++;
    this.#inSync = false;
    if (keyframe && ++this.#badKeyframes >= BAD_KEYFRAMES) {
      throw new RemoteProtocolError(`keyframes that cannot be applied: ${error.message}`, CloseCode.BAD_PACKET);
    }
    this.#lost = true;
    this.#send({ type: "LOST", room: this.number });
  }

  /** @param {number} nowMs */
  #tellHeld(nowMs) {
    const tick = this.replica?.version.tick ?? 0;
    if (nowMs - this.#heldAt < HELD_MS || tick === this.#heldTick) return;
    this.#heldAt = nowMs;
    this.#heldTick = tick;
    this.#send({ type: "HELD", room: this.number, tick });
  }

  #beReady() {
    if (this.#ready) return;
    this.#ready = true;
    this.#tell("ready", this.name);
  }

  /** A ping that was sent after JOINED is answered: an untouched world sends no frame (6.3). */
  pong() {
    if (this.#inSync || this.replica?.tick === 0) this.#beReady();
  }

  /**
   * Do what is due: the last HELD after frames ended, and not to wait for a first frame for ever.
   * @param {number} nowMs
   */
  poll(nowMs) {
    if (this.number < 0) return;
    if (this.#inSync) this.#tellHeld(nowMs);
    if (nowMs >= this.#readyAt) this.#beReady();
  }

  /**
   * @param {number} tick
   * @param {number} time
   */
  #clock(tick, time) {
    this.replica?.noteTick(tick);
    this.sync?.setClock(tick, time);
  }

  /**
   * An event: told once (8.11).
   * @param {EventMessage} message
   */
  #heard(message) {
    if (message.number <= this.#event) return;
    const kind = this.schema?.events[message.kind];
    if (kind === undefined) throw new MessageError(`the game has no event ${message.kind}`);
    const values = kind.fromWire(message.values);
    if (message.number > this.#event + 1) this.#tell("gap", { what: "events" });
    this.#event = message.number;
    this.#tell("event", { name: kind.name, values, tick: message.tick, number: message.number });
  }

  /**
   * Events were lost for us.
   * @param {number} number
   */
  #gap(number) {
    this.#event = number;
    this.#tell("gap", { what: "events" });
  }

  // --- actions ---

  /**
   * Do something: an input is sent now or never; an action waits for a connection, and for its answer.
   * @param {string} name
   * @param {Record<string, unknown>} fields
   * @param {number} nowMs
   * @param {boolean} congested Whether so much waits to be sent that an input would come too late.
   * @returns {Promise<unknown> | undefined} What the handler answered, null if nothing; undefined for an input.
   * @throws {MessageError} If the game has no such action, or its fields do not fit.
   */
  act(name, fields, nowMs, congested) {
    const kind = this.schema?.actionsByName.get(name);
    if (kind === undefined) throw new LocalProtocolError(`the game has no action ${name}`);
    const values = kind.toWire(fields);
    const joined = this.number >= 0;
    const seen = Math.floor(8 * (this.sync?.tickAt(nowMs) ?? 0));
    if (kind.input) {
      if (joined && !congested) this.#act(this.#actions.input(), kind.number, values, seen);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const seq = this.#actions.action({ kind: kind.number, values, sent: joined, resolve, reject });
      if (joined && seq) this.#act(seq, kind.number, values, seen);
    });
  }

  /**
   * @param {number} seq
   * @param {number} kind
   * @param {(number|string)[]} values
   * @param {number} seen
   */
  #act(seq, kind, values, seen) {
    this.#send({ type: "ACTION", room: this.number, seq, seen, kind, values });
  }

  /**
   * The room is over for us: all that waits is refused.
   * @param {string} text
   */
  end(text) {
    this.away();
    this.#actions.end(text);
    this.chat.end(text);
  }
}
