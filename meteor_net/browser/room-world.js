// The world of a room as we hold it: schema, replica, what is shown, own rows, events (wire 6.2, 8).

import { CloseCode, FrameError, MessageError, RemoteProtocolError } from "./errors.js";
import { BAD_KEYFRAMES, HELD_MS, READY_MS } from "./limits.js";
import { Replica } from "./replica.js";
import { Schema } from "./schema.js";
import { StateSync, interpolate } from "./state.js";

/** @typedef {import("./messages.js").EventMessage} EventMessage */
/** @typedef {import("./messages.js").Frame} Frame */
/** @typedef {import("./messages.js").Joined} Joined */
/** @typedef {import("./messages.js").OwnRow} OwnRow */
/** @typedef {import("./replica.js").Version} Version */
/** @typedef {import("./state.js").WorldView} WorldView */
/** @typedef {{type: string, [item: string]: unknown}} Outgoing */

export class RoomWorld {
  #number = -1;
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
  /** @type {{version: Version, world: WorldView} | null} */
  #view = null;
  #send;
  #tell;

  /**
   * @param {(message: Outgoing) => void} send
   * @param {(kind: string, value: unknown) => void} tell
   */
  constructor(send, tell) {
    this.#send = send;
    this.#tell = tell;
    /** @type {OwnRow[]} Our rows. */
    this.rows = [];
    /** Frames that were applied, and that could not be. */
    this.frames = 0;
    this.lostFrames = 0;
    /** @type {Schema | null} */
    this.schema = null;
    /** @type {Replica | null} */
    this.replica = null;
    /** @type {StateSync | null} */
    this.sync = null;
  }

  /** Whether there is a world: then the server is heard more often (5.2). */
  get exists() {
    return this.schema !== null && this.schema.tables.length + this.schema.documents.length > 0;
  }

  /** The newest world. @returns {WorldView} */
  get view() {
    const version = this.replica?.version;
    if (version === undefined) return Object.create(null);
    if (this.#view?.version !== version) this.#view = { version, world: interpolate(version, version, 1) };
    return this.#view.world;
  }

  /** The hash of the schema that we have, or null. */
  get schemaHash() {
    return this.#schemaHash;
  }

  /** How far we hold the room (6.1). @returns {[string, unknown][]} */
  places() {
    if (this.replica === null) return [];
    /** @type {[string, unknown][]} */
    const places = [["event", this.#event], ["epoch", this.replica.epoch]];
    return this.#inSync ? [...places, ["tick", this.replica.version.tick]] : places;
  }

  /** The connection is gone. */
  away() {
    this.#number = -1;
    this.#readyAt = Infinity;
  }

  /**
   * We are in (6.2). A world of another epoch is another world.
   * @param {Joined} message
   * @param {number} nowMs
   */
  joined(message, nowMs) {
    const schema = this.#takeSchema(message);
    if (this.replica === null || this.sync === null || this.replica.epoch !== message.epoch) {
      this.replica = new Replica(schema, message.epoch, message.tick);
      this.sync = new StateSync(message.tickUs / 1000, message.tick, message.time, this.sync?.askedRate); // the page's choice outlives a world
      this.#event = message.event;
      this.#inSync = false;
    } else this.sync.toPresent();
    this.#clock(message.tick, message.time);
    this.#event = Math.min(this.#event, message.event);
    this.#number = message.room;
    this.rows = message.rows;
    this.#lost = this.#ready = false;
    this.#readyAt = nowMs + READY_MS;
    this.#heldTick = -1;
    this.#heldAt = -Infinity;
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
   * Apply a frame; one that cannot be applied is answered by LOST (8.9).
   * @param {Frame} message
   * @param {number} nowMs
   */
  frame(message, nowMs) {
    const { replica, sync } = this;
    const keyframe = message.base < 8;
    if (replica === null || sync === null || (this.#lost && !keyframe)) return;
    try {
      sync.syncState(replica.apply(message.tick16, message.base, message.data, message.texts, message.sight, message.docs), nowMs);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#frameLost(keyframe, error);
      return;
    }
    this.frames++;
    this.#lost = false;
    this.#inSync = true;
    this.#badKeyframes = 0;
    this.#tell("state", replica.version.tick);
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
    this.#send({ type: "LOST", room: this.#number });
    this.#tell("trouble", error);
  }

  /**
   * Tell the tick that we hold, every half second (8.10).
   * @param {number} nowMs
   */
  #tellHeld(nowMs) {
    const tick = this.replica?.version.tick ?? 0;
    if (nowMs - this.#heldAt < HELD_MS || tick === this.#heldTick) return;
    this.#heldAt = nowMs;
    this.#heldTick = tick;
    this.#send({ type: "HELD", room: this.#number, tick });
  }

  #beReady() {
    if (this.#ready) return;
    this.#ready = true;
    this.#tell("ready", null);
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
    if (this.#number < 0) return;
    if (this.#inSync) this.#tellHeld(nowMs);
    if (nowMs >= this.#readyAt) this.#beReady();
  }

  /**
   * A message about the world.
   * @param {EventMessage | import("./messages.js").Clock | import("./messages.js").Own | import("./messages.js").Gap} message
   */
  take(message) {
    switch (message.type) {
      case "EVENT": return this.#heard(message);
      case "CLOCK": return this.#clock(message.tick, message.time);
      case "OWN":
        this.rows = message.rows;
        return this.#tell("own", message.rows);
      case "GAP":
        this.#event = message.number;
        return this.#tell("gap", { what: "events" });
    }
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
    const { kind: place, number, tick } = message;
    if (number !== 0 && number <= this.#event) return;
    const kind = this.schema?.events[place];
    if (kind === undefined) throw new MessageError(`the game has no event ${place}`);
    const values = kind.fromWire(message.values);
    if (number > this.#event + 1) this.#tell("gap", { what: "events" });
    this.#event = Math.max(this.#event, number); // 0 is one for us alone, which is not kept
    this.#tell("event", { name: kind.name, values, tick, number });
  }
}
