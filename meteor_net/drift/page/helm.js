// Steering: keys, mouse and touch become one Steer, told for each picture; the client makes an input of it once a tick.

/** @typedef {import("./sky.js").Sky} Sky */

/** @type {Record<string, "left" | "right" | "fly">} */
const KEYS = { ArrowLeft: "left", KeyA: "left", ArrowRight: "right", KeyD: "right", ArrowUp: "fly", KeyW: "fly", Space: "fly" };
const TAP_MS = 60; // a key counts as held for a tick at the least
const REST_MS = 1000; // a craft that lay still for so long, and nobody steers, needs no helm
const NEAR = 45; // pixels from the craft within which a pointer only turns it

/**
 * Whether a key is for a field of text, not for the craft.
 * @param {EventTarget | null} target
 */
export const isTyping = (target) => target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;

export class Helm {
  /** @type {Map<string, number>} keys, and when they went down */
  #held = new Map();
  /** @type {{id: number, x: number, y: number} | null} */
  #pointer = null;
  #me = { x: 0, y: 0, heading: 0 };
  #busyAt = -Infinity;
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

  /**
   * @param {KeyboardEvent} event
   * @param {boolean} down
   */
  #key(event, down) {
    const what = KEYS[event.code];
    if (what === undefined) return;
    if (!down) this.#letGo(event.code);
    if (!down || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.code === "Space" && event.target instanceof HTMLButtonElement) return;
    event.preventDefault();
    if (this.#held.has(event.code)) return;
    this.#held.set(event.code, performance.now());
    this.steer(this.#me); // so that the next picture shows it
  }

  /** @param {string} code */
  #letGo(code) {
    const since = this.#held.get(code);
    if (since !== undefined) setTimeout(() => { if (this.#held.get(code) === since) this.#held.delete(code); }, since + TAP_MS - performance.now());
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
    const what = new Set([...this.#held.keys()].map((code) => KEYS[code]));
    return { turn: Number(what.has("right")) - Number(what.has("left")), thrust: what.has("fly") };
  }

  /**
   * Tell what the player wants, as long as the helm is in use or the craft has not come to rest.
   * @param {{x: number, y: number, heading: number}} me
   * @returns {boolean} Whether the helm is in use.
   */
  steer(me) {
    const now = performance.now();
    const wish = this.#wish(me);
    const used = wish.turn !== 0 || wish.thrust;
    const moves = me.x !== this.#me.x || me.y !== this.#me.y || me.heading !== this.#me.heading;
    this.#me = { x: me.x, y: me.y, heading: me.heading };
    if (used || (moves && now - this.#busyAt < REST_MS)) this.#busyAt = now;
    if (now - this.#busyAt < REST_MS) this.#send(wish);
    return used;
  }
}
