// Lines of ours that were said and not answered: in memory, and over a reload in the store.

import { encode } from "./codec.js";
import { Refused } from "./errors.js";
import { LINE_BYTES, LINE_DATA_BYTES, LINE_DATA_DEPTH, MAX_NAME_CHARS } from "./limits.js";
import { LineKind, OWN_KINDS } from "./messages.js";

/** @typedef {import("./chat-store.js").ChatStore} ChatStore */
/**
 * @typedef {object} QueuedLine
 * @property {string} cid our id for the line: under it the server keeps it once
 * @property {string} channel "" is the first
 * @property {number} kind a LineKind
 * @property {string} text
 * @property {number} about
 * @property {number} epoch of the channel in which `about` counts
 * @property {string} to
 * @property {unknown} data
 * @property {number} time when it was said, in milliseconds since 1970, of this computer's clock
 * @property {string} user as whom it was sent; "" if it was not sent yet
 */
/** @typedef {{resolve: (offset: number) => void, reject: (error: Error) => void}} Answer */

/**
 * Bytes of a value on the wire; more than any for one that cannot be sent.
 * @param {unknown} data
 */
function sizeOf(data) {
  try {
    return encode(data, LINE_DATA_DEPTH).length;
  } catch {
    return Infinity;
  }
}

/** @param {unknown} value @param {number} least @param {number} [most] */
const isBetween = (value, least, most = Number.MAX_SAFE_INTEGER) => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;

/**
 * Why a line cannot be said, as far as that can be told here; null if it can. A server ends a connection on which something wrong comes.
 * @param {{kind: number, text: string, channel: string, about: number, to: string, data: unknown}} line
 * @param {number} most characters
 * @returns {Refused | null}
 */
export function whatIsWrong({ kind, text, channel, about, to, data }, most) {
  if (typeof text !== "string" || (text.trim() === "" && kind !== LineKind.DELETE && kind < OWN_KINDS)) return new Refused("a line has some text", "bad-text");
  if ([...text].length > most) return new Refused(`a line has at most ${most} characters`, "bad-text");
  if (new TextEncoder().encode(text).length > LINE_BYTES) return new Refused(`a line has at most ${LINE_BYTES} bytes`, "bad-text");
  if (data !== null && sizeOf(data) > LINE_DATA_BYTES) {
    return new Refused(`the data of a line are values that CBOR can carry, at most ${LINE_DATA_BYTES} bytes and ${LINE_DATA_DEPTH} deep`, "bad-text");
  }
  if (!isBetween(kind, 0, 0xffff)) return new Refused(`there is no kind ${kind} of lines`, "bad-text");
  if (!isBetween(about, -1)) return new Refused(`${about} is no line's offset`, "bad-text");
  if (typeof channel !== "string") return new Refused(`${channel} is no channel's name`, "bad-text");
  if (typeof to !== "string" || [...to].length > MAX_NAME_CHARS) return new Refused(`${to} is no user's id`, "bad-text");
  return null;
}

/** Holds them until they are answered. */
export class ChatQueue {
  /** @type {Map<string, Answer>} cid -> who waits; nobody does for a line of before the reload */
  #answers = new Map();
  #tell;

  /** @param {(kind: string, value: unknown) => void} tell hears "queued", "said" and "unsaid" */
  constructor(tell) {
    this.#tell = tell;
    /** @type {QueuedLine[]} in the order said */
    this.lines = [];
    /** @type {ChatStore | null} */
    this.store = null;
    /** Called when a line is answered. @type {(cid: string) => void} */
    this.onAnswered = () => {};
  }

  /**
   * @param {QueuedLine} line
   * @returns {Promise<number>}
   */
  add(line) {
    this.store?.put(line);
    return new Promise((resolve, reject) => {
      this.#answers.set(line.cid, { resolve, reject });
      this.restore(line);
    });
  }

  /**
   * A line of before the reload waits again.
   * @param {QueuedLine} line
   */
  restore(line) {
    this.lines.push(line);
    this.#tell("queued", line);
  }

  /**
   * A line is sent, as this user.
   * @param {QueuedLine} line
   * @param {string} user
   */
  sent(line, user) {
    if (line.user === user) return;
    line.user = user;
    this.store?.put(line);
  }

  /**
   * It is kept.
   * @param {string} cid
   * @param {number} offset
   */
  said(cid, offset) {
    const line = this.#take(cid);
    if (line === undefined) return;
    this.#answer(cid)?.resolve(offset);
    this.#tell("said", { line, offset });
    this.onAnswered(cid);
  }

  /**
   * It is not.
   * @param {string} cid
   * @param {Refused} error
   */
  unsaid(cid, error) {
    const line = this.#take(cid);
    if (line === undefined) return;
    this.#answer(cid)?.reject(error);
    this.#tell("unsaid", { line, error });
    this.onAnswered(cid);
  }

  /**
   * Nothing will be said any more: what was never sent has failed, of the rest nobody knows.
   * @param {string} text
   */
  end(text) {
    for (const { cid, user } of [...this.lines]) this.unsaid(cid, new Refused(text, user === "" ? "failed" : "unknown"));
  }

  /** @param {string} cid */
  #take(cid) {
    const at = this.lines.findIndex((line) => line.cid === cid);
    if (at < 0) return undefined;
    this.store?.remove(cid);
    return this.lines.splice(at, 1)[0];
  }

  /** @param {string} cid */
  #answer(cid) {
    const answer = this.#answers.get(cid);
    this.#answers.delete(cid);
    return answer;
  }
}
