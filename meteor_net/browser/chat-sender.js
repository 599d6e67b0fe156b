// When each line of ours goes out. What is said while we are in goes at once; what waited for a connection, or for life on it, and what is said
// behind it, goes out one after the other, each when the one before is answered: so it keeps its order, and a server that wants pauses gets them.

import { AGAIN_MS, SLOW_MS, SLOW_TRIES } from "./limits.js";

/** @typedef {import("./chat-queue.js").ChatQueue} ChatQueue */
/** @typedef {import("./chat-queue.js").QueuedLine} QueuedLine */
/** @typedef {{unknown: number, slow: number, at: number}} Again how often it was answered so, and when it is to be said again */

export class ChatSender {
  /** @type {Map<string, Again>} by cid */
  #again = new Map();
  /** @type {QueuedLine[]} what goes out after the line ahead */
  #later = [];
  #ahead = "";
  #heldBack = false;
  /** @type {Set<string>} ids of lines that were sent and not answered, so that a refusal of what is said again does not tell about the first */
  #mayBeKept = new Set();
  #queue;
  #put;

  /**
   * @param {ChatQueue} queue
   * @param {(line: QueuedLine) => boolean} put sends a line; false if it could not
   */
  constructor(queue, put) {
    this.#queue = queue;
    this.#put = put;
  }

  /** A line is said now. @param {QueuedLine} line */
  say(line) {
    if (this.#ahead === "" && this.#later.length === 0 && !this.#heldBack) this.#put(line);
    else this.#later.push(line);
  }

  /** A line has waited. @param {QueuedLine} line */
  follow(line) {
    this.#later.push(line);
    this.#goOn();
  }

  /** We are in, again: say what was not answered. */
  joined() {
    this.away();
    this.#later = [...this.#queue.lines];
    this.#goOn();
  }

  /** Nothing comes from the server: what would be said now waits, as if for a connection. @param {boolean} heldBack */
  holdBack(heldBack) {
    this.#heldBack = heldBack;
    this.#goOn();
  }

  /** There is no connection. */
  away() {
    this.#later = [];
    this.#ahead = "";
    for (const again of this.#again.values()) again.at = Infinity;
    for (const { cid, user } of this.#queue.lines) if (user !== "") this.#mayBeKept.add(cid);
  }

  /** A line is kept, or not. @param {string} cid */
  answered(cid) {
    this.#again.delete(cid);
    this.#mayBeKept.delete(cid);
    if (this.#ahead !== cid) return;
    this.#ahead = "";
    this.#goOn();
  }

  /**
   * A line was not kept this time: nobody knows, or it had waited and came too fast now. Whether it will be said again.
   * @param {import("./messages.js").Unsaid} message
   * @param {number} nowMs
   */
  triesAgain({ cid, reason, wait }, nowMs) {
    const again = this.#again.get(cid) ?? { unknown: 0, slow: 0, at: Infinity };
    if (reason === "unknown") this.#mayBeKept.add(cid);
    const unknown = reason === "unknown" || (reason === "failed" && this.#mayBeKept.has(cid));
    if (unknown && again.unknown < AGAIN_MS.length) again.at = nowMs + AGAIN_MS[again.unknown++];
    else if (reason === "slow-down" && cid === this.#ahead && again.slow++ < SLOW_TRIES) again.at = nowMs + Math.max(wait, SLOW_MS);
    else return false;
    if (this.#queue.lines.some((line) => line.cid === cid)) this.#again.set(cid, again);
    return true;
  }

  /**
   * Why a line that will not be said again was refused: of one that was sent before nobody knows.
   * @param {import("./messages.js").Unsaid} message
   */
  reasonOf({ cid, reason }) {
    return this.#mayBeKept.has(cid) ? "unknown" : reason;
  }

  /** Say again what is due. @param {number} nowMs */
  poll(nowMs) {
    if (this.#again.size === 0 || this.#heldBack) return;
    for (const line of [...this.#queue.lines]) {
      const again = this.#again.get(line.cid);
      if (again === undefined || again.at > nowMs) continue;
      again.at = Infinity;
      this.#put(line);
    }
  }

  #goOn() {
    while (this.#ahead === "" && !this.#heldBack) {
      const line = this.#later.shift();
      if (line === undefined) return;
      if (this.#queue.lines.includes(line) && this.#put(line)) this.#ahead = line.cid;
    }
  }
}
