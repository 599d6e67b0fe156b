// How a field's value becomes an integer and back (wire clause 7.1, 7.2).
//
// Quantizing is `floor(v / step + 0.5)`, here and on the server, in the same 64-bit floats: both ends get the same integer.

import { MessageError } from "./errors.js";
import { MAX_CHOICES, MAX_NAME_CHARS, MAX_TEXT_CHARS } from "./limits.js";

/** @typedef {number | boolean | string} FieldValue */
/** @typedef {"linear" | "arc" | "step"} Rule */

const TURN = 2 * Math.PI;
const NAME = /^\p{ID_Start}\p{ID_Continue}*$/u;

/** One field of a table, an action or an event. */
export class Field {
  /**
   * @param {string} name
   * @param {string} kind
   * @param {{step?: number, low?: number, high?: number, wrap?: boolean, min?: number, max?: number, choices?: string[], chars?: number, rule?: Rule}} shape
   */
  constructor(name, kind, shape) {
    this.name = name;
    this.kind = kind;
    this.step = shape.step ?? 1;
    this.low = shape.low ?? 0;
    this.high = shape.high ?? 0;
    this.wrap = shape.wrap ?? false;
    /** The integer's domain. */
    this.min = shape.min ?? 0;
    this.max = shape.max ?? 0;
    this.choices = shape.choices ?? [];
    /** Characters, of a text. */
    this.chars = shape.chars ?? 0;
    /** @type {Rule} */
    this.rule = shape.rule ?? "step";
    /** Integers are reduced modulo this; 0: they are not. */
    this.modulus = this.wrap || kind === "angle" ? this.max + 1 : 0;
    this.isText = kind === "text";
    /** @type {number | string} Of an action: what travels where the player gives nothing (7.1). */
    this.default = this.isText ? "" : 0;
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
    if (!this.fits(value)) throw new MessageError(`${this.name}: more than ${this.chars} characters`);
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
   * Whether a text is short enough; characters are code points.
   * @param {string} text
   */
  fits(text) {
    return text.length <= this.chars || (text.length <= 2 * this.chars && [...text].length <= this.chars);
  }

  /**
   * Whether an integer lies in the domain (8.8).
   * @param {number} n
   */
  holds(n) {
    return n >= this.min && n <= this.max;
  }
}

/**
 * @param {Map<string, unknown>} map
 * @param {string} key
 * @param {number} least
 * @param {number} most
 */
function whole(map, key, least, most) {
  const value = map.get(key);
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw new MessageError(`schema: ${key} is not a whole number from ${least} to ${most}`);
  }
  return value;
}

/**
 * @param {Map<string, unknown>} map
 * @param {string} key
 */
function number(map, key) {
  const value = map.get(key);
  if (typeof value !== "number") throw new MessageError(`schema: ${key} is not a number`);
  return value;
}

/**
 * @param {Map<string, unknown>} map
 * @param {boolean} [wraps]
 * @returns {Rule | undefined}
 */
function rule(map, wraps = false) {
  const value = map.get("interpolate");
  if (value === undefined || value === "linear" || value === "step" || (value === "arc" && wraps)) return value;
  throw new MessageError("schema: interpolate is not linear, step, or, where values wrap, arc");
}

/** @type {Map<string, (name: string, map: Map<string, unknown>) => Field>} */
const KINDS = new Map([
  ["fixed", (name, map) => {
    const step = number(map, "step");
    const low = number(map, "low");
    const high = number(map, "high");
    const wrap = map.get("wrap") ?? false;
    const top = (high - low) / step;
    if (typeof wrap !== "boolean") throw new MessageError("schema: wrap is not true or false");
    const steps = Math.round(top);
    if (!(step > 0 && steps >= 1 && steps <= 2 ** 31 - (wrap ? 0 : 1))) throw new MessageError(`schema: ${name} has no domain`);
    if (Math.abs(top - steps) > 1e-3) throw new MessageError(`schema: ${name} is no whole number of steps wide`);
    return new Field(name, "fixed", { step, low, high, wrap, max: wrap ? steps - 1 : steps, rule: rule(map, wrap) ?? (wrap ? "arc" : "linear") });
  }],
  ["angle", (name, map) => new Field(name, "angle", { max: 2 ** whole(map, "bits", 1, 31) - 1, rule: rule(map, true) ?? "arc" })],
  ["uint", (name, map) => new Field(name, "uint", { max: 2 ** whole(map, "bits", 1, 31) - 1, rule: rule(map) })],
  ["int", (name, map) => {
    const half = 2 ** (whole(map, "bits", 2, 32) - 1);
    return new Field(name, "int", { min: -half, max: half - 1, rule: rule(map) });
  }],
  ["flag", (name) => new Field(name, "flag", { max: 1 })],
  ["choice", (name, map) => {
    const choices = map.get("choices");
    if (!Array.isArray(choices) || choices.length < 1 || choices.length > MAX_CHOICES || !choices.every((each) => typeof each === "string")) {
      throw new MessageError("schema: choices is not a list of texts");
    }
    return new Field(name, "choice", { max: choices.length - 1, choices });
  }],
  ["text", (name, map) => new Field(name, "text", { chars: whole(map, "max", 1, MAX_TEXT_CHARS) })],
]);

/**
 * The name of a table, an action, an event or a field.
 * @param {unknown} map
 * @returns {string}
 */
export function nameOf(map) {
  const name = map instanceof Map ? map.get("name") : undefined;
  if (typeof name !== "string" || [...name].length > MAX_NAME_CHARS || !NAME.test(name)) throw new MessageError("schema: a name is missing or is no identifier");
  return name;
}

/**
 * Read one field of a schema.
 * @param {unknown} map
 * @returns {Field}
 * @throws {MessageError} If it breaks a rule of 7.1 or a bound.
 */
export function parseField(map) {
  const name = nameOf(map);
  const fields = /** @type {Map<string, unknown>} */ (map);
  const make = KINDS.get(String(fields.get("kind")));
  if (make === undefined) throw new MessageError(`schema: ${name} is of an unknown kind`);
  const field = make(name, fields);
  const value = fields.get("default");
  if (value === undefined) return field;
  const fits = typeof value === "string" ? field.isText && field.fits(value) : !field.isText && Number.isInteger(value) && field.holds(/** @type {number} */ (value));
  if (!fits) throw new MessageError(`schema: the default of ${name} does not fit`);
  field.default = /** @type {number | string} */ (value);
  return field;
}
