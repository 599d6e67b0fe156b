// Bottles in the player's hands: one to throw, and one that was found.

/** @typedef {import("/meteor-net.js").NetworkClient} NetworkClient */

const CHARS = 140;
const TOLD_MS = 5000;

/** @param {string} id */
const find = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** A form on the deck with one text, and how many characters are left. */
class Card {
  /** @param {string} id */
  constructor(id) {
    this.form = /** @type {HTMLFormElement} */ (find(id));
    this.area = /** @type {HTMLTextAreaElement} */ (this.form.querySelector("textarea"));
    this.left = /** @type {HTMLOutputElement} */ (this.form.querySelector("output"));
    this.error = /** @type {HTMLElement} */ (this.form.querySelector(".error"));
    this.area.addEventListener("input", () => this.count());
    this.area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.form.requestSubmit();
      }
      if (event.key === "Escape") find("sky").focus();
    });
  }

  count() {
    const left = CHARS - [...this.area.value.trim()].length;
    this.left.value = String(left);
    this.left.classList.toggle("over", left < 0);
  }

  /** @param {boolean} shown */
  show(shown) {
    if (this.form.hidden === !shown) return;
    this.form.hidden = !shown;
    this.error.textContent = "";
    this.count();
    document.body.classList.toggle("carded", document.querySelector(".card:not([hidden])") !== null);
    if (!shown && this.form.contains(document.activeElement)) find("sky").focus();
  }

  /**
   * Ask the server; its refusal is shown here.
   * @param {Promise<any> | undefined} answer
   * @returns {Promise<any>} undefined if refused
   */
  async ask(answer) {
    const buttons = this.form.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    try {
      return (await answer) ?? true;
    } catch (refused) {
      this.error.textContent = /** @type {Error} */ (refused).message;
      return undefined;
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }
}

export class Bottles {
  #write = new Card("write");
  #found = new Card("found");
  #holding = false;
  #telling = 0;
  /** @type {Set<string>} bottles that we threw: they are for others */
  #thrown = new Set();
  #game;

  /** @param {NetworkClient} game */
  constructor(game) {
    this.#game = game;
    find("throw").addEventListener("click", () => (this.#write.form.hidden ? this.write() : this.#write.show(false)));
    this.#write.form.querySelector(".close")?.addEventListener("click", () => this.#write.show(false));
    this.#write.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#throw();
    });
    this.#found.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#answer();
    });
    find("toss").addEventListener("click", () => this.#toss());
  }

  /** Let the player write a message. */
  write() {
    this.#write.show(true);
    this.#write.area.focus();
  }

  /**
   * Say something shortly.
   * @param {string} text
   */
  tell(text) {
    find("told").textContent = text;
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => { find("told").textContent = ""; }, TOLD_MS);
  }

  /**
   * The craft shows whether there is a bottle on its deck; what is in it we have to ask for.
   * @param {boolean} holding
   */
  hold(holding) {
    if (holding === this.#holding) return;
    this.#holding = holding;
    if (holding) this.#read();
    else this.#found.show(false);
  }

  async #read() {
    try {
      const note = /** @type {Map<string, string>} */ (await this.#game.act("Read"));
      if (!this.#holding) return;
      find("from").textContent = `You fished a bottle from ${note.get("name")}`;
      find("message").textContent = note.get("text") ?? "";
      this.#found.area.value = "";
      this.#found.show(true);
    } catch { /* it is gone already */ }
  }

  /**
   * Whether a bottle is one that we threw.
   * @param {{slot: number, generation: number}} row
   */
  isOwn(row) {
    return this.#thrown.has(`${row.slot} ${row.generation}`);
  }

  /** @param {Map<string, number>} place */
  #remember(place) {
    this.#thrown.add(`${place.get("slot")} ${place.get("generation")}`);
  }

  async #throw() {
    const text = this.#write.area.value;
    const place = await this.#write.ask(this.#game.act("Throw", { text }));
    if (place === undefined) return;
    this.#remember(place);
    this.#write.area.value = "";
    this.#write.show(false);
    this.tell("Your bottle is adrift.");
  }

  async #answer() {
    const answer = await this.#found.ask(this.#game.act("Answer", { text: this.#found.area.value }));
    if (answer === undefined) return;
    if (answer.size) this.#remember(answer);
    this.tell(answer.size ? "The writer is not here: your answer drifts on." : "Your answer has arrived.");
  }

  async #toss() {
    const place = await this.#found.ask(this.#game.act("Toss"));
    if (place === undefined) return;
    this.#remember(place);
    this.tell("It drifts on, for somebody else.");
  }
}
