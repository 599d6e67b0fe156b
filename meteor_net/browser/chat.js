// The conversation of a room: lines that came, lines that wait for an answer, and the place that is held in each channel (wire 10).
//
// A line is handed to the page once: by its offset we know what we have. Its text is plain text for text nodes; it is never markup.

import { Refused } from "./errors.js";
import { LINES_KEPT, LINES_WAITING, LINE_CHARS } from "./limits.js";
import { LineKind, readLine } from "./messages.js";

/** @typedef {import("./messages.js").Line} Line */
/** @typedef {import("./messages.js").History} History */
/**
 * @typedef {object} ChatMessage
 * @property {"text" | "notice" | "gap"} kind "gap" stands where lines are gone
 * @property {string} channel
 * @property {number} offset
 * @property {number} time milliseconds since 1970, of the server's clock; 0 for a gap
 * @property {number} tick
 * @property {string} sender the user's id; "" for the game and the server
 * @property {string} name
 * @property {string} text plain text: show it as a text node
 * @property {boolean} own whether we said it
 */
/** @typedef {{cid: string, channel: string, text: string, resolve: (offset: number) => void, reject: (error: Error) => void}} Waiting */
/** @typedef {{name: string, number: number, epoch: number, next: number, held: boolean, caughtUp: boolean, live: Line[]}} Channel
 * `next` is the offset of the line to come; `held`: a history came once; `caughtUp`: it came on this connection.
 */

/** @returns {string} 16 characters that no other tab will have */
function token() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Lines of a room, in and out. */
export class ChatSystem {
  /** @type {Map<string, Channel>} */
  #channels = new Map();
  /** @type {Map<number, Channel>} */
  #byNumber = new Map();
  #token = token();
  #said = 0;
  #send;
  #tell;

  /**
   * @param {(message: {type: string, [item: string]: unknown}) => void} send
   * @param {(kind: string, value: unknown) => void} tell
   */
  constructor(send, tell) {
    this.#send = send;
    this.#tell = tell;
    /** @type {ChatMessage[]} The newest lines, oldest first. */
    this.messageHistory = [];
    /** @type {Waiting[]} Lines that were said and not yet answered. */
    this.messageQueue = [];
    /** Our user's id: lines of this sender are our own. */
    this.user = "";
    /** Characters that a line may have. */
    this.lineChars = LINE_CHARS;
  }

  /** The channels' names; the first is where lines go. */
  get channels() {
    return [...this.#channels.keys()];
  }

  /**
   * Say a line. While there is no connection it waits, and after a lost one it is said again; the server keeps it once.
   * @param {string} text
   * @param {string} [channel]
   * @returns {Promise<number>} Its offset once it is kept; -1 for a command. Rejected with Refused.
   */
  sendMessage(text, channel = "") {
    if (typeof text !== "string" || text.trim() === "") return Promise.reject(new Refused("a line has some text", "bad-text"));
    if ([...text].length > this.lineChars) return Promise.reject(new Refused(`a line has at most ${this.lineChars} characters`, "bad-text"));
    if (this.messageQueue.length >= LINES_WAITING) return Promise.reject(new Refused("too many lines wait for an answer", "slow-down"));
    return new Promise((resolve, reject) => {
      const cid = `${this.#token}-${(++this.#said).toString(36)}`;
      const line = { cid, channel, text, resolve, reject };
      this.messageQueue.push(line);
      this.#say(line);
    });
  }

  /** @param {Waiting} line */
  #say(line) {
    const place = line.channel === "" ? this.#byNumber.values().next().value : this.#channels.get(line.channel);
    if (this.#byNumber.size === 0) return; // no connection: it waits
    if (place === undefined) this.unsaid(line.cid, "refused", `there is no channel ${line.channel} here`);
    else this.#send({ type: "SAY", channel: place.number, cid: line.cid, kind: LineKind.TEXT, text: line.text });
  }

  /**
   * A message of the conversation; one for a channel of another room is ignored.
   * @param {import("./rooms.js").ChatLineMessage} message
   */
  take(message) {
    switch (message.type) {
      case "LINE": return this.receiveMessage(message);
      case "HISTORY": return this.handleMessageHistory(message);
      case "SAID": return this.said(message.cid, message.offset);
      case "UNSAID": return this.unsaid(message.cid, message.reason, message.text);
    }
  }

  /**
   * A line came.
   * @param {Line} message
   */
  receiveMessage(message) {
    const place = this.#byNumber.get(message.channel);
    if (place === undefined) return;
    if (place.caughtUp) this.#live(place, message);
    else if (place.live.length < LINES_KEPT) place.live.push(message);
  }

  /**
   * The lines of before came (10.5), or those since the place that we named.
   * @param {History} history
   */
  handleMessageHistory(history) {
    const place = this.#byNumber.get(history.channel);
    if (place === undefined) return;
    if (history.gap) this.#gap(place);
    if (history.gap || history.epoch !== place.epoch) place.next = 0;
    place.epoch = history.epoch;
    for (const items of history.lines) this.#keep(place, readLine(history.channel, items));
    place.next = Math.max(place.next, history.next);
    place.held = place.caughtUp = true;
    for (const line of place.live.splice(0)) this.#live(place, line);
  }

  /**
   * A line that came by itself: a hole before it is told.
   * @param {Channel} place
   * @param {Line} line
   */
  #live(place, line) {
    if (line.offset > place.next) this.#gap(place);
    this.#keep(place, line);
  }

