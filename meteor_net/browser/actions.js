// Our actions that the server has not answered yet (wire clause 9).
//
// Inputs are numbered and forgotten: they are never sent again. An action gets its number when it is sent, so that numbers go out in order.

import { Refused } from "./errors.js";
import { ACTIONS_OPEN, ACTIONS_WAITING } from "./limits.js";

/**
 * @typedef {object} Action
 * @property {number} kind the action's number in the schema
 * @property {(number|string)[]} values
 * @property {(value: unknown) => void} resolve
 * @property {(error: Error) => void} reject
 */
/**
 * Sent, as the `number`th; `again`: the server had taken it before we said it again, so its answer comes by itself.
 * @typedef {Action & {number: number, again: boolean}} Open
 */

export class WaitingActions {
  #next = 1;
  #acked = 0;
  #sent = 0;
  /** @type {Action[]} never sent, in order */
  #queued = [];
  /** @type {Map<number, Open>} sent, by sequence number, ascending */
  #open = new Map();

  get size() {
    return this.#queued.length + this.#open.size;
  }

  /** The sequence number of an input. */
  input() {
    return this.#next++;
  }

  /**
   * Queue an action; it is refused if too many wait.
   * @param {Action} action
   */
  add(action) {
    if (this.size >= ACTIONS_WAITING) action.reject(new Refused("too many actions wait for the server", "slow-down"));
    else this.#queued.push(action);
  }

  /**
   * Take those out of the queue that may be sent now: none before the 64th before it is answered.
   * @returns {[number, Action][]} in order, with their sequence numbers
   */
  next() {
    /** @type {[number, Action][]} */
    const fresh = [];
    while (this.#queued.length) {
      // however many later ones are answered, the server has to keep the answer of the oldest
      const oldest = this.#open.values().next().value;
      if (oldest !== undefined && this.#sent - oldest.number >= ACTIONS_OPEN) break;
      const action = { .../** @type {Action} */ (this.#queued.shift()), number: this.#sent++, again: false };
      const seq = this.#next++;
      this.#open.set(seq, action);
      fresh.push([seq, action]);
    }
    return fresh;
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
    for (const [seq, action] of this.#open) {
      if (seq > this.#acked) break;
      if (!action.again) this.take(seq)?.resolve(null);
    }
  }

  /**
   * Take out an action that is answered.
   * @param {number} seq
   */
  take(seq) {
    const action = this.#open.get(seq);
    this.#open.delete(seq);
    return action;
  }

  /**
   * The same player goes on: those that are open are to be said again, before anything new (9.6).
   * @param {number} lastSeq the highest number that was taken (6.2)
   * @returns {[number, Action][]} in order
   */
  resumed(lastSeq) {
    this.#next = Math.max(this.#next, lastSeq + 1);
    for (const [seq, action] of this.#open) action.again = seq <= lastSeq;
    return [...this.#open];
  }

  /**
   * Numbers begin anew, for we are another player there; nobody knows what became of those that were sent.
   * @param {number} lastSeq
   */
  restarted(lastSeq) {
    const lost = [...this.#open.values()];
    this.#open.clear();
    this.#acked = lastSeq;
    this.#next = lastSeq + 1;
    for (const action of lost) action.reject(new Refused("nobody knows whether it was done: the answer was lost with the session", "unknown"));
  }

  /** The game has other actions now: of those that were never sent the numbers mean something else. */
  changed() {
    const queued = this.#queued;
    this.#queued = [];
    for (const action of queued) action.reject(new Refused("the game was changed meanwhile", "changed"));
  }

  /**
   * Nothing will be answered any more.
   * @param {string} text
   */
  end(text) {
    const [lost, queued] = [[...this.#open.values()], this.#queued];
    this.#open.clear();
    this.#queued = [];
    for (const action of lost) action.reject(new Refused(text, "unknown"));
    for (const action of queued) action.reject(new Refused(text, "failed"));
  }
}
