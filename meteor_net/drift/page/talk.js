// The chat pane: the lines as they stand, lines of ours on their way, and earlier ones on demand.

import { Composer } from "./composer.js";
import { button, element, showFailed, showLine, showQueued } from "./line.js";
import { Tools } from "./tools.js";

/** @typedef {import("/meteor-net.js").ChatMessage} ChatMessage */
/** @typedef {import("/meteor-net.js").QueuedLine} QueuedLine */

const LINES = 200; // shown while the newest are in sight; and of our own that are refused
const PEOPLE = 500; // whose names are remembered
const NEAR = 40; // pixels from the end, or the beginning, that count as there
/** Kinds that change another line (wire 10.2); they are not shown on their way. */
const CHANGES = new Set([3, 4, 5, 6]);

/** @param {string} id */
const find = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/** @param {{channel: string, offset: number}} message */
const keyOf = ({ channel, offset }) => `${channel} ${offset}`;

export class Talk {
  #list = find("lines");
  #earlier = element("li", "earlier", button("", "Show earlier lines", "Earlier lines"));
  /** @type {Map<string, HTMLElement>} */
  #items = new Map();
  /** @type {Map<HTMLElement, ChatMessage>} */
  #messages = new Map();
  /** @type {Map<string, HTMLElement>} by cid: ours on their way, and what was refused */
  #queued = new Map();
  /** @type {Map<string, string>} */
  #people = new Map();
  #asking = false;
  #game;
  #chat;
  #composer;
  #tools;
  #around;

