// The line in which a player sees how the connection is, and a button for those who do not want to wait.
//
//     const game = await join("a", { status: new StatusLine(statusElement, buttonElement) });

/** A wait that a player may want to cut short, in seconds. */
const LONG_S = 2;

export class StatusLine {
  #hopeless = false;
  /** @type {import("./client.js").NetworkClient | null} */
  #game = null;
  #text;
  #button;

  /**
   * @param {HTMLElement} text says it; `data-standing` has its first word, for colours
   * @param {HTMLElement} button is shown where trying again helps
   */
  constructor(text, button) {
    this.#text = text;
    this.#button = button;
    button.hidden = true;
    button.addEventListener("click", () => this.#again());
  }

  /** Show how this client is; done by `join`. @param {import("./client.js").NetworkClient} game */
  follow(game) {
    this.#game = game;
    game.on("error", (verdict) => { this.#hopeless = verdict.hopeless; });
    game.on("status", (status) => this.show(status));
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

  #again() {
    if (this.#game === null || this.#game.status.startsWith("offline")) location.reload();
    else this.#game.wake();
  }
}
