// One field: how its value becomes integers and back (wire clause 7.1, 7.2).
//
// Quantizing is `floor(v / step + 0.5)`, here and on the server, in the same 64-bit floats: both ends get the same integer.

import { MessageError } from "./errors.js";

/** @typedef {import("./rotation.js").Quaternion} Quaternion */
/** @typedef {number | boolean | string | Uint8Array | Quaternion} FieldValue */
/** @typedef {"linear" | "arc" | "step"} Rule */
/**
 * @typedef {object} Shape
 * @property {number} [step]
 * @property {number} [low]
 * @property {number} [high]
 * @property {boolean} [wrap]
 * @property {number} [min]
 * @property {number} [max]
 * @property {string[]} [choices]
 * @property {number} [length]
 * @property {Rule} [rule]
 * @property {boolean} [snap]
 */

const TURN = 2 * Math.PI;
const NO_BYTES = new Uint8Array(0);

/** An integer column of a table: all or a part of what travels of a field. */
export class Column {
  /**
   * @param {string} name
   * @param {number} min
   * @param {number} max
   * @param {number} modulus of a field that wraps; 0: it does not
   * @param {number} [part] of a quaternion: 0 the place of the largest, 1 to 3 the others
   */
  constructor(name, min, max, modulus, part = 0) {
    this.name = name;
    this.min = min;
    this.max = max;
    this.modulus = modulus;
    this.part = part;
    /** How many values there are. */
    this.values = max - min + 1;
    /** What sums are taken modulo in the coding `eg` (8.16); 0: 2^32. */
    this.ring = modulus || (this.values >= 2 && this.values <= 4 ? this.values : 0);
  }
}

/** One field of a table, an action or an event. */
export class Field {
  /**
   * @param {string} name
   * @param {string} kind
   * @param {Shape} shape
   */
  constructor(name, kind, shape) {
    this.name = name;
    this.kind = kind;
    this.step = shape.step ?? 1;
    this.low = shape.low ?? 0;
    this.high = shape.high ?? 0;
    this.wrap = shape.wrap ?? false;
    /** The integer's domain; of a quaternion that of its three. */
    this.min = shape.min ?? 0;
    this.max = shape.max ?? 0;
    this.choices = shape.choices ?? [];
    /** The most characters of a text, or bytes of data. */
    this.length = shape.length ?? 0;
    /** @type {Rule} */
    this.rule = shape.rule ?? "step";
    /** Of a flag: where it differs between two versions the row jumped (7.2). */
    this.snap = shape.snap ?? false;
    /** What the values are measured in, for people (7.6). */
    this.unit = "";
    /** Integers are reduced modulo this; 0: they are not. */
    this.modulus = this.wrap || kind === "angle" ? this.max + 1 : 0;
    this.isText = kind === "text";
    this.isData = kind === "data";
    this.isRotation = kind === "quaternion";
    /** Travels beside the integers (8.4). */
    this.isApart = this.isText || this.isData;
    /** Its integer columns, side by side. */
    this.columns = this.#columns();
    /** What a row has that nothing was said of; null where that is an integer. @type {string | Uint8Array | null} */
    this.blank = this.isText ? "" : this.isData ? NO_BYTES : null;
    /** @type {number | string} Of an action: what travels where the player gives nothing (7.1). */
    this.default = this.isText ? "" : 0;
  }

  /** @returns {Column[]} */
  #columns() {
    if (this.isApart) return [];
    if (!this.isRotation) return [new Column(this.name, this.min, this.max, this.modulus)];
    const three = [1, 2, 3].map((part) => new Column(`${this.name}.${"abc"[part - 1]}`, 0, this.max, 0, part));
    return [new Column(`${this.name}.largest`, 0, 3, 0), ...three];
  }

  /**
   * The integer on the wire of a value (7.1, 7.2); a text stays a text.
   * @param {unknown} value
   * @returns {number | string}
   * @throws {MessageError} If the value is of a wrong type, is no choice, or is a text that is too long.
   */
  quantize(value) {
    if (this.isText) return this.#text(value);
    if (this.kind === "choice") return this.#choice(value);
    if (this.kind === "flag" && typeof value === "boolean") return value ? 1 : 0;
    if (typeof value !== "number") throw new MessageError(`${this.name}: ${typeof value} is not a number`);
    if (this.kind === "flag") return value ? 1 : 0;
    return this.#number(value);
  }

  /**
   * @param {number} value
   * @returns {number}
   */
  #number(value) {
    if (Number.isNaN(value)) return this.kind === "fixed" ? this.#number(this.low <= 0 && this.high >= 0 ? 0 : this.low) : Math.max(this.min, 0);
    const scaled = this.kind === "angle" ? (value / TURN) * (this.max + 1) : (value - this.low) / this.step;
    const n = Math.floor(scaled + 0.5);
    if (this.modulus && Number.isFinite(n)) return ((n % this.modulus) + this.modulus) % this.modulus;
    return Math.min(Math.max(n, this.min), this.max);
  }

  /** @param {unknown} value */
  #text(value) {
    if (typeof value !== "string") throw new MessageError(`${this.name}: ${typeof value} is not text`);
    if (!this.fits(value)) throw new MessageError(`${this.name}: more than ${this.length} characters`);
    return value;
  }

  /** @param {unknown} value */
  #choice(value) {
    const n = this.choices.indexOf(/** @type {string} */ (value));
    if (n < 0) throw new MessageError(`${this.name}: ${JSON.stringify(value)} is no choice`);
    return n;
  }

  /**
   * The value of an integer of the domain (7.1). A fraction between two integers gives a value between.
   * @param {number} n
   * @returns {FieldValue}
   */
  dequantize(n) {
    switch (this.kind) {
      case "fixed": return this.low + n * this.step;
      case "angle": return (n / this.modulus) * TURN;
      case "flag": return n !== 0;
      case "choice": return this.choices[n];
      default: return n;
    }
  }

  /**
   * Whether this is a text or data, and short enough; characters are code points.
   * @param {unknown} value
   */
  fits(value) {
    if (this.isData) return value instanceof Uint8Array && value.length <= this.length;
    if (!this.isText || typeof value !== "string") return false;
    return value.length <= this.length || (value.length <= 2 * this.length && [...value].length <= this.length);
  }

  /**
   * Whether this may travel as the field's value in an action or event (7.4).
   * @param {unknown} value
   */
  accepts(value) {
    return this.isApart ? this.fits(value) : Number.isInteger(value) && this.holds(/** @type {number} */ (value));
  }

  /**
   * Whether an integer lies in the domain (8.8).
   * @param {number} n
   */
  holds(n) {
    return n >= this.min && n <= this.max;
  }
}