  /** @param {import("/meteor-net.js").NetworkClient} game */
  constructor(game) {
    this.#game = game;
    const chat = this.#chat = game.chat;
    this.#composer = new Composer(chat, { leave: () => this.close(), lastOwn: () => this.#lastOwn() });
    this.#tools = new Tools({
      react: (message, emoji) => this.#react(message, emoji),
      answer: (message) => this.#composer.set({ what: "answer", message }),
      whisper: ({ own, sender, to, name }) => this.#composer.set({ what: "whisper", user: own ? to : sender, name: own ? this.#nameOf(to) : name }),
      edit: (message) => this.#composer.set({ what: "edit", message }),
      remove: ({ offset, channel }) => this.#do(chat.delete(offset, channel)),
    });
    this.#around = {
      answered: (/** @type {ChatMessage} */ { about, channel }) => (about < 0 ? undefined : chat.find(about, channel)),
      nameOf: (/** @type {string} */ user) => this.#nameOf(user),
      isInbox: (/** @type {ChatMessage} */ { channel }) => channel !== chat.channels[0],
    };
    this.#list.append(this.#earlier);
    for (const message of chat.messageHistory) this.#add(message);
    for (const line of chat.messageQueue) this.#wait(line);
    this.#listen();
    this.#offerEarlier();
  }

  #listen() {
    const game = this.#game;
    game.on("line", (message) => this.#add(message));
    game.on("change", (message) => this.#change(message));
    game.on("queued", (line) => this.#wait(line));
    game.on("said", ({ line, offset }) => { if (offset < 0) this.#forget(line.cid); }); // else the line itself comes
    game.on("unsaid", ({ line, error }) => this.#refused(line, error));
    game.on("slow", (ms) => this.#composer.slow(ms));
    game.on("joined", () => this.#offerEarlier());
    this.#list.addEventListener("click", (event) => this.#click(/** @type {HTMLElement} */ (event.target)));
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("scroll", () => { if (this.#list.scrollTop < NEAR && !this.#earlier.hidden) this.#back(); });
    find("fold").addEventListener("click", () => (document.body.classList.contains("chatting") ? this.close() : this.open()));
  }

  /** Let the player write. */
  open() {
    this.#fold(true);
    this.#composer.focus();
  }

  /** Back to the sky. */
  close() {
    this.#fold(false);
    find("sky").focus();
  }

  /** @param {boolean} open */
  #fold(open) {
    document.body.classList.toggle("chatting", open);
    find("fold").setAttribute("aria-expanded", String(open));
    this.#toEnd();
  }

  // --- lines ---

  /** @param {ChatMessage} message */
  #add(message) {
    const atEnd = this.#isAtEnd();
    if (message.kind === "gap") this.#clear(message.channel); // what was shown is not what came before: it can be asked for
    else {
      this.#forget(message.cid);
      this.#list.append(this.#item(message));
      for (const line of this.#chat.messageQueue) this.#list.append(this.#queued.get(line.cid) ?? ""); // what waits stands last
    }
    if (atEnd) {
      this.#trim();
      this.#toEnd();
    }
    this.#offerEarlier();
  }

  /** @param {ChatMessage} message */
  #item(message) {
    const item = showLine(message, this.#around);
    this.#items.set(keyOf(message), item);
    this.#messages.set(item, message);
    if (message.sender) this.#people.set(message.sender, message.name);
    if (this.#people.size > PEOPLE) this.#people.delete(this.#people.keys().next().value ?? "");
    return item;
  }

  /** A line changed: it is drawn anew, and so are its answers, which quote it. @param {ChatMessage} message */
  #change(message) {
    const atEnd = this.#isAtEnd();
    const { channel, offset } = message;
    const answers = [...this.#messages.values()].filter((other) => other.channel === channel && other.about === offset);
    [message, ...answers].forEach((each) => this.#redraw(each));
    if (atEnd) this.#toEnd();
  }

  /** @param {ChatMessage} message */
  #redraw(message) {
    const before = this.#items.get(keyOf(message));
    if (!before) return;
    const focused = before.contains(document.activeElement);
    if (before.classList.contains("open")) this.#tools.close();
    this.#messages.delete(before);
    const item = this.#item(message);
    before.replaceWith(item);
    if (focused) item.focus();
  }

  /** @param {string} channel */
  #clear(channel) {
    for (const [item, message] of this.#messages) if (message.channel === channel) this.#remove(item, message);
  }

  /** The oldest go, while nobody looks at them. */
  #trim() {
    for (const [item, message] of this.#messages) {
      if (this.#messages.size <= LINES) return;
      this.#remove(item, message);
    }
  }

  /**
   * @param {HTMLElement} item
   * @param {ChatMessage} message
   */
  #remove(item, message) {
    this.#messages.delete(item);
    this.#items.delete(keyOf(message));
    item.remove();
  }

  #isAtEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.#list;
    return scrollTop + clientHeight >= scrollHeight - NEAR;
  }

  #toEnd() {
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  /** @param {string} user */
  #nameOf(user) {
    return user === this.#game.user ? this.#game.name : this.#people.get(user) ?? user;
  }

  #lastOwn() {
    return this.#chat.messageHistory.filter(({ own, deleted, kind }) => own && !deleted && (kind === "text" || kind === "me")).at(-1);
  }

  // --- ours, on their way ---

  /** @param {QueuedLine} line */
  #wait(line) {
    if (CHANGES.has(line.kind)) return;
    const item = showQueued(line, this.#game.name, this.#around);
    this.#queued.set(line.cid, item);
    if (this.#queued.size > LINES) this.#forget(this.#queued.keys().next().value ?? "");
    this.#list.append(item);
    this.#toEnd();
  }

  /** @param {string} cid */
  #forget(cid) {
    this.#queued.get(cid)?.remove();
    this.#queued.delete(cid);
  }

  /**
   * @param {QueuedLine} line
   * @param {import("/meteor-net.js").Refused} error
   */
  #refused(line, error) {
    const item = this.#queued.get(line.cid);
    if (!item) return this.#composer.tell(error.message);
    showFailed(item, error);
    item.querySelector(".again")?.addEventListener("click", () => {
      this.#forget(line.cid);
      const { text, channel, about, kind, to, data } = line;
      this.#do(to ? this.#chat.sendPrivate(to, text) : this.#chat.sendMessage(text, { channel, about, kind, data }));
    });
    item.querySelector(".drop")?.addEventListener("click", () => this.#forget(line.cid));
    this.#toEnd();
    return undefined;
  }

  /** What comes of it is told by "unsaid". @param {Promise<number>} answer */
  #do(answer) {
    answer.catch(() => {});
  }

  /**
   * @param {ChatMessage} message
   * @param {string} emoji
   */
  #react(message, emoji) {
    const { offset, channel, reactions } = message;
    this.#do(reactions.get(emoji)?.mine ? this.#chat.unreact(offset, emoji, channel) : this.#chat.react(offset, emoji, channel));
  }

  // --- earlier ones ---

  #offerEarlier() {
    this.#earlier.hidden = !(this.#chat.hasEarlier() || this.#chat.messageHistory.length > this.#messages.size);
  }

  /** Show lines from before: those that we hold, else the server's. */
  async #back() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const shown = [...this.#messages.values()].find(({ channel }) => channel === this.#chat.channels[0]);
      const held = this.#chat.messageHistory.filter((message) => message.kind !== "gap" && !this.#items.has(keyOf(message)) && message.offset < (shown?.offset ?? Infinity));
      this.#prepend(held.length ? held : (await this.#chat.earlier()).lines);
    } catch (error) {
      this.#composer.tell(/** @type {Error} */ (error).message);
    }
    this.#asking = false;
    this.#offerEarlier();
  }

  /** @param {ChatMessage[]} messages */
  #prepend(messages) {
    const fromEnd = this.#list.scrollHeight - this.#list.scrollTop;
    const after = [...this.#messages];
    this.#messages.clear();
    this.#earlier.after(...messages.map((message) => this.#item(message)));
    for (const [item, message] of after) this.#messages.set(item, message); // the oldest first, as they stand
    this.#list.scrollTop = this.#list.scrollHeight - fromEnd;
  }

  // --- clicks and keys ---

  /** @param {HTMLElement} target */
  #click(target) {
    const item = /** @type {HTMLElement | null} */ (target.closest("li"));
    const message = item && this.#messages.get(item);
    if (this.#earlier.contains(target)) this.#back();
    if (!item || !message || target.closest(".tools")) return;
    const chip = /** @type {HTMLElement | null} */ (target.closest(".chip"));
    if (chip) this.#react(message, chip.dataset.emoji ?? "");
    else if (target.closest(".quote")) this.#goTo(this.#around.answered(message));
    else if (target.closest(".more") || matchMedia("(hover: none)").matches) this.#tools.toggle(item, message);
  }

  /** @param {ChatMessage | undefined} message */
  #goTo(message) {
    const item = message && this.#items.get(keyOf(message));
    item?.scrollIntoView({ block: "center" });
    item?.focus();
  }

  /** Arrows go from line to line, Enter opens what can be done with it. @param {KeyboardEvent} event */
  #key(event) {
    const items = [...this.#messages.keys()];
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const item = items[at];
    if (event.key === "ArrowUp") (items[at < 0 ? items.length - 1 : at - 1] ?? items[0])?.focus();
    else if (event.key === "ArrowDown") (items[at + 1] ?? items.at(-1))?.focus();
    else if (event.key === "Escape") this.open();
    else if ((event.key === "Enter" || event.key === " ") && item) this.#tools.toggle(item, /** @type {ChatMessage} */ (this.#messages.get(item)));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
