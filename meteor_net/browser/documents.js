// Documents: trees of values in a world, and the patches by which they travel (wire clauses 8.25 to 8.28).
//
// A tree is made of objects, arrays, strings, bytes, numbers, booleans and null. Its objects and arrays are frozen: versions share what did
// not change. `meteor_net/state/documents/` does the same in Python.

import { decode } from "./codec.js";
import { FrameError, PacketError } from "./errors.js";
import { WholeFloat } from "./floats.js";
import { MAX_DOCUMENTS, MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH, MAX_NAME_CHARS, MAX_PATCH_DEPTH, MAX_PATCH_ITEMS } from "./limits.js";

/** @typedef {null | boolean | number | string | Uint8Array | readonly unknown[] | {readonly [key: string]: any}} Tree */

const encoder = new TextEncoder();
const ALL_BYTES = MAX_DOCUMENTS * MAX_DOCUMENT_BYTES;

/** An object whose keys come from the network: it has no prototype that a key such as __proto__ could reach. @returns {Record<string, Tree>} */
const bare = () => Object.create(null);

/** @param {unknown} value @returns {value is Record<string, Tree>} */
const isMap = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

/** A version's documents. */
export class Docs {
  /**
   * @param {ReadonlyMap<string, Tree>} trees By name.
   * @param {number} bytes At most so many they take as CBOR.
   */
  constructor(trees, bytes) {
    this.trees = trees;
    this.bytes = bytes;
  }

  /**
   * Documents as they are at first: empty.
   * @param {readonly string[]} names
   */
  static empty(names) {
    return new Docs(new Map(names.map((name) => [name, Object.freeze(bare())])), names.length);
  }

  /**
   * Apply the item `docs` of a frame; these documents stay as they are.
   * @param {Uint8Array} data
   * @returns {Docs}
   * @throws {FrameError} If it is no map of patches of these documents.
   */
  patched(data) {
    if (data.length === 0) return this;
    const patches = read(data);
    if (!(patches instanceof Map)) throw new FrameError("documents: not a map");
    const trees = new Map(this.trees);
    for (const [name, patch] of patches) {
      if (!this.trees.has(name) || !(patch instanceof Map)) throw new FrameError("documents: a name that the schema does not have, or a patch that is no map");
      trees.set(name, patched(trees.get(name), patch, MAX_DOCUMENT_DEPTH));
    }
    let bytes = this.bytes + data.length;
    if (bytes > ALL_BYTES) { // seldom: mostly what comes takes the place of something
      bytes = [...trees.values()].reduce((/** @type {number} */ sum, tree) => sum + bytesOf(tree), 0);
      if (bytes > ALL_BYTES) throw new FrameError("documents: too many bytes");
    }
    return new Docs(trees, bytes);
  }
}

/** @param {Uint8Array} data */
function read(data) {
  try {
    return decode(data, { depth: MAX_PATCH_DEPTH, items: MAX_PATCH_ITEMS, patch: true });
  } catch (error) {
    if (error instanceof PacketError) throw new FrameError(`documents: ${error.message}`);
    throw error;
  }
}

/**
 * Make the tree that a patch makes of another (8.26).
 * @param {unknown} old The tree that stood there; it stays as it is.
 * @param {unknown} patch As `decode` gives it.
 * @param {number} depth How deep the tree may be nested.
 * @returns {Tree}
 * @throws {FrameError} If it is no patch of this tree.
 */
export function patched(old, patch, depth) {
  if (patch instanceof Map) return patchedMap(isMap(old) ? old : bare(), patch, deeper(depth));
  if (Array.isArray(patch) && patch.length && patch[0] === undefined) {
    if (!Array.isArray(old)) throw new FrameError("documents: edits of a list where none is");
    return patchedList(old, patch, deeper(depth));
  }
  return tree(patch, depth);
}

/** @param {number} depth */
function deeper(depth) {
  if (depth === 0) throw new FrameError("documents: nested too deep");
  return depth - 1;
}

