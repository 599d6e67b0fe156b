// Room that is used again and again, for what lasts no longer than the reading of a frame: making typed arrays takes longer than filling
// them.

/** More is made for the occasion, and not kept. */
const KEPT = 1 << 16;

/** @template {Uint8Array | Int32Array | Uint32Array | Float64Array} Numbers */
export class Scratch {
  #kind;
  #kept;

  /** @param {new (length: number) => Numbers} kind */
  constructor(kind) {
    this.#kind = kind;
    this.#kept = new kind(256);
  }

  /**
   * Room for `count` numbers or more, with anything in it; the one that was given before is given again.
   * @param {number} count
   * @returns {Numbers}
   */
  room(count) {
    if (count > KEPT) return new this.#kind(count);
    if (count > this.#kept.length) this.#kept = new this.#kind(Math.min(2 * count, KEPT));
    return this.#kept;
  }
}
