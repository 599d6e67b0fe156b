// What can go wrong between a page and its server, and what is done about it: one table, and nothing else decides (recovery.py).

import { CloseCode, ConnectionFailed, FrameError, MessageError, Refused } from "./errors.js";

/** @typedef {import("./errors.js").MeteorError} MeteorError */
/** Whose fault an error is. @typedef {"ours" | "theirs" | "network"} Fault */
/**
 * What is done about it: `resend` the same under the same id; `resync`: ask for a keyframe; `resume` the session on another connection;
 * `rejoin` the room in another session; `fallback`: another connection, by another transport; `give-up`.
 * @typedef {"resend" | "resync" | "resume" | "rejoin" | "fallback" | "give-up"} Answer
 */
/**
 * How long to wait for another connection: up to `baseMs`, which doubles with each round of tries, to `capMs`; the first time up to `firstMs`.
 * @typedef {{baseMs?: number, capMs?: number, firstMs?: number}} Pause
 */
/** A row of the table; `hopeless`: another try by a person does not help either. @typedef {Pause & {fault: Fault, answer: Answer, hopeless?: boolean}} Row */
/**
 * What an error means; `game.on("error")` hears it.
 * @typedef {object} Verdict
 * @property {Error} error its message is for people
 * @property {Fault} fault
 * @property {Answer} answer
 * @property {boolean} final whether nothing more is tried
 * @property {boolean} hopeless whether nothing more need be tried by a person either
 */

const BASE_MS = 500;
const CAP_MS = 8_000;
/** A whole crowd comes back from a restart. */
const CROWD_MS = 2_000;

/** Close code -> what it means. @type {Map<number, Row>} */
const CODES = new Map([
  [CloseCode.NORMAL, { fault: "theirs", answer: "give-up" }],
  [CloseCode.GOING_AWAY, { fault: "theirs", answer: "resume" }],
  [1005, { fault: "network", answer: "resume" }], // no code
  [CloseCode.ABNORMAL, { fault: "network", answer: "resume" }],
  [1011, { fault: "theirs", answer: "resume" }], // a mistake of the server's
  [1012, { fault: "theirs", answer: "resume", firstMs: CROWD_MS }], // the standard's own "service restart"
  [1013, { fault: "theirs", answer: "resume", baseMs: 5_000, capMs: 30_000 }], // "try again later"
  [1014, { fault: "network", answer: "resume" }], // "bad gateway"
  [CloseCode.RESTARTING, { fault: "theirs", answer: "resume", firstMs: CROWD_MS }],
  [CloseCode.TOO_SLOW, { fault: "network", answer: "resume", baseMs: 1_000 }],
  [CloseCode.SILENT, { fault: "network", answer: "resume" }],
  [CloseCode.HELLO_TIMEOUT, { fault: "network", answer: "resume", baseMs: 1_000 }],
  [CloseCode.BAD_PACKET, { fault: "theirs", answer: "give-up" }],
  [CloseCode.NOT_ALLOWED, { fault: "ours", answer: "give-up", hopeless: true }],
  [CloseCode.KICKED, { fault: "ours", answer: "give-up", hopeless: true }],
]);
/** Of the ranges, those that are not named above: from, to, what it means. @type {[number, number, Row][]} */
const RANGES = [
  [4000, 4499, { fault: "theirs", answer: "resume" }],
  [4500, 4999, { fault: "ours", answer: "give-up" }],
  [0, 65535, { fault: "theirs", answer: "give-up" }],
];
/** Reason of a Refused -> what it means. @type {Map<string, Row>} */
const REASONS = new Map([
  ["slow-down", { fault: "ours", answer: "resend" }],
  ["unknown", { fault: "theirs", answer: "resend" }],
]);
/** Any other error, by its class: the first that fits. @type {[Function, Row][]} */
const ERRORS = [
  [FrameError, { fault: "theirs", answer: "resync" }],
  [MessageError, { fault: "theirs", answer: "give-up" }],
  [Error, { fault: "ours", answer: "give-up" }],
];

/**
 * The row of a close code.
 * @param {number} code
 * @returns {Row}
 */
export function rowOfCode(code) {
  return CODES.get(code) ?? /** @type {[number, number, Row]} */ (RANGES.find(([from, to]) => from <= code && code <= to))[2];
}

/**
 * The most of the wait for another connection.
 * @param {number} code why the last one ended
 * @param {number} rounds of tries since the last good connection
 * @returns {number} milliseconds
 */
export function mostWait(code, rounds) {
  const { baseMs = BASE_MS, capMs = CAP_MS, firstMs } = rowOfCode(code);
  return rounds === 0 && firstMs !== undefined ? firstMs : Math.min(capMs, baseMs * 2 ** rounds);
}

/** Classifies every error of a client, reports it, and does what the table says. */
export class NetworkErrorHandler {
  #remedies;
  #hearer;

  /**
   * @param {Partial<Record<Answer, (error: Error) => void>>} remedies how each answer is carried out; one that is missing needs nothing
   *   from us: the session does it by itself
   * @param {(verdict: Verdict) => void} hearer is told of every error
   */
  constructor(remedies, hearer) {
    this.#remedies = remedies;
    this.#hearer = hearer;
    /** The newest verdict; null before the first. @type {Verdict | null} */
    this.last = null;
  }

  /**
   * A connection did not open or is over.
   * @param {ConnectionFailed} error its close code decides
   * @param {boolean} [fallBack] whether another transport is to be tried
   * @returns {Verdict} what it means; `attemptRecovery` does it
   */
  handleConnectionError(error, fallBack = false) {
    const row = rowOfCode(error.code);
    return this.#report(error, fallBack ? { fault: "network", answer: "fallback" } : row);
  }

  /**
   * One message could not be dealt with, here or there.
   * @param {MessageError | Refused} error MessageError for what the server said, Refused for what we said
   * @returns {Verdict} what it means; the session has answered already: a frame that does not fit by LOST, a line by saying it again
   */
  handleMessageError(error) {
    const row = error instanceof Refused ? REASONS.get(error.reason) : undefined;
    const [, other] = /** @type {[Function, Row]} */ (ERRORS.find(([kind]) => error instanceof kind));
    return this.#report(error, row ?? other);
  }

  /**
   * The server took us, but not as who we were: the room is joined anew.
   * @param {string} text
   */
  sessionLost(text) {
    return this.#report(new ConnectionFailed(text), { fault: "network", answer: "rejoin" });
  }

  /**
   * Do what the last error asks for.
   * @returns {boolean} whether it goes on; false after a final one
   */
  attemptRecovery() {
    if (this.last === null) return true;
    const { answer, error, final } = this.last;
    this.#remedies[answer]?.(error);
    return !final;
  }

  /**
   * @param {Error} error
   * @param {Row} row
   * @returns {Verdict}
   */
  #report(error, { fault, answer, hopeless = false }) {
    const verdict = Object.freeze({ error, fault, answer, hopeless, final: answer === "give-up" });
    this.last = verdict;
    this.#hearer(verdict);
    return verdict;
  }
}
