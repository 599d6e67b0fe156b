// Steering: keys, mouse and touch become one Steer, sent when it changes and now and then while it holds.

/** @typedef {import("./sky.js").Sky} Sky */

/** @type {Record<string, "left" | "right" | "fly">} */
const KEYS = { ArrowLeft: "left", KeyA: "left", ArrowRight: "right", KeyD: "right", ArrowUp: "fly", KeyW: "fly", Space: "fly" };
const LEAST_MS = 50; // one tick
const AGAIN_MS = 500; // an input may be lost; the next one mends it
const NEAR = 45; // pixels from the craft within which a pointer only turns it

/**
 * Whether a key is for a field of text, not for the craft.
 * @param {EventTarget | null} target
 */
export const isTyping = (target) => target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;

export class Helm {
  /** @type {Set<string>} */
  #held = new Set();
  /** @type {{id: number, x: number, y: number} | null} */
  #pointer = null;
  #sent = { turn: 0, thrust: false };
  #sentAt = -Infinity;
  #settled = true;
  #sky;
  #send;

  /**
   * @param {Sky} sky
   * @param {(steer: {turn: number, thrust: boolean}) => void} send
   */
  constructor(sky, send) {
    this.#sky = sky;
    this.#send = send;
    addEventListener("keydown", (event) => this.#key(event, true));
    addEventListener("keyup", (event) => this.#key(event, false));
    addEventListener("blur", () => this.release());
    const { canvas } = sky;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.focus();
      canvas.setPointerCapture(event.pointerId);
      this.#pointer = { id: event.pointerId, x: event.clientX, y: event.clientY };
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.#pointer?.id === event.pointerId) Object.assign(this.#pointer, { x: event.clientX, y: event.clientY });
    });
    for (const end of /** @type {const} */ (["pointerup", "pointercancel", "lostpointercapture"])) {
      canvas.addEventListener(end, (event) => {
        if (this.#pointer?.id === event.pointerId) this.#pointer = null;
      });
    }
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /** Let go of everything. */
  release() {
    this.#held.clear();
    this.#pointer = null;
  }

  /** The server may have forgotten what we said: say it again. */
  repeat() {
    this.#settled = false;
    this.#sentAt = -Infinity;
  }

  /**
   * @param {KeyboardEvent} event
   * @param {boolean} down
   */
  #key(event, down) {
    const what = KEYS[event.code];
    if (what === undefined) return;
    if (!down) this.#held.delete(event.code);
    if (!down || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.code === "Space" && event.target instanceof HTMLButtonElement) return;
    event.preventDefault();
    this.#held.add(event.code);
  }

  /**
   * What the player wants now.
   * @param {{x: number, y: number, heading: number}} me
   */
  #wish(me) {
    if (this.#pointer !== null) {
      const at = this.#sky.toScreen(me);
      const [dx, dy] = [this.#pointer.x - at.x, this.#pointer.y - at.y];
      let off = Math.atan2(dy, dx) - me.heading;
      off -= 2 * Math.PI * Math.round(off / (2 * Math.PI));
      // Gently at the end: what we see is a moment old, and full helm would overshoot.
      const turn = Math.abs(off) < 0.05 ? 0 : Math.max(-1, Math.min(1, off * 1.2));
      return { turn: Math.round(turn * 16) / 16, thrust: Math.hypot(dx, dy) > NEAR && Math.abs(off) < 1.3 };
    }
    const what = new Set([...this.#held].map((code) => KEYS[code]));
    return { turn: Number(what.has("right")) - Number(what.has("left")), thrust: what.has("fly") };
  }

  /**
   * Send what the player wants, if it is time to.
   * @param {{x: number, y: number, heading: number}} me
   * @returns {boolean} Whether the helm is in use.
   */
  steer(me) {
    const now = performance.now();
    const wish = this.#wish(me);
    const active = wish.turn !== 0 || wish.thrust;
    const changed = wish.turn !== this.#sent.turn || wish.thrust !== this.#sent.thrust;
    if (now - this.#sentAt < (changed ? LEAST_MS : AGAIN_MS) || (!changed && !active && this.#settled)) return active;
    this.#settled = !changed && !active; // a word of rest is said twice, then there is silence
    this.#sent = wish;
    this.#sentAt = now;
    this.#send(wish);
    return active;
  }
}
