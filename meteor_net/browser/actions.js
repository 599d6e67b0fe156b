// Our actions that the server has not answered yet (wire clause 9).
//
// Inputs are numbered and forgotten: they are never sent again. While there is no connection no input is numbered, so an action that
// was never sent has a higher number than all that were.

import { Refused } from "./errors.js";
import { ACTIONS_WAITING } from "./limits.js";

/**
 * @typedef {object} Waiting
 * @property {number} kind the action's number in the schema
 * @property {(number|string)[]} values
 * @property {boolean} sent
 * @property {(value: unknown) => void} resolve
 * @property {(error: Error) => void} reject
 */

export class WaitingActions {
  #next = 1;
  #acked = 0;
  /** @type {Map<number, Waiting>} by sequence number, ascending */
  #waiting = new Map();

  get size() {
    return this.#waiting.size;
  }

  /** The sequence number of an input. */
  input() {
    return this.#next++;
  }

  /**
   * Number an action and keep it until it is answered.
   * @param {Waiting} action
   * @returns {number} its sequence number; 0 if too many wait: it is refused then
   */
  action(action) {
    if (this.#waiting.size >= ACTIONS_WAITING) {
      action.reject(new Refused("too many actions wait for the server", "slow-down"));
      return 0;
    }
    this.#waiting.set(this.#next, action);
    return this.#next++;
  }

  /**
   * All up to `seq` are taken (9.3).
   * @param {number} seq
   */
  acked(seq) {
    this.#acked = Math.max(this.#acked, seq);
  }

  /** A packet is dealt with: what is taken and had no answer of its own in it was answered by ACK alone (9.4). */
  packetRead() {
    for (const [seq, action] of this.#waiting) {
      if (seq > this.#acked) break;
      if (action.sent) this.take(seq)?.resolve(null);
    }
  }

  /**
   * Take out an action that is answered.
   * @param {number} seq
   */
  take(seq) {
    const action = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    return action;
  }

  /**
   * We are in again: what may have been taken and cannot be answered any more is refused as `unanswered`; the rest is to be sent now.
   * @param {number} lastSeq the highest number that was taken of this session (6.2)
   * @param {boolean} resumed whether the session is the one that we had
   * @returns {[number, Waiting][]} in order
   */
  again(lastSeq, resumed) {
    const before = [...this.#waiting];
    this.#waiting.clear();
    this.#acked = lastSeq;
    this.#next = resumed ? Math.max(this.#next, lastSeq + 1) : lastSeq + 1;
    for (const [seq, action] of before) {
      if (action.sent && (!resumed || seq <= lastSeq)) {
        action.reject(new Refused("the answer was lost with the connection", "unanswered"));
      } else this.#waiting.set(resumed ? seq : this.#next++, action);
    }
    for (const action of this.#waiting.values()) action.sent = true;
    return [...this.#waiting];
  }

  /**
   * Nothing will be answered any more.
   * @param {string} text
   */
  end(text) {
    for (const action of this.#waiting.values()) action.reject(new Refused(text, action.sent ? "unanswered" : "failed"));
    this.#waiting.clear();
  }
}
