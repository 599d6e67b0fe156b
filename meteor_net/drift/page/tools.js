// What can be done with a line: react, answer, whisper, edit, delete. One row of buttons, which stands below the line in hand.

import { button, element, isSaid } from "./line.js";

/** @typedef {import("/meteor-net.js").ChatMessage} ChatMessage */
/** @typedef {{react: (message: ChatMessage, emoji: string) => void, answer: (message: ChatMessage) => void, whisper: (message: ChatMessage) => void, edit: (message: ChatMessage) => void, remove: (message: ChatMessage) => void}} Deeds */

const EMOJIS = ["👍", "❤️", "😂", "😮", "🌊"];

export class Tools {
  #deeds;
  /** @type {HTMLElement | null} */
  #row = null;
  /** @type {HTMLElement | null} */
  #item = null;

  /** @param {Deeds} deeds */
  constructor(deeds) {
    this.#deeds = deeds;
    addEventListener("pointerdown", ({ target }) => {
      if (this.#item && target instanceof Node && !this.#item.contains(target)) this.close();
    });
  }

  /**
   * Open them at a line, or close them.
   * @param {HTMLElement} item
   * @param {ChatMessage} message
   */
  toggle(item, message) {
    const open = this.#item === item;
    this.close();
    if (open || !isSaid(message)) return;
    this.#item = item;
    this.#row = element("div", "tools", ...this.#buttons(message));
    this.#row.setAttribute("role", "toolbar");
    this.#row.setAttribute("aria-label", "What to do with this line");
    this.#row.addEventListener("keydown", (event) => this.#key(event));
    item.classList.add("open");
    item.append(this.#row);
    this.#row.scrollIntoView({ block: "nearest" });
    this.#row.querySelector("button")?.focus();
  }

  close() {
    const item = this.#item;
    const focused = this.#row?.contains(document.activeElement);
    this.#row?.remove();
    this.#row = this.#item = null;
    item?.classList.remove("open");
    if (focused) item?.focus();
  }

  /** @param {ChatMessage} message */
  #buttons(message) {
    const { react, answer, whisper, edit, remove } = this.#deeds;
    if (message.kind === "private") return [this.#button("", "Answer privately", "Answer", () => whisper(message))]; // and nothing else (wire 10.8)
    const emojis = [...new Set([...EMOJIS, ...message.reactions.keys()])].map((emoji) => {
      const made = this.#button("emoji", `React with ${emoji}`, emoji, () => react(message, emoji));
      made.setAttribute("aria-pressed", String(message.reactions.get(emoji)?.mine ?? false));
      return made;
    });
    const words = [this.#button("", "Answer", "Answer", () => answer(message))];
    if (!message.own) words.push(this.#button("", `Say something to ${message.name} alone`, "Whisper", () => whisper(message)));
    if (message.own && (message.kind === "text" || message.kind === "me")) words.push(this.#button("", "Edit", "Edit", () => edit(message)));
    if (message.own) words.push(this.#button("", "Delete", "Delete", () => remove(message)));
    return [...emojis, ...words];
  }

  /**
   * @param {string} className
   * @param {string} label
   * @param {string} text
   * @param {() => void} deed
   */
  #button(className, label, text, deed) {
    const made = button(className, label, text);
    made.addEventListener("click", () => {
      this.close();
      deed();
    });
    return made;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const buttons = [...this.#row?.querySelectorAll("button") ?? []];
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    event.stopPropagation(); // keys are for these buttons, not for the craft
    if (event.key === "Escape") this.close();
    else if (step) buttons[(at + step + buttons.length) % buttons.length]?.focus();
    else return;
    event.preventDefault();
  }
}
