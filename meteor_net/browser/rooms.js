// The rooms of a session: which are wanted, which we are in, and whom a message is for.

import { RemoteProtocolError } from "./errors.js";
import { JOIN_AGAIN_MS, JOIN_MS } from "./limits.js";

/** @typedef {import("./messages.js").ServerMessage} ServerMessage */
/** @typedef {import("./room.js").Room} Room */
/** @typedef {import("./room.js").RoomMessage} RoomMessage */
/** @typedef {Extract<ServerMessage, {channel: number}>} ChatLineMessage */

export class Rooms {
  /** @type {Room[]} */
  #wanted = [];
  /** @type {{room: Room, at: number}[]} JOINs that are not answered, in order */
  #joining = [];
  /** @type {Map<Room, {tries: number, at: number}>} rooms that had no time for us: how often, and when they are asked again */
  #again = new Map();
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

  /**
   * @param {Room} room
   * @param {number} nowMs
   */
  join(room, nowMs) {
    this.#joining.push({ room, at: nowMs });
    room.join();
  }

  /** The connection is gone; all wait for the next one. */
  away() {
    this.#joining = [];
    this.#again.clear();
    this.#byNumber.clear();
    this.#byStream.clear();
    for (const room of this.#wanted) room.away();
  }

  /**
   * Look what is due.
   * @param {number} nowMs
   */
  poll(nowMs) {
    for (const room of this.#wanted) room.poll(nowMs);
    for (const [room, again] of this.#again) {
      if (nowMs < again.at) continue;
      again.at = Infinity;
      this.join(room, nowMs);
    }
  }

  /**
   * Whether a JOIN is not answered for too long.
   * @param {number} nowMs
   */
  isLate(nowMs) {
    return this.#joining.length > 0 && nowMs - this.#joining[0].at > JOIN_MS;
  }

  /**
   * The first JOIN that is not answered yet is answered.
   * @param {import("./messages.js").Joined} message
   * @param {boolean} resumed
   * @param {number} nowMs
   * @returns {Room}
   */
  joined(message, resumed, nowMs) {
    const room = this.#joining.shift()?.room;
    if (room === undefined) throw new RemoteProtocolError("JOINED without a JOIN");
    this.#again.delete(room);
    room.joined(message, resumed, nowMs);
    this.#byNumber.set(message.room, room);
    this.#byStream.set(message.stream, room);
    return room;
  }

  /**
   * The first JOIN that is not answered yet is refused; one that came too fast is said again.
   * @param {import("./errors.js").Refused} refused
   * @param {number} nowMs
   * @returns {boolean} whether a room is lost
   */
  refused(refused, nowMs) {
    const room = this.#joining.shift()?.room;
    if (room === undefined) return false;
    const tries = this.#again.get(room)?.tries ?? 0;
    if (refused.reason === "slow-down" && tries < JOIN_AGAIN_MS.length) {
      this.#again.set(room, { tries: tries + 1, at: nowMs + JOIN_AGAIN_MS[tries] });
      return false;
    }
    this.#forget(room, refused.text);
    return true;
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
    this.#again.delete(room);
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
