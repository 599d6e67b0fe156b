import { MessageError } from "/meteor-net/errors.js";
import { parseField } from "/meteor-net/fields.js";
import { Schema } from "/meteor-net/schema.js";
import { close, equal, mutate, ok, seeded, survives, test, throws, toWire, vectors } from "/tests/harness.js";
import { toIntegers, toNumbers } from "/meteor-net/rotation.js";
import { decode, encode } from "/meteor-net/codec.js";

const NUMBERS = new Map([["NaN", NaN], ["Infinity", Infinity], ["-Infinity", -Infinity]]);

/** Values of a vector: what JSON has no number for stands there as text. */
const number = (field, value) => (field.kind === "text" || field.kind === "choice" ? value : NUMBERS.get(value) ?? value);

test("every field's vectors: values to the wire and back", async () => {
  const { fields } = await vectors("state.json");
  for (const { field: described, values, wire, shown } of fields) {
    if (described.kind === "quaternion") {
      const top = 2 ** described.bits - 1;
      equal(values.map((value) => toIntegers(value.map((n) => NUMBERS.get(n) ?? n), top)), wire, described.name);
      wire.forEach((ints, i) => toNumbers(...ints, top).forEach((n, at) => close(n, shown[i][at], `${described.name} ${ints}`)));
      continue;
    }
    const field = parseField(toWire(described));
    equal(values.map((value) => field.quantize(number(field, value))), wire, described.name);
    wire.forEach((n, i) => close(field.isText ? n : field.dequantize(n), shown[i], described.name));
  }
});

test("actions and events of the vectors", async () => {
  const { records } = await vectors("state.json");
  for (const { schema: described, part, number: n, values, wire, shown, refused } of records) {
    const schema = Schema.parse(toWire(described));
    const record = schema[part][n];
    equal(record.toWire(values), wire, record.name);
    const read = record.fromWire(wire);
    for (const [key, value] of Object.entries(shown)) close(read[key], value, `${record.name}.${key}`);
    for (const bad of refused ?? []) throws(MessageError, () => record.fromWire(bad), JSON.stringify(bad));
  }
});

const SCHEMA = {
  tables: [{ name: "ship", fields: [
    { name: "x", kind: "fixed", step: 0.0625, low: 0, high: 4096, wrap: true }, { name: "heading", kind: "angle", bits: 10 },
    { name: "name", kind: "text", max: 24 }, { name: "team", kind: "choice", choices: ["red", "blue"] },
  ] }],
  actions: [{ name: "Steer", input: true, fields: [{ name: "turn", kind: "fixed", step: 0.25, low: -1, high: 1, default: 4 }, { name: "thrust", kind: "flag" }] }],
  events: [],
};

test("an action's fields are named; what is not given has the default", () => {
  const steer = Schema.parse(toWire(SCHEMA)).actionsByName.get("Steer");
  equal(steer.toWire({ turn: 0.5, thrust: true }), [6, 1]);
  equal(steer.toWire({}), [4, 0]);
  throws(MessageError, () => steer.toWire({ turns: 1 }));
  throws(MessageError, () => steer.toWire({ turn: "left" }));
  throws(MessageError, () => steer.toWire({ turn: undefined }));
});

test("schemas that break a rule are refused", () => {
  const field = (more) => ({ ...SCHEMA, tables: [{ name: "t", fields: [{ name: "x", ...more }] }] });
  const bad = [
    null, [], 5, {}, { tables: [] }, { ...SCHEMA, tables: Array(32).fill(SCHEMA.tables[0]) }, { ...SCHEMA, tables: [SCHEMA.tables[0], SCHEMA.tables[0]] },
    { ...SCHEMA, tables: [{ name: "t", fields: [{ name: "a", kind: "flag" }, { name: "a", kind: "flag" }] }] }, field({ kind: "flag", snap: 1 }), { ...SCHEMA, tables: [{ name: "a b", fields: [] }] }, { ...SCHEMA, tables: [{ name: "__proto__", fields: [] }] },
    { ...SCHEMA, tables: [{ name: "x".repeat(65), fields: [] }] }, { ...SCHEMA, tables: [{ name: "t" }] },
    { ...SCHEMA, tables: [{ name: "t", fields: Array.from({ length: 65 }, (_, i) => ({ name: `f${i}`, kind: "text", max: 1 })) }] },
    { ...SCHEMA, tables: [{ name: "t", fields: Array.from({ length: 32 }, (_, i) => ({ name: `f${i}`, kind: "flag" })) }] },
    field({ kind: "quaternion" }), field({ kind: "toString" }), field({ kind: "uint" }), field({ kind: "uint", bits: 32 }), field({ kind: "int", bits: 1 }),
    field({ kind: "angle", bits: 0 }), field({ kind: "angle", bits: 1.5 }), field({ kind: "fixed", step: 0, low: 0, high: 1 }),
    field({ kind: "fixed", step: 1, low: 1, high: 0 }), field({ kind: "fixed", step: 1e-9, low: 0, high: 4096 }), field({ kind: "fixed", step: 1, low: 0, high: 4.5 }),
    field({ kind: "fixed", step: 1, low: 0, high: 4, wrap: 1 }), field({ kind: "choice", choices: [] }), field({ kind: "choice", choices: [1] }),
    field({ kind: "text", max: 0 }), field({ kind: "text" }), field({ kind: "uint", bits: 3, interpolate: "arc" }), field({ kind: "uint", bits: 3, interpolate: "jump" }),
    field({ kind: "uint", bits: 3, default: 8 }), field({ kind: "uint", bits: 3, default: "1" }), field({ kind: "text", max: 3, default: 1 }),
  ];
  for (const schema of bad) throws(MessageError, () => Schema.parse(toWire(schema)), JSON.stringify(schema)?.slice(0, 200));
});

test("names may be of any script", () => {
  const schema = Schema.parse(toWire({ ...SCHEMA, tables: [{ name: "größe", fields: [{ name: "水", kind: "flag" }] }] }));
  equal([schema.tables[0].name, schema.tables[0].fields[0].name], ["größe", "水"]);
});

test("mutated schemas are read, or refused by MessageError", () => {
  const random = seeded(4);
  const whole = encode(toWire(SCHEMA));
  let parsed = 0;
  for (let i = 0; i < 20_000; i++) {
    let value;
    try {
      value = decode(mutate(whole, random));
    } catch {
      continue;
    }
    parsed++;
    survives(MessageError, () => Schema.parse(value), "schema");
  }
  ok(parsed > 1_000, `${parsed} were CBOR`);
});
