// The conversation of a room: lines that came, lines that wait for an answer, and the place that is held in each channel (wire 10).
//
// A line is handed to the page once: by its offset we know what we have. Its text is plain text for text nodes; it is never markup.
// What a listener hears: "line", "change" (a line was edited, deleted, reacted to), "queued", "said", "unsaid", "slow".

import { ChatChannels } from "./chat-channels.js";
import { ChatQueue, whatIsWrong } from "./chat-queue.js";
import { ChatSender } from "./chat-sender.js";
import { Refused } from "./errors.js";
import { LINES_WAITING, LINE_CHARS, LINE_LIFE_MS, PAGE_LINES } from "./limits.js";
import { LineKind } from "./messages.js";
import { token } from "./tab.js";

/** @typedef {import("./chat-lines.js").ChatMessage} ChatMessage */
/** @typedef {import("./chat-queue.js").QueuedLine} QueuedLine */
/** @typedef {import("./messages.js").Line} Line */
/** @typedef {import("./messages.js").History} History */
/** @typedef {import("./chat-channels.js").ChatPage} ChatPage */

/** Lines of a room, in and out. */
export class ChatSystem {
  #channels;
  #queue;
  #sender;
  #token = token();
  #said = 0;
  #recovered = false;
  #send;
  #tell;

  /**
   * @param {(message: {type: string, [item: string]: unknown}) => void} send
   * @param {(kind: string, value: unknown) => void} tell
   */
  constructor(send, tell) {
    this.#send = send;
    this.#tell = tell;
    this.#queue = new ChatQueue(tell);
    this.#sender = new ChatSender(this.#queue, (line) => this.#put(line));
    this.#queue.onAnswered = (cid) => this.#sender.answered(cid);
    this.#channels = new ChatChannels(send, tell, (cid, offset) => this.#queue.said(cid, offset));
    /** Characters that a line may have. */
    this.lineChars = LINE_CHARS;
  }