/** @param {string} key */
function checkKey(key) {
  // Characters are code points, of which a string of twice that length may be made.
  if (key.length > MAX_NAME_CHARS && (key.length > 2 * MAX_NAME_CHARS || [...key].length > MAX_NAME_CHARS)) throw new FrameError("documents: a key that is too long");
}

/**
 * @param {Record<string, Tree>} old
 * @param {Map<string, unknown>} patch
 * @param {number} depth
 */
function patchedMap(old, patch, depth) {
  const made = bare();
  for (const key of Object.keys(old)) made[key] = old[key];
  for (const [key, change] of patch) {
    checkKey(key);
    if (change === undefined) delete made[key];
    else made[key] = patched(made[key], change, depth);
  }
  return Object.freeze(made);
}

/**
 * @param {readonly unknown[]} old
 * @param {unknown[]} patch
 * @param {number} depth
 */
function patchedList(old, patch, depth) {
  /** @type {unknown[]} */
  const made = [];
  let at = 0;
  for (const edit of patch.slice(1)) {
    if (!Array.isArray(edit) || (edit.length !== 2 && edit.length !== 3)) throw new FrameError("documents: an edit is [place, patch] or [place, cut, items]");
    const place = edit[0];
    const cut = edit.length === 3 ? edit[1] : 1;
    if (!Number.isInteger(place) || !Number.isInteger(cut) || cut < 0 || place < at || place + cut > old.length) {
      throw new FrameError("documents: an edit beyond the list, or before the end of the edit before");
    }
    while (at < place) made.push(old[at++]);
    if (edit.length === 2) made.push(patched(old[place], edit[1], depth));
    else if (Array.isArray(edit[2])) for (const item of edit[2]) made.push(tree(item, depth));
    else throw new FrameError("documents: an edit without a list of items");
    at = place + cut;
  }
  while (at < old.length) made.push(old[at++]);
  return Object.freeze(made);
}

/**
 * Make a tree of what `decode` gave: objects of maps, numbers of floats, bytes that are not a view of the whole packet.
 * @param {unknown} value
 * @param {number} depth
 * @returns {Tree}
 * @throws {FrameError} If it holds `undefined`, or is nested too deep.
 */
function tree(value, depth) {
  if (value === undefined) throw new FrameError("documents: undefined where a value is expected");
  if (value instanceof WholeFloat) return value.value;
  if (value instanceof Uint8Array) return value.slice();
  if (value instanceof Map) return object(value, deeper(depth));
  if (!Array.isArray(value)) return /** @type {Tree} */ (value);
  const inner = deeper(depth);
  return Object.freeze(value.map((item) => tree(item, inner)));
}

/**
 * @param {Map<string, unknown>} map
 * @param {number} depth
 */
function object(map, depth) {
  const made = bare();
  for (const [key, item] of map) {
    checkKey(key);
    made[key] = tree(item, depth);
  }
  return Object.freeze(made);
}

/** The size of a head of CBOR with this argument. @param {number} argument */
const headBytes = (argument) => (argument < 24 ? 1 : argument < 0x100 ? 2 : argument < 0x10000 ? 3 : argument < 2 ** 32 ? 5 : 9);

/**
 * The size of a tree as CBOR.
 * @param {unknown} value
 * @returns {number}
 */
function bytesOf(value) {
  if (typeof value === "number") return Number.isInteger(value) ? headBytes(value < 0 ? -1 - value : value) : 9;
  if (typeof value === "string") return textBytes(value);
  if (value instanceof Uint8Array) return headBytes(value.length) + value.length;
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + bytesOf(item), headBytes(value.length));
  if (!isMap(value)) return 1;
  const keys = Object.keys(value);
  return keys.reduce((sum, key) => sum + textBytes(key) + bytesOf(value[key]), headBytes(keys.length));
}

/** @param {string} text */
function textBytes(text) {
  const bytes = encoder.encode(text).length;
  return headBytes(bytes) + bytes;
}