  /**
   * @param {Channel} place
   * @param {Line} line
   */
  #keep(place, line) {
    if (line.offset < place.next) return;
    place.next = line.offset + 1;
    const own = line.sender !== "" && line.sender === this.user;
    if (own) this.said(line.cid, line.offset);
    if (line.kind > LineKind.NOTICE) return; // of a later version
    const { offset, time, tick, sender, name, text } = line;
    const kind = line.kind === LineKind.NOTICE ? "notice" : "text";
    this.#show({ kind, channel: place.name, offset, time, tick, sender, name, text, own });
  }

  /** @param {Channel} place */
  #gap(place) {
    this.#show({
      kind: "gap", channel: place.name, offset: place.next, time: 0, tick: 0, sender: "", name: "", own: false,
      text: "Earlier lines are gone.",
    });
    this.#tell("gap", { what: "lines", channel: place.name });
  }

  /** @param {ChatMessage} message */
  #show(message) {
    this.messageHistory.push(message);
    if (this.messageHistory.length > LINES_KEPT) this.messageHistory.shift();
    this.#tell("line", message);
  }

  /**
   * A line of ours is kept.
   * @param {string} cid
   * @param {number} offset
   */
  said(cid, offset) {
    this.#answered(cid)?.resolve(offset);
  }

  /**
   * A line of ours was refused.
   * @param {string} cid
   * @param {string} reason
   * @param {string} text
   */
  unsaid(cid, reason, text) {
    this.#answered(cid)?.reject(new Refused(text, reason));
  }

  /** @param {string} cid */
  #answered(cid) {
    const at = this.messageQueue.findIndex((line) => line.cid === cid);
    return at < 0 ? undefined : this.messageQueue.splice(at, 1)[0];
  }

  /**
   * We are in the room: its channels (6.2). Lines that were not answered are said again.
   * @param {[number, string, number, number][]} channels
   */
  joined(channels) {
    this.#byNumber.clear();
    const before = this.#channels;
    this.#channels = new Map();
    for (const [number, name, epoch] of channels) {
      const known = before.get(name);
      const place = known ?? { name, number, epoch, next: 0, held: false, caughtUp: false, live: [] };
      Object.assign(place, { number, caughtUp: false, live: [] });
      this.#channels.set(name, place);
      this.#byNumber.set(number, place);
    }
    for (const line of [...this.messageQueue]) this.#say(line);
  }

  /** There is no connection: lines wait. */
  away() {
    this.#byNumber.clear();
    for (const place of this.#channels.values()) Object.assign(place, { caughtUp: false, live: [] });
  }

  /**
   * The places held (6.1): channel -> epoch and offset of the last line.
   * @returns {Map<string, [number, number]>}
   */
  places() {
    /** @type {Map<string, [number, number]>} */
    const places = new Map();
    for (const place of this.#channels.values()) if (place.held) places.set(place.name, [place.epoch, place.next - 1]);
    return places;
  }

  /**
   * Nothing will be said any more: every waiting line is refused.
   * @param {string} text
   */
  end(text) {
    for (const line of this.messageQueue.splice(0)) line.reject(new Refused(text, "failed"));
  }
}
