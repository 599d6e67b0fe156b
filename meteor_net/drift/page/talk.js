// The chat pane. All text goes into text nodes: it is never markup.

import { hue } from "./names.js";

/** @typedef {{kind: string, channel: string, name: string, text: string, time: number}} Line */

const LINES = 200;

/** @param {string} id */
const find = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class Talk {
  #list = find("lines");
  #input = /** @type {HTMLInputElement} */ (find("text"));
  #unsaid = find("unsaid");
  #game;

  /** @param {import("/meteor-net.js").NetworkClient} game */
  constructor(game) {
    this.#game = game;
    for (const line of game.chat.messageHistory) this.show(line);
    game.on("line", (line) => this.show(line));
    find("say").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say();
    });
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    find("fold").addEventListener("click", () => (document.body.classList.contains("chatting") ? this.close() : this.open()));
  }

  /** Let the player write. */
  open() {
    this.#fold(true);
    this.#input.focus();
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
    this.#list.scrollTop = this.#list.scrollHeight;
  }

  #say() {
    const text = this.#input.value.trim();
    this.#unsaid.textContent = "";
    if (text === "") return this.close();
    this.#input.value = "";
    this.#game.say(text).catch((refused) => {
      this.#unsaid.textContent = refused.message;
      this.#input.value ||= text;
    });
  }

  /**
   * Show a line.
   * @param {Line} line
   */
  show(line) {
    const item = document.createElement("li");
    const isPrivate = line.kind === "notice" && line.channel !== this.#game.chat.channels[0];
    item.className = isPrivate ? "private" : line.kind;
    if (line.kind === "text") {
      const name = document.createElement("b");
      name.textContent = line.name;
      name.dataset.hue = String(Math.floor(hue(line.name) / 30));
      item.append(name);
    }
    item.append(line.kind === "gap" ? "Earlier chat is gone." : line.text);
    const list = this.#list;
    const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 40;
    list.append(item);
    while (list.childElementCount > LINES) list.firstElementChild?.remove();
    if (atEnd) list.scrollTop = list.scrollHeight;
  }
}
