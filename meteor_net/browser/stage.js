// How far we are with a connection: one table.

import { GREET_MS, OPEN_MS } from "./limits.js";

/** `greeting`: HELLO is said; `waiting`: for the next try. @typedef {"offline" | "connecting" | "greeting" | "online" | "waiting"} State */

/** State -> what happens -> the next state; what is not here cannot happen then. @type {Record<State, Record<string, State>>} */
const NEXT = {
  offline: { open: "connecting" },
  connecting: { opened: "greeting", open: "connecting", wait: "waiting", end: "offline" },
  greeting: { welcomed: "online", open: "connecting", wait: "waiting", end: "offline" },
  online: { moved: "greeting", open: "connecting", wait: "waiting", end: "offline" },
  waiting: { open: "connecting", end: "offline" },
};
/** How long a state may last; `waiting` ends by its own timer, and whether `online` lives the heartbeat tells. @type {Partial<Record<State, number>>} */
const MOST_MS = { connecting: OPEN_MS, greeting: GREET_MS };

export class Stage {
  #now;
  #since = 0;

  /** @param {() => number} now milliseconds */
  constructor(now) {
    this.#now = now;
    /** @type {State} */
    this.state = "offline";
  }

  /**
   * @param {"open" | "opened" | "welcomed" | "moved" | "wait" | "end"} event
   * @throws {Error} If it cannot happen now.
   */
  go(event) {
    const next = NEXT[this.state][event];
    if (next === undefined) throw new Error(`${event} while ${this.state}`);
    this.state = next;
    this.#since = this.#now();
  }

  /** Whether it lasts too long. */
  get isLate() {
    return this.#now() - this.#since > (MOST_MS[this.state] ?? Infinity);
  }
}
