// What fields a schema may have: reading one (wire clause 7.1, 7.2).

import { MessageError } from "./errors.js";
import { Field } from "./field.js";
import { MAX_CHOICES, MAX_DATA_BYTES, MAX_NAME_CHARS, MAX_TEXT_CHARS, MAX_UNIT_CHARS } from "./limits.js";

export { Field } from "./field.js";

/** @typedef {import("./field.js").FieldValue} FieldValue */
/** @typedef {import("./field.js").Rule} Rule */

const NAME = /^\p{ID_Start}\p{ID_Continue}*$/u;

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

/**
 * The rule of a quaternion (7.5).
 * @param {Map<string, unknown>} map
 * @returns {Rule}
 */
function turn(map) {
  const value = map.get("interpolate") ?? "arc";
  if (value !== "arc" && value !== "step") throw new MessageError("schema: interpolate of a quaternion is not arc or step");
  return value;
}

/**
 * What the values are measured in (7.6).
 * @param {Map<string, unknown>} map
 */
function unit(map) {
  const value = map.get("unit") ?? "";
  if (typeof value !== "string" || (map.has("unit") && value === "") || [...value].length > MAX_UNIT_CHARS) {
    throw new MessageError(`schema: unit is not a text of 1 to ${MAX_UNIT_CHARS} characters`);
  }
  return value;
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
  ["flag", (name, map) => {
    const snap = map.get("snap") ?? false;
    if (typeof snap !== "boolean") throw new MessageError("schema: snap is not true or false");
    return new Field(name, "flag", { max: 1, snap });
  }],
  ["choice", (name, map) => {
    const choices = map.get("choices");
    if (!Array.isArray(choices) || choices.length < 1 || choices.length > MAX_CHOICES || !choices.every((each) => typeof each === "string")) {
      throw new MessageError("schema: choices is not a list of texts");
    }
    return new Field(name, "choice", { max: choices.length - 1, choices });
  }],
  ["quaternion", (name, map) => new Field(name, "quaternion", { max: 2 ** whole(map, "bits", 2, 15) - 1, rule: turn(map) })],
  ["text", (name, map) => new Field(name, "text", { length: whole(map, "max", 1, MAX_TEXT_CHARS) })],
  ["data", (name, map) => new Field(name, "data", { length: whole(map, "max", 1, MAX_DATA_BYTES) })],
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
  field.unit = unit(fields);
  const value = fields.get("default");
  if (value === undefined) return field;
  if (!field.accepts(value)) throw new MessageError(`schema: the default of ${name} does not fit`);
  field.default = /** @type {number | string} */ (value);
  return field;
}
