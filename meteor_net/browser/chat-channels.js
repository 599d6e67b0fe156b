// The channels of a room as we hold them: how far, what came before its time, and pages of earlier lines (wire 10).

import { ChatLines } from "./chat-lines.js";
import { Refused } from "./errors.js";
import { LINES_KEPT } from "./limits.js";
import { readLine } from "./messages.js";

/** @typedef {import("./chat-lines.js").ChatMessage} ChatMessage */
/** @typedef {import("./messages.js").Line} Line */
/** @typedef {import("./messages.js").History} History */
/** @typedef {{lines: ChatMessage[], more: boolean}} ChatPage `more`: there are older ones */
/** @typedef {{promise: Promise<ChatPage>, resolve: (page: ChatPage) => void, reject: (error: Error) => void}} Asked */
/**
 * @typedef {object} Channel
 * @property {string} name
 * @property {number} number on this connection
 * @property {number} epoch of the lines that we hold
 * @property {number} current the epoch that JOINED told
 * @property {number} next the offset of the line to come
 * @property {boolean} held whether a history came once
 * @property {boolean} caughtUp whether it came on this connection
 * @property {Line[]} live what came before the history
 * @property {boolean} more whether there may be lines from before those that we hold
 * @property {Asked | null} asked EARLIER that is not answered
 */

/** Where each line belongs, and whether one is missing. */
export class ChatChannels {
  /** @type {Map<string, Channel>} */
  #channels = new Map();
  /** @type {Map<number, Channel>} */
  #byNumber = new Map();
  #send;
  #tell;
  #kept;

  /**
   * @param {(message: {type: string, [item: string]: unknown}) => void} send
   * @param {(kind: string, value: unknown) => void} tell hears "line", "change" and "gap"
   * @param {(cid: string, offset: number) => void} kept hears of each line before it is told
   */
  constructor(send, tell, kept) {
    this.#send = send;
    this.#tell = tell;
    this.#kept = kept;
    this.lines = new ChatLines();
  }

  /** Whether we are in the room now. */
  get connected() { return this.#byNumber.size > 0; }

  /** The channels' names, in the room's order. */
  get names() { return [...this.#channels.keys()]; }

  /** @param {number} number */
  has(number) { return this.#byNumber.has(number); }

  /** @param {string} name "" is the first */
  place(name) {
    return name === "" ? this.#channels.values().next().value : this.#channels.get(name);
  }

  /**
   * A line came.
   * @param {Line} message
   */
  line(message) {
    const place = this.#byNumber.get(message.channel);
    if (place === undefined) return;
    if (place.caughtUp) this.#live(place, message);
    else if (place.live.length < LINES_KEPT) place.live.push(message);
  }

  /**
   * The lines of before came (10.5), or those since the place that we named.
   * @param {History} history
   * @returns {Channel | undefined} undefined if it is of another room
   */
  history(history) {
    const place = this.#byNumber.get(history.channel);
    if (place === undefined) return undefined;
    if (history.gap || (place.held && history.epoch !== place.epoch)) this.#gap(place);
    if (history.gap || history.epoch !== place.epoch) place.next = 0;
    place.epoch = history.epoch;
    for (const items of history.lines) this.#keep(place, readLine(history.channel, items), history.next - 1);
    place.next = Math.max(place.next, history.next);
    place.held = place.caughtUp = true;
    for (const line of place.live.splice(0)) this.#live(place, line);
    return place;
  }

  /**
   * A line that came by itself: a hole before it is told.
   * @param {Channel} place
   * @param {Line} line
   */
  #live(place, line) {
    if (line.offset > place.next) this.#gap(place);
    this.#keep(place, line, line.offset);
  }

  /**
   * @param {Channel} place
   * @param {Line} line
   * @param {number} summed changes up to this offset are in it
   */
  #keep(place, line, summed) {
    if (line.offset < place.next) return;
    place.next = line.offset + 1;
    this.#kept(line.cid, line.offset); // our own line is its answer, whoever we were then
    const news = this.lines.take(place.name, line, summed);
    if (news !== null) this.#tell(...news);
  }

  /** @param {Channel} place */
  #gap(place) {
    place.more = true;
    this.#tell("line", this.lines.gap(place.name, place.next));
    this.#tell("gap", { what: "lines", channel: place.name });
  }

  // --- what was said earlier ---

  /**
   * Whether there may be lines from before those that are held.
   * @param {string} [channel]
   */
  hasEarlier(channel = "") {
    const place = this.place(channel);
    return place !== undefined && place.more && (this.lines.first(place.name) ?? place.next) > 0 && !this.lines.full;
  }

  /**
   * @param {number} limit
   * @param {string} channel
   * @returns {Promise<ChatPage>}
   */
  earlier(limit, channel) {
    const place = this.place(channel);
    if (place === undefined || !place.caughtUp) return Promise.reject(new Refused("there is no connection", "failed"));
    if (place.asked !== null) return place.asked.promise;
    if (!this.hasEarlier(channel)) return Promise.resolve({ lines: [], more: false });
    const asked = /** @type {Asked} */ ({});
    asked.promise = new Promise((resolve, reject) => Object.assign(asked, { resolve, reject }));
    place.asked = asked;
    this.#send({ type: "EARLIER", channel: place.number, before: this.lines.first(place.name) ?? place.next, limit });
    return asked.promise;
  }

  /**
   * They came.
   * @param {import("./messages.js").Page} page
   */
  page(page) {
    const place = this.#byNumber.get(page.channel);
    const asked = place?.asked;
    if (place === undefined || !asked || page.epoch !== place.epoch) return;
    place.asked = null;
    place.more = page.more;
    const lines = page.lines.map((items) => readLine(page.channel, items));
    asked.resolve({ lines: this.lines.prepend(place.name, lines, place.next - 1), more: this.hasEarlier(place.name) });
  }

  /**
   * The first EARLIER that is not answered is refused; whether there was one.
   * @param {Refused} error
   */
  earlierRefused(error) {
    const place = [...this.#channels.values()].find(({ asked }) => asked !== null);
    place?.asked?.reject(error);
    if (place) place.asked = null;
    return place !== undefined;
  }

  // --- the connection ---

  /**
   * We are in the room: its channels (6.2).
   * @param {[number, string, number, number][]} channels
   */
  joined(channels) {
    this.#byNumber.clear();
    const before = this.#channels;
    this.#channels = new Map();
    for (const [number, name, epoch] of channels) {
      const known = before.get(name);
      const place = known ?? { name, number, epoch, current: epoch, next: 0, held: false, caughtUp: false, live: [], more: true, asked: null };
      Object.assign(place, { number, current: epoch, caughtUp: false, live: [] });
      this.#channels.set(name, place);
      this.#byNumber.set(number, place);
    }
  }

  /** There is no connection. */
  away() {
    this.#byNumber.clear();
    while (this.earlierRefused(new Refused("the connection was lost", "failed")));
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
}
