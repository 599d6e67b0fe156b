// The integers of our own rows: what a game's `step` works on (docs/explanation/prediction.md).

/** @typedef {import("./field.js").Field} Field */
/** @typedef {import("./field.js").FieldValue} FieldValue */
/** @typedef {import("./messages.js").OwnRow} OwnRow */
/** @typedef {import("./replica.js").Version} Version */

/** @typedef {Record<string, number>} Integers the integers of some fields, by name, as they are on the wire */
/**
 * One tick of a player: changes `s`, the integers of its own rows, as the input `i` says. The server runs the same.
 * @typedef {(s: Integers, i: Integers) => void} Step
 */
/**
 * @typedef {object} OwnField a field of one of our rows
 * @property {Field} field
 * @property {string} table
 * @property {number} slot
 * @property {number} generation
 * @property {number} value its integer
 */

/** Names from the network: no prototype that a name such as __proto__ could reach. @returns {Integers} */
export const noIntegers = () => Object.create(null);

/**
 * The remainder that is never negative.
 * @param {number} value
 * @param {number} modulus
 */
const rest = (value, modulus) => value - Math.floor(value / modulus) * modulus;

/**
 * The fields of our rows in a version, the first of each name.
 * @param {Version} version
 * @param {OwnRow[]} rows
 * @returns {OwnField[] | null} null if one of the rows is not in it, or there is none
 */
export function ownFields(version, rows) {
  /** @type {Map<string, OwnField>} */
  const own = new Map();
  for (const [t, slot] of rows) {
    const table = version.tables[t];
    if (!table?.alive[slot]) return null;
    let column = 0;
    for (const field of table.kind.fields) {
      const value = field.isApart || field.isRotation ? null : table.columns[column][slot];
      if (value !== null && !own.has(field.name)) {
        own.set(field.name, { field, table: table.kind.name, slot, generation: table.generations[slot], value });
      }
      column += field.columns.length;
    }
  }
  return rows.length ? [...own.values()] : null;
}

/**
 * Whether two lists are of the same fields of the same rows.
 * @param {OwnField[]} some
 * @param {OwnField[]} others
 */
export function sameRows(some, others) {
  return some.length === others.length
    && some.every(({ field, slot, generation }, n) => field === others[n].field && slot === others[n].slot && generation === others[n].generation);
}

/**
 * Run a step; afterwards each integer is within its domain again.
 * @param {Step} step
 * @param {Integers} s what is changed
 * @param {Integers} i
 * @param {OwnField[]} own
 * @throws {TypeError} If the step leaves anything but integers of these fields.
 */
export function run(step, s, i, own) {
  step(s, i);
  if (Object.keys(s).length !== own.length) throw new TypeError("the step sets fields that are not there");
  for (const { field } of own) {
    const value = s[field.name];
    if (!Number.isSafeInteger(value)) throw new TypeError(`the step leaves ${value} in ${field.name}: not an integer`);
    s[field.name] = settled(field, value);
  }
}

/**
 * A number within the field's domain: round and round where it wraps.
 * @param {Field} field
 * @param {number} value
 */
export function settled({ modulus, min, max }, value) {
  return modulus ? rest(value, modulus) : Math.min(Math.max(value, min), max) + 0; // never -0
}

/**
 * The way between two numbers of a field, by its rule: the shorter one where it is an `arc`.
 * @param {Field} field
 * @param {number} from
 * @param {number} to
 */
export function wayOf({ rule, modulus }, from, to) {
  if (rule !== "arc") return to - from;
  const half = Math.floor(modulus / 2);
  return rest(to - from + half, modulus) - half;
}

/**
 * A number on the way, as it is drawn, within the domain.
 * @param {Field} field
 * @param {number} value
 */
export function drawn({ rule, modulus, min, max }, value) {
  return rule === "arc" ? rest(value, modulus) : Math.min(Math.max(value, min), max);
}
