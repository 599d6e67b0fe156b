// Bytes <-> values: the strict subset of CBOR (RFC 8949) of wire clause 2.
//
// Whatever bytes come, `decode` gives a value or throws PacketError. Maps become Map, never plain objects: a key "__proto__" is a key.
// Depth, items and every length are checked before anything is made of them.

import { LocalProtocolError, PacketError } from "./errors.js";
import { WholeFloat } from "./floats.js";
import { MAX_DEPTH, PACKET_ITEMS } from "./limits.js";

/** @typedef {undefined | null | boolean | number | string | Uint8Array | WholeFloat | unknown[] | Map<string, unknown>} Value */

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const TWO_32 = 2 ** 32;

class Reader {
  /**
   * @param {Uint8Array} bytes
   * @param {number} depth
   * @param {number} items
   * @param {boolean} patch
   */
  constructor(bytes, depth, items, patch) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
    this.depth = depth;
    this.items = items;
    this.patch = patch;
  }

  /**
   * Take `count` bytes and answer where they begin.
   * @param {number} count
   */
  skip(count) {
    const start = this.at;
    if (count > this.bytes.length - start) throw new PacketError("the packet ends in the middle of an item");
    this.at = start + count;
    return start;
  }

  /**
   * The argument of an item's head: its value or its length.
   * @param {number} info
   */
  argument(info) {
    if (info < 24) return info;
    if (info === 24) return this.view.getUint8(this.skip(1));
    if (info === 25) return this.view.getUint16(this.skip(2));
    if (info === 26) return this.view.getUint32(this.skip(4));
    if (info !== 27) throw new PacketError("an indefinite or reserved length"); // 2.2
    const start = this.skip(8);
    const high = this.view.getUint32(start);
    if (high > 0x1fffff) throw new PacketError("an integer beyond 2^53 - 1"); // 2.3
    return high * TWO_32 + this.view.getUint32(start + 4);
  }

  /** @returns {Value} */
  item() {
    if (this.items-- <= 0) throw new PacketError("too many items");
    const head = this.bytes[this.skip(1)];
    const info = head & 31;
    switch (head >> 5) {
      case 0: return this.argument(info);
      case 1: return this.negative(info);
      case 2: return this.chunk(info);
      case 3: return this.text(info);
      case 4: return this.array(info);
      case 5: return this.map(info);
      case 6: throw new PacketError("a tag"); // 2.2
      default: return this.simple(info);
    }
  }

  /** @param {number} info */
  negative(info) {
    const value = -1 - this.argument(info);
    if (value < -Number.MAX_SAFE_INTEGER) throw new PacketError("an integer beyond -(2^53 - 1)"); // 2.3
    return value;
  }

  /** @param {number} info */
  chunk(info) {
    const start = this.skip(this.argument(info));
    return this.bytes.subarray(start, this.at);
  }

  /** @param {number} info */
  text(info) {
    try {
      return utf8.decode(this.chunk(info));
    } catch (error) {
      if (error instanceof PacketError) throw error;
      throw new PacketError("text that is not UTF-8");
    }
  }

  /**
   * Begin a container of `count` items; each takes a byte at least, so a count beyond the rest is a lie.
   * @param {number} count
   */
  enter(count) {
    if (count > this.bytes.length - this.at) throw new PacketError("the packet ends in the middle of an item");
    if (--this.depth < 0) throw new PacketError("nested too deep"); // 2.2
  }

  /** @param {number} info */
  array(info) {
    const count = this.argument(info);
    this.enter(count);
    /** @type {Value[]} */
    const list = [];
    for (let i = 0; i < count; i++) list.push(this.item());
    this.depth++;
    return list;
  }

  /** @param {number} info */
  map(info) {
    const count = this.argument(info);
    this.enter(2 * count);
    /** @type {Map<string, Value>} */
    const map = new Map();
    for (let i = 0; i < count; i++) {
      const key = this.item();
      if (typeof key !== "string") throw new PacketError("a map key that is not text"); // 2.2
      if (map.has(key)) throw new PacketError("a map key that occurs twice"); // 2.2
      map.set(key, this.item());
    }
    this.depth++;
    return map;
  }

  /** @param {number} info */
  simple(info) {
    if (info === 20) return false;
    if (info === 21) return true;
    if (info === 22) return null;
    if (info === 23 && this.patch) return undefined; // 8.26
    let value;
    if (info === 25) value = half(this.view.getUint16(this.skip(2)));
    else if (info === 26) value = this.view.getFloat32(this.skip(4));
    else if (info === 27) value = this.view.getFloat64(this.skip(8));
    else throw new PacketError("a simple value that is not false, true or null"); // 2.3
    if (!Number.isFinite(value)) throw new PacketError("NaN or an infinity"); // 2.3
    return Number.isInteger(value) ? new WholeFloat(value) : value;
  }
}

