// The line in which a player sees how the connection is, and a button for those who do not want to wait.
//
//     const line = new StatusLine(statusElement, buttonElement);
//     line.game = await join("a", { on: line.listeners });

import { ConnectionFailed } from "./errors.js";
import { rowOfCode } from "./recovery.js";

/** A wait that a player may want to cut short, in seconds. */
const LONG_S = 2;

export class StatusLine {
  #hopeless = false;
  #text;
  #button;

  /**
   * @param {HTMLElement} text says it; `data-standing` has its first word, for colours
   * @param {HTMLElement} button is shown where trying again helps
   */
  constructor(text, button) {
    this.#text = text;
    this.#button = button;
    /** The game, once there is one. @type {import("./client.js").NetworkClient | null} */
    this.game = null;
    /** What `join` is to call: its `on`. */
    this.listeners = {
      /** @param {string} status */
      status: (status) => this.show(status),
      /** @param {import("./recovery.js").Verdict} verdict */
      error: (verdict) => { this.#hopeless = verdict.hopeless; },
    };
    button.hidden = true;
    button.addEventListener("click", () => this.#again());
  }

  /** Show a status. @param {string} status */
  show(status) {
    if (this.#text.textContent === status) return;
    this.#text.textContent = status;
    const [standing] = status.split(/[ :]/);
    this.#text.dataset.standing = standing;
    const waits = standing === "reconnecting" && parseInt(status.replace(/\D+/, ""), 10) >= LONG_S;
    this.#button.hidden = !(waits || (standing === "offline" && !this.#hopeless));
  }

  /** Show why we are not in. @param {unknown} error what `join` was rejected with */
  failed(error) {
    this.#hopeless = error instanceof ConnectionFailed && (rowOfCode(error.code).hopeless ?? false);
    this.show(`offline: ${error instanceof Error ? error.message : error}`);
  }

  #again() {
    if (this.game === null || this.game.status.startsWith("offline")) location.reload();
    else this.game.wake();
  }
}
