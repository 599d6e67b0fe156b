// The smallest thing that runs tests in a page: `test` notes one, `run` runs them all and answers what came out.
// The Python side reads the names from the source (a line that begins with `test("`) and asks for each result.

import { decode } from "/meteor-net/codec.js";
import { MeteorError } from "/meteor-net/errors.js";

const tests = new Map();

/** Note a test; what it throws, or its promise is rejected with, is its failure. */
export function test(name, body) {
  if (tests.has(name)) throw new Error(`two tests are called ${name}`);
  tests.set(name, body);
}

/** Run all tests of a module, one after another: name -> "" or what went wrong. */
export async function run(module) {
  tests.clear();
  await import(module);
  const results = {};
  for (const [name, body] of tests) {
    try {
      await body();
      results[name] = "";
    } catch (error) {
      results[name] = String(error?.stack ?? error).slice(0, 2000);
    }
  }
  return results;
}

/** Fail unless it is true. */
export function ok(value, text = "") {
  if (!value) throw new Error(`not true: ${text}`);
}

/** Show any value, so that equal values look equal. */
export function show(value) {
  if (value instanceof Uint8Array) return `h'${hex(value)}'`;
  if (value instanceof Map) return `{${[...value].map(([key, item]) => `${JSON.stringify(key)}: ${show(item)}`).join(", ")}}`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (value !== null && typeof value === "object") return show(new Map(Object.entries(value)));
  return JSON.stringify(value) ?? String(value);
}

/** Fail unless two values are the same all the way down. */
export function equal(actual, expected, text = "") {
  if (show(actual) !== show(expected)) throw new Error(`${text} got ${show(actual)}\nwant ${show(expected)}`);
}

/** Fail unless two values are the same, numbers within 1e-9. */
export function close(actual, expected, text = "") {
  if (typeof actual === "number" && typeof expected === "number") ok(Math.abs(actual - expected) <= 1e-9, `${text} ${actual} = ${expected}`);
  else equal(actual, expected, text);
}

/** Fail unless `body` throws an error of this class; answer it. */
export function throws(kind, body, text = "") {
  try {
    body();
  } catch (error) {
    if (error instanceof kind) return error;
    throw new Error(`${text} threw ${error?.stack ?? error}, not ${kind.name}`);
  }
  throw new Error(`${text} threw nothing, not ${kind.name}`);
}

/** Fail unless a promise is rejected with an error of this class; answer it. */
export async function rejects(kind, promise) {
  const error = await promise.then(() => null, (reason) => reason);
  ok(error instanceof kind, `rejected with ${kind.name}, not ${error}`);
  return error;
}

/** Let every promise that can go on do so. */
export const settle = () => new Promise((resolve) => { setTimeout(resolve, 0); });

export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** A file of tests/vectors. */
export async function vectors(name) {
  const url = `/vectors/${name}`;
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

/** JSON to the values of the wire: objects become Maps. */
export function toWire(value) {
  if (Array.isArray(value)) return value.map(toWire);
  if (value !== null && typeof value === "object") return new Map(Object.entries(value).map(([key, item]) => [key, toWire(item)]));
  return value;
}

/** Numbers that look random and are the same in every run (mulberry32): 0 to 1. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Change bytes as a bad line or a bad mind would: bits flipped, bytes put in, left out, cut off. */
export function mutate(bytes, random) {
  const below = (n) => Math.floor(random() * n);
  const list = [...bytes];
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(list.length + 1);
    const way = below(5);
    if (way === 0) list.splice(at, 1);
    else if (way === 1) list.splice(at, 0, below(256));
    else if (way === 2) list.splice(at);
    else if (way === 3 && at < list.length) list[at] = below(256);
    else if (at < list.length) list[at] ^= 1 << below(8);
  }
  return Uint8Array.from(list);
}

/** Call `body` and let only our own errors pass: any other is a mistake of ours. True if nothing was thrown. */
export function survives(kind, body, about) {
  try {
    body();
    return true;
  } catch (error) {
    if (error instanceof kind && error instanceof MeteorError) return false;
    throw new Error(`${about}: ${error?.stack ?? error}`);
  }
}

export { decode };