/**
 * A float of 16 bits (RFC 8949, appendix D).
 * @param {number} bits
 */
function half(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/**
 * Read exactly one value (wire 2).
 * @param {Uint8Array} bytes
 * @param {{depth?: number, items?: number, patch?: boolean}} [limits] In a patch there may be `undefined`.
 * @returns {Value}
 * @throws {PacketError} If the bytes break a rule of the clause, or go on after the value.
 */
export function decode(bytes, { depth = MAX_DEPTH, items = PACKET_ITEMS, patch = false } = {}) {
  const reader = new Reader(bytes, depth, items, patch);
  const value = reader.item();
  if (reader.at !== bytes.length) throw new PacketError("bytes after the packet"); // 2.1
  return value;
}

class Writer {
  constructor() {
    this.bytes = new Uint8Array(64);
    this.view = new DataView(this.bytes.buffer);
    this.at = 0;
  }

  /**
   * Make room for `count` bytes and answer where they begin.
   * @param {number} count
   */
  room(count) {
    const start = this.at;
    this.at = start + count;
    if (this.at > this.bytes.length) {
      const wider = new Uint8Array(Math.max(this.at, 2 * this.bytes.length));
      wider.set(this.bytes.subarray(0, start));
      this.bytes = wider;
      this.view = new DataView(wider.buffer);
    }
    return start;
  }

  /**
   * An item's head, in the shortest form.
   * @param {number} major
   * @param {number} argument
   */
  head(major, argument) {
    const kind = major << 5;
    const size = argument < 24 ? 0 : argument < 0x100 ? 1 : argument < 0x10000 ? 2 : argument < TWO_32 ? 4 : 8;
    const start = this.room(1 + size); // before `view` is read: it may become another
    this.view.setUint8(start, kind | [argument, 24, 25, 0, 26, 0, 0, 0, 27][size]);
    if (size === 1) this.view.setUint8(start + 1, argument);
    else if (size === 2) this.view.setUint16(start + 1, argument);
    else if (size === 4) this.view.setUint32(start + 1, argument);
    else if (size === 8) {
      this.view.setUint32(start + 1, Math.floor(argument / TWO_32));
      this.view.setUint32(start + 5, argument % TWO_32);
    }
  }

  /**
   * @param {unknown} value
   * @param {number} depth
   */
  item(value, depth) {
    if (typeof value === "number") this.number(value);
    else if (typeof value === "string") this.chunk(3, encoder.encode(value));
    else if (value === null) this.head(7, 22);
    else if (typeof value === "boolean") this.head(7, value ? 21 : 20);
    else if (value instanceof Uint8Array) this.chunk(2, value);
    else this.container(value, depth - 1);
  }

  /**
   * @param {unknown} value
   * @param {number} depth
   */
  container(value, depth) {
    if (depth < 0) throw new LocalProtocolError("nested too deep");
    if (Array.isArray(value)) {
      this.head(4, value.length);
      for (const item of value) this.item(item, depth);
    } else if (value instanceof Map) {
      this.head(5, value.size);
      for (const [key, item] of value) {
        if (typeof key !== "string") throw new LocalProtocolError("a map key must be text");
        this.item(key, depth);
        this.item(item, depth);
      }
    } else throw new LocalProtocolError(`a ${typeof value} cannot be sent`);
  }

  /** @param {number} value */
  number(value) {
    if (Number.isSafeInteger(value)) {
      if (value < 0) this.head(1, -1 - value);
      else this.head(0, value);
    } else if (!Number.isFinite(value)) {
      throw new LocalProtocolError("NaN and the infinities cannot be sent");
    } else {
      const start = this.room(9);
      this.view.setUint8(start, 0xfb);
      this.view.setFloat64(start + 1, value);
    }
  }

  /**
   * @param {number} major
   * @param {Uint8Array} bytes
   */
  chunk(major, bytes) {
    this.head(major, bytes.length);
    const start = this.room(bytes.length);
    this.bytes.set(bytes, start);
  }
}

/**
 * Write one value: integers in their shortest form, other numbers as 64-bit floats, a Map as a map.
 * @param {unknown} value null, boolean, number, string, Uint8Array, array or Map of those
 * @param {number} [depth] Nesting allowed.
 * @returns {Uint8Array}
 * @throws {LocalProtocolError} If the value has no form in wire clause 2.
 */
export function encode(value, depth = MAX_DEPTH) {
  const writer = new Writer();
  writer.item(value, depth);
  return writer.bytes.slice(0, writer.at);
}