  /** The newest lines, oldest first, as they stand now. @returns {ChatMessage[]} */
  get messageHistory() { return this.#channels.lines.history; }

  /** Lines that were said and not yet answered, in order. @returns {QueuedLine[]} */
  get messageQueue() { return this.#queue.lines; }

  /** Our user's id: lines of this sender are our own. */
  get user() { return this.#channels.lines.user; }
  set user(user) { this.#channels.lines.user = user; }

  /** Where lines outlive a reload of the page; null for nowhere. @returns {import("./chat-store.js").ChatStore | null} */
  get store() { return this.#queue.store; }
  set store(store) { this.#queue.store = store; }

  /** The channels' names; the first is where lines go. */
  get channels() { return this.#channels.names; }

  /**
   * A line that is held, by its offset; undefined if it is not.
   * @param {number} offset
   * @param {string} [channel]
   */
  find(offset, channel = "") {
    return this.#channels.lines.get(this.#channels.place(channel)?.name ?? "", offset);
  }

  // --- what we say ---

  /**
   * Say a line. While there is no connection it waits, and after a lost one it is said again; the server keeps it once.
   * @param {string} text
   * @param {{channel?: string, about?: number, kind?: number, data?: unknown}} [options] `about`: the offset of the line that this one
   *   answers; `kind` and `data`: of a game's own kind, 64 or more, and then the text may be empty
   * @returns {Promise<number>} Its offset once it is kept; -1 for a command. Rejected with Refused.
   */
  sendMessage(text, { channel = "", about = -1, kind = LineKind.TEXT, data = null } = {}) {
    return this.#say({ kind, text, channel, about, data });
  }

  /**
   * Say one emoji, which is shown large.
   * @param {string} emoji
   * @param {string} [channel]
   */
  sendEmoji(emoji, channel = "") { return this.#say({ kind: LineKind.EMOJI, text: emoji, channel }); }

  /**
   * Say something to one user alone.
   * @param {string} user the id
   * @param {string} text
   */
  sendPrivate(user, text) { return this.#say({ kind: LineKind.PRIVATE, text, to: user }); }

  /**
   * @param {number} offset of the line that is reacted to
   * @param {string} emoji
   * @param {string} [channel]
   */
  react(offset, emoji, channel = "") { return this.#say({ kind: LineKind.REACTION, text: emoji, about: offset, channel }); }

  /**
   * Take a reaction back.
   * @param {number} offset
   * @param {string} emoji
   * @param {string} [channel]
   */
  unreact(offset, emoji, channel = "") { return this.#say({ kind: LineKind.UNREACTION, text: emoji, about: offset, channel }); }

  /**
   * Change the text of a line of ours.
   * @param {number} offset
   * @param {string} text
   * @param {string} [channel]
   */
  edit(offset, text, channel = "") { return this.#say({ kind: LineKind.EDIT, text, about: offset, channel }); }

  /**
   * Take a line of ours back.
   * @param {number} offset
   * @param {string} [channel]
   */
  delete(offset, channel = "") { return this.#say({ kind: LineKind.DELETE, text: "", about: offset, channel }); }

  /**
   * @param {{kind: number, text: string, channel?: string, about?: number, to?: string, data?: unknown}} parts
   * @returns {Promise<number>}
   */
  #say({ kind, text, channel = "", about = -1, to = "", data = null }) {
    const wrong = whatIsWrong({ kind, text, channel, about, to, data }, this.lineChars);
    if (wrong !== null) return Promise.reject(wrong);
    if (this.messageQueue.length >= LINES_WAITING) return Promise.reject(new Refused("too many lines wait for an answer", "slow-down"));
    const line = {
      cid: `${this.#token}-${(++this.#said).toString(36)}`, channel, kind, text, about, epoch: this.#channels.place(channel)?.current ?? 0, to, data,
      time: Date.now(), user: this.#channels.connected ? this.user : "",
    };
    const answer = this.#queue.add(line);
    this.#sender.say(line);
    return answer;
  }

  /**
   * The channel that a line of ours belongs in; a private one goes to our own inbox, which has a copy.
   * @param {QueuedLine} line
   */
  #placeOf(line) {
    return this.#channels.place(line.kind === LineKind.PRIVATE ? `@${this.user}` : line.channel);
  }

  /** Whether it was sent as another user: a resend would be another line. @param {QueuedLine} line */
  #isForeign(line) {
    return line.user !== "" && line.user !== this.user;
  }

  /** Send a line, if it can be now. @param {QueuedLine} line */
  #put(line) {
    if (!this.#channels.connected || this.#isForeign(line)) return false; // it waits for a connection; or for the history, which tells whether it is kept
    const place = this.#placeOf(line);
    const refused = this.#whyNot(line, place);
    if (refused === null) {
      const { cid, kind, text, about, to, data } = line;
      this.#queue.sent(line, this.user);
      this.#send({ type: "SAY", channel: place?.number, cid, kind, text, about, to, data });
    } else this.#queue.unsaid(line.cid, refused);
    return refused === null;
  }

  /**
   * @param {QueuedLine} line
   * @param {import("./chat-channels.js").Channel | undefined} place
   */
  #whyNot(line, place) {
    if (place === undefined) return new Refused(`there is no channel ${line.channel} here`);
    if (line.about >= 0 && line.epoch !== place.current) return new Refused("the lines of before are gone", "not-there");
    if (Date.now() - line.time > LINE_LIFE_MS) return new Refused("it was said more than a day ago, and may be kept or not", "unknown");
    return null;
  }

  // --- what comes ---

  /**
   * A message of the conversation; one for a channel of another room is ignored.
   * @param {import("./rooms.js").ChatLineMessage} message
   * @param {number} nowMs
   */
  take(message, nowMs) {
    switch (message.type) {
      case "LINE": return this.receiveMessage(message);
      case "HISTORY": return this.handleMessageHistory(message);
      case "PAGE": return this.#channels.page(message);
      case "SAID":
        this.#slow(message);
        return this.#queue.said(message.cid, message.offset);
      case "UNSAID":
        this.#slow(message);
        if (!this.#sender.triesAgain(message, nowMs)) this.#queue.unsaid(message.cid, new Refused(message.text, this.#sender.reasonOf(message), message.wait));
    }
  }

  /** A line came. @param {Line} message */
  receiveMessage(message) { this.#channels.line(message); }

  /**
   * The lines of before came (10.5), or those since the place that we named.
   * @param {History} history
   */
  handleMessageHistory(history) {
    const place = this.#channels.history(history);
    if (place === undefined) return;
    for (const line of [...this.messageQueue]) if (this.#isForeign(line) && this.#placeOf(line) === place) this.#lost(line);
    if (place === this.#channels.place("")) this.#recover();
  }

  /** @param {{channel: number, wait: number}} message */
  #slow({ channel, wait }) {
    if (wait > 0 && this.#channels.has(channel)) this.#tell("slow", wait);
  }

  /** @param {QueuedLine} line */
  #lost(line) {
    this.#queue.unsaid(line.cid, new Refused("the connection was lost, and nobody knows whether this was said", "unknown"));
  }

  /** Once, when we know what was said: the lines of before the page was loaded that were not answered. */
  async #recover() {
    if (this.#recovered || this.store === null) return;
    this.#recovered = true;
    for (const line of await this.store.lines()) {
      const foreign = this.#isForeign(line);
      if (line.cid.startsWith(this.#token) || (foreign && !this.store.guest)) continue;
      if (this.messageHistory.some(({ cid }) => cid === line.cid)) this.store.remove(line.cid);
      else if (this.messageQueue.length < LINES_WAITING) {
        this.#queue.restore(line);
        if (foreign) this.#lost(line);
        else this.#sender.follow(line);
      }
    }
  }

  // --- what was said earlier ---

  /** Whether there may be lines from before those that are held. @param {string} [channel] */
  hasEarlier(channel = "") { return this.#channels.hasEarlier(channel); }

  /**
   * Ask for lines from before those that are held.
   * @param {number} [limit] 1 to 100
   * @param {string} [channel]
   * @returns {Promise<ChatPage>} ascending; also in `messageHistory`. Rejected with Refused.
   */
  earlier(limit = PAGE_LINES, channel = "") { return this.#channels.earlier(limit, channel); }

  /** The first request for earlier lines that is not answered is refused; whether there was one. @param {Refused} error */
  earlierRefused(error) { return this.#channels.earlierRefused(error); }

  // --- the room's calls ---

  /**
   * We are in the room: its channels (6.2). Lines that were not answered are said again.
   * @param {[number, string, number, number][]} channels
   */
  joined(channels) {
    this.#channels.joined(channels);
    this.#sender.joined();
  }

  /** Say again what is due. @param {number} nowMs */
  poll(nowMs) { this.#sender.poll(nowMs); }

  /** Nothing comes from the server: lines wait, or go on. @param {boolean} heldBack */
  holdBack(heldBack) { this.#sender.holdBack(heldBack); }

  /** There is no connection: lines wait. */
  away() {
    this.#channels.away();
    this.#sender.away();
  }

  /** The places held (6.1): channel -> epoch and offset of the last line. */
  places() { return this.#channels.places(); }

  /** Nothing will be said any more: every waiting line is refused. @param {string} text */
  end(text) { this.#queue.end(text); }
}
