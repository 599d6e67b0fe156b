// The rows of one ring of a keyed table, and what their columns can hold (wire clauses 8.16, 8.22).

import { checksumOf } from "./checksum.js";
import { FrameError } from "./errors.js";

/** @typedef {import("./field.js").Column} Column */
/** @typedef {import("./schema.js").Kind} Kind */

/** What an integer column can hold, and how it wraps (8.16). */
export class Domain {
  /** @param {Column} column */
  constructor({ min, max, ring }) {
    this.min = min;
    this.max = max;
    /** Bits of a value that travels raw. */
    this.width = 32 - Math.clz32(max - min);
    this.modulus = ring || 2 ** 32;
    /** Sums are brought to the `modulus` integers from here on. */
    this.begin = ring ? min : -(2 ** 31);
    /** Differences of least magnitude are from `below` on, and less than `above`. */
    this.below = -Math.floor(this.modulus / 2);
    this.above = this.modulus + this.below;
  }

  /**
   * A sum, brought into the domain.
   * @param {number} sum
   */
  fold(sum) {
    if (sum >= this.min && sum <= this.max) return sum;
    const n = sum - Math.floor((sum - this.begin) / this.modulus) * this.modulus;
    if (n < this.min || n > this.max) throw new FrameError("a value leaves its domain");
    return n;
  }

  /**
   * A sum modulo the modulus; what is outside of the domain then, which nobody sends, is its border.
   * @param {number} sum
   */
  nearest(sum) {
    return Math.min(Math.max(sum - Math.floor((sum - this.begin) / this.modulus) * this.modulus, this.min), this.max);
  }

  /**
   * A difference, brought to its least magnitude.
   * @param {number} v
   */
  least(v) {
    return v >= this.below && v < this.above ? v : v - Math.floor((v - this.below) / this.modulus) * this.modulus;
  }
}

/** The rows of one ring, by their places in ascending slot; never changed once it is told. */
export class Ring {
  /**
   * @param {Int32Array} slots
   * @param {Int32Array} generations
   * @param {Int32Array[]} values By integer column.
   * @param {Int32Array[]} velocities
   * @param {(string | Uint8Array)[][]} texts By text or data column.
   */
  constructor(slots, generations, values, velocities, texts) {
    this.slots = slots;
    this.generations = generations;
    this.values = values;
    this.velocities = velocities;
    this.texts = texts;
  }

  /**
   * One with room for rows.
   * @param {Kind} kind
   * @param {number} size
   */
  static of({ columns, apart }, size) {
    const column = () => new Int32Array(size);
    return new Ring(column(), column(), columns.map(column), columns.map(column), apart.map(() => []));
  }

  /**
   * Take a row of another one.
   * @param {number} i
   * @param {Ring} from
   * @param {number} j
   */
  put(i, from, j) {
    this.slots[i] = from.slots[j];
    this.generations[i] = from.generations[j];
    for (let c = 0; c < this.values.length; c++) {
      this.values[c][i] = from.values[c][j];
      this.velocities[c][i] = from.velocities[c][j];
    }
    for (let t = 0; t < this.texts.length; t++) this.texts[t][i] = from.texts[t][j];
  }

  /** The checksum (8.24). */
  crc() {
    const size = this.slots.length;
    const words = new Int32Array(1 + (2 + this.values.length) * size);
    words[0] = size;
    [this.slots, this.generations, ...this.values].forEach((column, i) => words.set(column, 1 + i * size));
    return checksumOf(words);
  }
}
