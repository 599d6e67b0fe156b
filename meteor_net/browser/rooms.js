// The rooms of a session: which are wanted, which we are in, and whom a message is for.

import { RemoteProtocolError } from "./errors.js";

/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./room.js").Room} Room */
/** @typedef {import("./room.js").RoomMessage} RoomMessage */
/** @typedef {Extract<ServerMessage, {channel: number}>} ChatLineMessage */

export class Rooms {
  /** @type {Room[]} */
  #wanted = [];
  /** @type {Room[]} JOINs that are not answered, in order */
  #joining = [];
  /** @type {Map<number, Room>} */
  #byNumber = new Map();
  /** @type {Map<number, Room>} */
  #byStream = new Map();

  /** @returns {IterableIterator<Room>} */
  [Symbol.iterator]() {
    return this.#wanted.values();
  }

  /** @param {Room} room */
  add(room) {
    this.#wanted.push(room);
  }

  /** @param {Room} room */
  join(room) {
    this.#joining.push(room);
    room.join();
  }

  /** The connection is gone; all wait for the next one. */
  away() {
    this.#joining = [];
    this.#byNumber.clear();
    this.#byStream.clear();
    for (const room of this.#wanted) room.away();
  }

  /**
   * The first JOIN that is not answered yet is answered.
   * @param {import("./messages.js").Joined} message
   * @param {boolean} resumed
   * @param {number} nowMs
   * @returns {Room}
   */
  joined(message, resumed, nowMs) {
    const room = this.#joining.shift();
    if (room === undefined) throw new RemoteProtocolError("JOINED without a JOIN");
    room.joined(message, resumed, nowMs);
    this.#byNumber.set(message.room, room);
    this.#byStream.set(message.stream, room);
    return room;
  }

  /**
   * The first JOIN that is not answered yet is refused.
   * @param {string} text
   */
  refused(text) {
    const room = this.#joining.shift();
    if (room !== undefined) this.#forget(room, text);
    return room;
  }

  /**
   * We are no longer in a room; the answer is whether we were.
   * @param {import("./messages.js").Left} message
   */
  left(message) {
    const room = this.#byNumber.get(message.room);
    if (room !== undefined) this.#forget(room, message.text || message.reason);
    return room !== undefined;
  }

  /** @param {string} text */
  end(text) {
    for (const room of this.#wanted) room.end(text);
    this.#wanted = [];
  }

  /**
   * @param {Room} room
   * @param {string} text
   */
  #forget(room, text) {
    this.#byNumber.delete(room.number);
    this.#byStream.delete(room.stream);
    this.#wanted = this.#wanted.filter((each) => each !== room);
    room.end(text);
  }

  // Messages for a room, a stream or a channel that we have left are ignored.

  /**
   * @param {import("./messages.js").Frame} message
   * @param {number} nowMs
   */
  frame(message, nowMs) {
    this.#byStream.get(message.stream)?.world.frame(message, nowMs);
  }

  /** @param {RoomMessage} message */
  take(message) {
    this.#byNumber.get(message.room)?.take(message);
  }

  /**
   * @param {ChatLineMessage} message
   * @param {number} nowMs
   */
  chat(message, nowMs) {
    for (const { chat } of this.#wanted) chat.take(message, nowMs);
  }

  /**
   * A request for earlier lines is refused; whether there was one.
   * @param {import("./errors.js").Refused} error
   */
  earlierRefused(error) {
    return this.#wanted.some(({ chat }) => chat.earlierRefused(error));
  }
}
