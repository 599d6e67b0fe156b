// The lines of a room as they stand now: each is held once, and lines that change others are folded into those (wire 10.2, 10.4).
//
// What came as a summary (HISTORY, PAGE) has all changes in it up to the place where it was made: those are not counted again.

import { LINES_KEPT, LINES_PAGED } from "./limits.js";
import { LineKind, LineState, OWN_KINDS } from "./messages.js";

/** @typedef {import("./messages.js").Line} Line */
/** @typedef {{count: number, mine: boolean}} Reaction how many users gave it, and whether we did */
/**
 * @typedef {object} ChatMessage
 * @property {"text" | "notice" | "emoji" | "private" | "me" | "gap" | number} kind "gap" stands where lines are missing; a number, 64 or more, is a game's own kind
 * @property {string} channel
 * @property {number} offset
 * @property {number} time milliseconds since 1970, of the server's clock; 0 for a gap
 * @property {number} tick
 * @property {string} sender the user's id; "" for the game and the server
 * @property {string} name
 * @property {string} text plain text: show it as a text node; "" once the line is deleted
 * @property {string} cid the sender's own id for the line
 * @property {boolean} own whether we said it
 * @property {number} about the offset of the line that this one answers; -1 for none
 * @property {string} to the user's id that a private line is for
 * @property {string[]} mentions ids of users that it names
 * @property {boolean} mentioned whether we are one of them
 * @property {unknown} data what a game keeps with a line of its own kind
 * @property {boolean} edited
 * @property {boolean} deleted
 * @property {Map<string, Reaction>} reactions by emoji, in the order of first use
 */
/** @typedef {{message: ChatMessage, summed: number}} Held `summed`: changes up to this offset are in it */

/** Kinds that change another line, and are not shown by themselves. @type {Set<number>} */
const CHANGES = new Set([LineKind.REACTION, LineKind.UNREACTION, LineKind.EDIT, LineKind.DELETE]);
/** @type {Map<number, ChatMessage["kind"]>} */
const SHOWN = new Map([
  [LineKind.TEXT, "text"], [LineKind.NOTICE, "notice"], [LineKind.EMOJI, "emoji"], [LineKind.PRIVATE, "private"], [LineKind.ME, "me"],
]);

/** Lines of all channels of a room. */
export class ChatLines {
  /** @type {Map<string, Map<number, Held>>} channel -> offset -> line */
  #held = new Map();
  #most = LINES_KEPT;

  constructor() {
    /** @type {ChatMessage[]} The newest lines, oldest first. */
    this.history = [];
    /** Our user's id. */
    this.user = "";
  }

  /**
   * @param {string} channel
   * @param {number} offset
   * @returns {ChatMessage | undefined}
   */
  get(channel, offset) {
    return this.#held.get(channel)?.get(offset)?.message;
  }

