// The schema: which tables, actions and events a room has (wire clause 7).

import { MessageError } from "./errors.js";
import { nameOf, parseField } from "./fields.js";
import { MAX_COLUMNS, MAX_DOCUMENTS, MAX_FIELDS, MAX_KINDS, MAX_TABLES } from "./limits.js";

/** @typedef {import("./fields.js").Field} Field */
/** @typedef {import("./fields.js").FieldValue} FieldValue */

/** @typedef {{kind: string, rings: number}} Key of a keyed table (8.19), and at how many rates its rows are told */

/** Kinds of keys. */
const KEYS = ["cells", "team", "owner"];
const MAX_RINGS = 4;

/** A table, an action or an event: a name and its fields. */
export class Kind {
  /**
   * @param {string} name
   * @param {number} number
   * @param {Field[]} fields
   * @param {boolean} [input] of an action: an input (9.2)
   * @param {Key | null} [key] of a table: what its keys are; null if it has none
   */
  constructor(name, number, fields, input = false, key = null) {
    this.name = name;
    this.number = number;
    this.fields = fields;
    this.input = input;
    this.key = key;
    /** The integer columns: of the fields without texts and data (8.5). */
    this.columns = fields.flatMap((field) => field.columns);
    /** The places of the fields that travel beside the integers. */
    this.apart = fields.flatMap((field, f) => (field.isApart ? [f] : []));
    this.byName = new Map(fields.map((field) => [field.name, field]));
    if (this.byName.size !== fields.length) throw new MessageError(`schema: ${name} has a field twice`);
    /** The places of the columns that tell by another value that a row jumped (7.2). */
    this.snaps = this.columns.flatMap((column, c) => (this.byName.get(column.name)?.snap ? [c] : []));
  }

  /**
   * The values of an action on the wire (7.4): fields that are not given have the author's default.
   * @param {Record<string, unknown>} given
   * @returns {(number | string)[]}
   * @throws {MessageError} If a field is unknown or a value does not fit.
   */
  toWire(given) {
    for (const key of Object.keys(given)) {
      if (!this.byName.has(key)) throw new MessageError(`${this.name} has no field ${key}`);
    }
    return this.fields.map((field) => (Object.hasOwn(given, field.name) ? field.quantize(given[field.name]) : field.default));
  }

  /**
   * An event's values by name (7.4).
   * @param {(number | string)[]} values
   * @returns {Record<string, FieldValue>}
   * @throws {MessageError} If the values do not fit the fields.
   */
  fromWire(values) {
    if (values.length !== this.fields.length) throw new MessageError(`${this.name} has ${this.fields.length} fields`);
    /** @type {Record<string, FieldValue>} */
    const named = Object.create(null);
    this.fields.forEach((field, i) => {
      const value = values[i];
      if (!field.accepts(value)) throw new MessageError(`${this.name}: ${field.name} does not fit`);
      named[field.name] = typeof value === "string" ? value : field.dequantize(value);
    });
    return named;
  }
}

/** A room's schema (7.1). */
export class Schema {
  /**
   * @param {Kind[]} tables
   * @param {Kind[]} actions
   * @param {Kind[]} events
   * @param {string[]} [documents]
   */
  constructor(tables, actions, events, documents = []) {
    this.tables = tables;
    this.actions = actions;
    this.events = events;
    /** The names of the documents (8.25). */
    this.documents = documents;
    this.actionsByName = new Map(actions.map((kind) => [kind.name, kind]));
    this.tablesByName = new Map(tables.map((kind) => [kind.name, kind]));
  }

  /**
   * Read a schema as JOINED brings it.
   * @param {unknown} map
   * @returns {Schema}
   * @throws {MessageError} If it breaks a rule of clause 7 or a bound.
   */
  static parse(map) {
    if (!(map instanceof Map)) throw new MessageError("schema: not a map");
    const tables = kinds(map.get("tables"), MAX_TABLES);
    for (const { name, columns } of tables) if (columns.length > MAX_COLUMNS) throw new MessageError(`schema: ${name} has too many columns`);
    const actions = kinds(map.get("actions"), MAX_KINDS);
    const events = kinds(map.get("events"), MAX_KINDS);
    for (const { name, fields } of [...actions, ...events]) {
      if (fields.some((field) => field.isRotation || field.isData)) throw new MessageError(`schema: ${name} has a field that is for tables only`); // 7.4
    }
    return new Schema(tables, actions, events, documentNames(map.get("documents") ?? [], tables));
  }
}

/**
 * @param {unknown} list
 * @param {Kind[]} tables
 */
function documentNames(list, tables) {
  if (!Array.isArray(list) || list.length > MAX_DOCUMENTS) throw new MessageError("schema: documents is a list of names");
  const names = list.map((name) => nameOf(new Map([["name", name]])));
  if (new Set([...names, ...tables.map((kind) => kind.name)]).size !== names.length + tables.length) throw new MessageError("schema: a name occurs twice");
  return names;
}

/**
 * What the keys of a table are.
 * @param {string} name
 * @param {unknown} map
 * @returns {Key | null}
 */
function keyOf(name, map) {
  if (map === undefined) return null;
  const key = map instanceof Map ? { kind: map.get("kind"), rings: map.get("rings") } : null;
  if (key === null || !KEYS.includes(key.kind) || !Number.isInteger(key.rings) || key.rings < 1 || key.rings > MAX_RINGS) {
    throw new MessageError(`schema: ${name} has a key that is none`);
  }
  return key;
}

/**
 * @param {unknown} list
 * @param {number} most
 */
function kinds(list, most) {
  if (!Array.isArray(list) || list.length > most) throw new MessageError("schema: tables, actions and events are lists");
  const all = list.map((map, i) => {
    const name = nameOf(map);
    const fields = map.get("fields");
    if (!Array.isArray(fields) || fields.length > MAX_FIELDS) throw new MessageError(`schema: ${name} has no list of fields`);
    return new Kind(name, i, fields.map(parseField), map.get("input") === true, keyOf(name, map.get("key")));
  });
  if (new Set(all.map((kind) => kind.name)).size !== all.length) throw new MessageError("schema: a name occurs twice");
  return all;
}
