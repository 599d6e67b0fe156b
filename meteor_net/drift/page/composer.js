// The field to write in: a line, an answer to one, a private one, or a new text for one; and the wait of slow mode.

import { inShort } from "./line.js";

/** @typedef {import("/meteor-net.js").ChatMessage} ChatMessage */
/** @typedef {{what: "say"} | {what: "answer" | "edit", message: ChatMessage} | {what: "whisper", user: string, name: string}} Mode */

/** @param {string} id */
const find = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const PICTURE = /^(\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3)/u;

/** Whether a text is one emoji. @param {string} text */
function isEmoji(text) {
  return PICTURE.test(text) && [...new Intl.Segmenter().segment(text)].length === 1;
}

export class Composer {
  #input = /** @type {HTMLInputElement} */ (find("text"));
  #button = /** @type {HTMLButtonElement} */ (find("send"));
  #unsaid = find("unsaid");
  /** @type {Mode} */
  #mode = { what: "say" };
  #slowUntil = 0;
  #chat;
  #leave;

  /**
   * @param {import("/meteor-net.js").ChatSystem} chat
   * @param {{leave: () => void, lastOwn: () => ChatMessage | undefined}} pane
   */
  constructor(chat, { leave, lastOwn }) {
    this.#chat = chat;
    this.#leave = leave;
    find("say").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    find("mode-end").addEventListener("click", () => this.#end());
    this.#input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      const last = event.key === "ArrowUp" && this.#mode.what === "say" && this.#input.value === "" ? lastOwn() : undefined;
      if (last) this.set({ what: "edit", message: last });
      else if (event.key === "Escape" && this.#mode.what !== "say") this.#end();
      else if (event.key === "Escape") this.#leave();
      else return;
      event.preventDefault();
    });
  }

  focus() {
    this.#input.focus();
  }

  /** What was refused, told below the lines. @param {string} text */
  tell(text) {
    this.#unsaid.textContent = text;
  }

  /** What the next text is for. @param {Mode} mode */
  set(mode) {
    if (this.#mode.what === "edit") this.#input.value = "";
    this.#mode = mode;
    find("mode").hidden = mode.what === "say";
    find("mode-words").textContent = {
      say: () => "",
      answer: () => mode.what === "answer" ? `Answer to ${mode.message.name}: ${inShort(mode.message)}` : "",
      edit: () => "Edit your line",
      whisper: () => mode.what === "whisper" ? `To ${mode.name} alone` : "",
    }[mode.what]();
    if (mode.what === "edit") this.#input.value = mode.message.text;
    this.focus();
  }

  #end() {
    this.set({ what: "say" });
  }

  #submit() {
    const text = this.#input.value.trim();
    if (performance.now() < this.#slowUntil) return;
    this.tell("");
    if (text === "" && this.#mode.what === "say") return this.#leave();
    if (text === "") return this.#end();
    const waiting = this.#chat.messageQueue.length;
    const answer = this.#say(text);
    const queued = this.#chat.messageQueue.length > waiting; // then its line says what becomes of it
    if (this.#mode.what !== "say") this.#end();
    this.#input.value = "";
    answer?.catch((refused) => {
      if (queued) return;
      this.tell(refused.message);
      this.#input.value ||= text;
    });
    return undefined;
  }

  /** @param {string} text */
  #say(text) {
    const mode = this.#mode;
    switch (mode.what) {
      case "edit": return text === mode.message.text ? undefined : this.#chat.edit(mode.message.offset, text, mode.message.channel);
      case "whisper": return this.#chat.sendPrivate(mode.user, text);
      case "answer": return this.#chat.sendMessage(text, { about: mode.message.offset });
      default: return isEmoji(text) ? this.#chat.sendEmoji(text) : this.#chat.sendMessage(text);
    }
  }

  /** The next line may be said in so long: the button counts down. @param {number} ms */
  slow(ms) {
    const counting = this.#slowUntil > performance.now();
    this.#slowUntil = performance.now() + ms;
    if (!counting) this.#count();
  }

  #count() {
    const left = this.#slowUntil - performance.now();
    this.#button.disabled = left > 0;
    this.#button.textContent = left > 0 ? `${Math.ceil(left / 1000)} s` : "Say";
    if (left > 0) setTimeout(() => this.#count(), left % 1000 || 1000);
  }
}