  /**
   * The offset of a channel's first line that is held; undefined if there is none.
   * @param {string} channel
   * @returns {number | undefined}
   */
  first(channel) {
    const offsets = [...this.#held.get(channel)?.keys() ?? []];
    return offsets.length ? Math.min(...offsets) : undefined;
  }

  /**
   * Take the next line of a channel.
   * @param {string} channel
   * @param {Line} line
   * @param {number} summed changes up to this offset are in the line already
   * @returns {["line" | "change", ChatMessage] | null} what is new, or was changed; null if nothing is to be shown
   */
  take(channel, line, summed) {
    if (CHANGES.has(line.kind)) {
      const changed = this.#change(channel, line);
      return changed && ["change", changed];
    }
    const message = this.#make(channel, line);
    if (message === null) return null;
    this.#hold(message, summed);
    this.#push(message);
    return ["line", message];
  }

  /**
   * Take lines from before the first one that is held.
   * @param {string} channel
   * @param {Line[]} lines ascending
   * @param {number} summed
   * @returns {ChatMessage[]} those that are to be shown, ascending
   */
  prepend(channel, lines, summed) {
    const before = this.first(channel) ?? Infinity;
    const made = lines.filter(({ offset }) => offset < before).map((line) => this.#make(channel, line)).filter((message) => message !== null);
    for (const message of made) this.#hold(message, summed);
    const at = this.history.findIndex((message) => message.channel === channel && message.kind !== "gap");
    this.history.splice(at < 0 ? this.history.length : at, 0, ...made);
    this.#most = Math.min(LINES_PAGED, Math.max(this.#most, this.history.length));
    return made;
  }

  /** Whether so much is held that no page may be added. */
  get full() {
    return this.history.length >= LINES_PAGED;
  }

  /**
   * Lines are missing from here on back: forget what was held of the channel, as it is not what came before.
   * @param {string} channel
   * @param {number} offset
   * @returns {ChatMessage} what stands in their place
   */
  gap(channel, offset) {
    this.#held.delete(channel);
    this.history = this.history.filter((message) => message.channel !== channel);
    /** @type {ChatMessage} */
    const message = {
      kind: "gap", channel, offset, time: 0, tick: 0, sender: "", name: "", text: "Earlier lines are gone.", cid: "", own: false, about: -1, to: "",
      mentions: [], mentioned: false, data: null, edited: false, deleted: false, reactions: new Map(),
    };
    this.#push(message);
    return message;
  }

  /** @param {ChatMessage} message */
  #push(message) {
    this.history.push(message);
    if (this.history.length <= this.#most) return;
    const oldest = /** @type {ChatMessage} */ (this.history.shift());
    this.#held.get(oldest.channel)?.delete(oldest.offset);
  }

  /**
   * @param {ChatMessage} message
   * @param {number} summed
   */
  #hold(message, summed) {
    const held = this.#held.get(message.channel) ?? new Map();
    this.#held.set(message.channel, held.set(message.offset, { message, summed }));
  }

  /**
   * @param {string} channel
   * @param {Line} line
   * @returns {ChatMessage | null} null for a kind of a later version
   */
  #make(channel, line) {
    const kind = line.kind >= OWN_KINDS ? line.kind : SHOWN.get(line.kind);
    if (kind === undefined) return null;
    const { offset, time, tick, sender, name, text, cid, about, to, mentions, data, state } = line;
    return {
      kind, channel, offset, time, tick, sender, name, text, cid, own: sender !== "" && sender === this.user, about, to,
      mentions, mentioned: mentions.includes(this.user), data, edited: state === LineState.EDITED, deleted: state === LineState.DELETED,
      reactions: new Map(line.reactions.map(([emoji, count, mine]) => [emoji, { count, mine }])),
    };
  }

  /**
   * @param {string} channel
   * @param {Line} change
   * @returns {ChatMessage | null} what it changed, if that is held and does not have the change in it
   */
  #change(channel, change) {
    const held = this.#held.get(channel)?.get(change.about);
    if (held === undefined || change.offset <= held.summed) return null;
    const { message } = held;
    // An edit without a text has another change after it (wire 10.4), and what is deleted stays so.
    if (message.deleted || (change.kind === LineKind.EDIT && change.text === "")) return null;
    switch (change.kind) {
      case LineKind.EDIT:
        Object.assign(message, { text: change.text, edited: true, mentions: change.mentions, mentioned: change.mentions.includes(this.user) });
        break;
      case LineKind.DELETE:
        Object.assign(message, { text: "", data: null, deleted: true, edited: false, mentions: [], mentioned: false });
        message.reactions.clear();
        break;
      default: this.#react(message.reactions, change);
    }
    return message;
  }

  /**
   * The count is the line's, as its storage has counted; whether we are one of them is told by the senders.
   * @param {Map<string, Reaction>} reactions
   * @param {Line} change
   */
  #react(reactions, change) {
    const emoji = change.text;
    const before = reactions.get(emoji) ?? { count: 0, mine: false };
    const added = change.kind === LineKind.REACTION;
    const counted = change.reactions.find(([each]) => each === emoji);
    const count = counted ? counted[1] : before.count + (added ? 1 : -1);
    const mine = change.sender === this.user ? added : before.mine;
    if (count > 0) reactions.set(emoji, { count, mine });
    else reactions.delete(emoji);
  }
}
