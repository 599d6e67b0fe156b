// One room that we are in, or want to be in again: its world, its chat, our actions (wire 6, 9, 10).
//
// A room outlives its connection: `join` says what is held, and JOINED, HISTORY and a frame bring what is missing.

import { WaitingActions } from "./actions.js";
import { ChatSystem } from "./chat.js";
import { LocalProtocolError, Refused } from "./errors.js";
import { Prediction } from "./prediction.js";
import { RoomWorld } from "./room-world.js";

/** @typedef {import("./messages.js").Joined} Joined */
/** @typedef {import("./room-world.js").Outgoing} Outgoing */
/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./own.js").Step} Step */
/** @typedef {import("./prediction.js").Smoothing} Smoothing */
/** @typedef {import("./state.js").WorldView} WorldView */
/** @typedef {Extract<ServerMessage, {room: number}> & {type: Exclude<ServerMessage["type"], "JOINED" | "LEFT">}} RoomMessage */

export class Room {
  #actions = new WaitingActions();
  #key = -1;
  #heldBack = false;
  /** @type {Map<string, Step>} by the name of the input */
  #steps = new Map();
  /** @type {Smoothing} */
  #smoothing = {};
  /** @type {Prediction | null} */
  #prediction = null;
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
    this.chat = new ChatSystem(send, tell);
    this.world = new RoomWorld(send, tell);
  }

  /** Ask to be let in, naming the places held (6.1). */
  join() {
    /** @type {Map<string, unknown>} */
    const places = new Map(this.world.places());
    const channels = this.chat.places();
    if (channels.size) places.set("channels", channels);
    this.#send({ type: "JOIN", name: this.wish, role: this.role, places, schemaHash: this.world.schemaHash });
  }

  /** The connection is gone. */
  away() {
    this.number = this.stream = -1;
    this.world.away();
    this.chat.away();
  }

  /**
   * We are in (6.2): what was not answered is said again.
   * @param {Joined} message
   * @param {boolean} resumed Whether the session is the one that we had.
   * @param {number} nowMs
   */
  joined(message, resumed, nowMs) {
    // The server keeps answers for a player; the key tells whether it still has the one that we were.
    const samePlayer = resumed && message.key === this.#key && message.epoch === this.world.replica?.epoch;
    const hash = this.world.schemaHash;
    this.world.joined(message, nowMs);
    const changed = hash !== null && hash.join() !== this.world.schemaHash?.join();
    this.#key = message.key;
    this.number = message.room;
    this.stream = message.stream;
    this.name = message.name;
    this.#prediction = this.#predicting();
    this.chat.joined(message.channels);
    if (samePlayer) this.#actAll(this.#actions.resumed(message.lastSeq));
    else this.#actions.restarted(message.lastSeq);
    if (changed) this.#actions.changed();
    this.#actQueued();
    this.#tell("joined", this.name);
  }

  /**
   * A message that names the room by its number.
   * @param {RoomMessage} message
   */
  take(message) {
    switch (message.type) {
      case "ACK":
        this.#prediction?.acked(message.seq, message.tick);
        return this.#actions.acked(message.seq);
      case "RESULT": return this.#actions.take(message.seq)?.resolve(message.value);
      case "REFUSED": return this.#refused(message.seq, new Refused(message.text, message.reason));
      default: return this.world.take(message);
    }
  }

  /**
   * Look what is due.
   * @param {number} nowMs
   */
  poll(nowMs) {
    this.world.poll(nowMs);
    this.chat.poll(nowMs);
  }

  /** A packet is dealt with. */
  packetRead() {
    this.#actions.packetRead();
    this.#actQueued();
  }

  /**
   * Nothing comes from the server: what would be said now waits, for it would all come there in one blow; or goes on.
   * @param {boolean} heldBack
   */
  holdBack(heldBack) {
    this.#heldBack = heldBack;
    this.#actQueued();
    this.chat.holdBack(heldBack);
  }

  /**
   * Do something: an input is sent now or never; an action waits for a connection that lives, and for its answer.
   * @param {string} name
   * @param {Record<string, unknown>} fields
   * @param {number} nowMs
   * @param {boolean} congested Whether so much waits to be sent that an input would come too late.
   * @returns {Promise<unknown> | undefined} What the handler answered, null if nothing; undefined for an input.
   * @throws {LocalProtocolError} If the game has no such action.
   * @throws {MessageError} If its fields do not fit.
   */
  act(name, fields, nowMs, congested) {
    const kind = this.world.schema?.actionsByName.get(name);
    if (kind === undefined) throw new LocalProtocolError(`the game has no action ${name}`);
    const values = kind.toWire(fields);
    const seen = Math.floor(8 * (this.world.sync?.tickAt(nowMs) ?? 0));
    if (kind.input) {
      if (this.#speaks) this.#input(kind, values, seen, nowMs, congested);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#actions.add({ kind: kind.number, values, resolve, reject });
      this.#actQueued(seen);
    });
  }

  get #speaks() { return this.number >= 0 && !this.#heldBack; }

  /** @param {number} [seen] as below */
  #actQueued(seen) {
    if (this.#speaks) this.#actAll(this.#actions.next(), seen);
  }

  /**
   * @param {[number, import("./actions.js").Action][]} actions with their sequence numbers
   * @param {number} [seen] the tick on the player's screen, in eighths
   */
  #actAll(actions, seen = 0) {
    for (const [seq, { kind, values }] of actions) this.#act(seq, kind, values, seen);
  }

  /**
   * @param {import("./schema.js").Kind} kind
   * @param {(number|string)[]} values
   * @param {number} seen
   * @param {number} nowMs
   * @param {boolean} congested
   */
  #input(kind, values, seen, nowMs, congested) {
    const send = () => {
      if (congested) return 0;
      const seq = this.#actions.input();
      this.#act(seq, kind.number, values, seen);
      return seq;
    };
    const step = this.#steps.get(kind.name);
    if (step === undefined || this.#prediction === null) send();
    else this.#prediction.act(kind, values, step, nowMs, send);
  }

  /**
   * Predict our own rows: see `NetworkClient.predict`.
   * @param {string} name
   * @param {Step} step
   * @param {Smoothing} smoothing
   * @throws {LocalProtocolError} If the game has no such input.
   */
  predict(name, step, smoothing) {
    const { schema } = this.world;
    if (schema !== null && schema.actionsByName.get(name)?.input !== true) throw new LocalProtocolError(`the game has no input ${name}`);
    this.#steps.set(name, step);
    this.#smoothing = smoothing;
    this.#prediction = this.#predicting();
  }

  #predicting() {
    const { sync } = this.world;
    return sync && this.#steps.size ? new Prediction(this.world, sync.tickMs, this.#smoothing) : null;
  }

  /**
   * The world to show at a moment, our own rows as they are predicted.
   * @param {number} nowMs
   * @returns {WorldView}
   */
  show(nowMs) {
    const world = this.world.sync?.show(nowMs);
    if (!world) return this.world.view;
    this.#prediction?.draw(world, nowMs);
    return world;
  }

  /**
   * @param {number} seq
   * @param {number} kind
   * @param {(number|string)[]} values
   * @param {number} seen the tick on the player's screen, in eighths
   */
  #act(seq, kind, values, seen) {
    this.#send({ type: "ACTION", room: this.number, seq, seen, kind, values });
  }

  /**
   * @param {number} seq
   * @param {Refused} error
   */
  #refused(seq, error) {
    const action = this.#actions.take(seq);
    if (action) return action.reject(error);
    this.#prediction?.refused(seq); // an input that could not be taken at all (9.4)
    return this.#tell("refused", error);
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
