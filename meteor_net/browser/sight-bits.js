// Reads an item `sight`: bytes, bits, and numbers of few bits (wire clauses 8.20, 8.21).

import { FrameError } from "./errors.js";
import { Scratch } from "./scratch.js";

/** @typedef {import("./field.js").Field} Field */

/** Classes of one width (8.14). */
const PLAIN = 3;
/** Zeros behind the end, so that a window can be read at every place. */
const PADDING = 16;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const padded = new Scratch(Uint8Array);

/**
 * The integer with sign that travels as `z`.
 * @param {number} z
 */
export const unzigzag = (z) => (z >>> 1) ^ -(z & 1);

/** Reads from the beginning to the end, one item at a time: the room for it is used again. */
export class BitReader {
  #bytes;
  #room;
  #size;
  /** Where it stands, in bits. */
  #at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
    this.#size = 8 * bytes.length;
    this.#room = padded.room(bytes.length + PADDING);
    this.#room.set(bytes);
    this.#room.fill(0, bytes.length, bytes.length + PADDING);
  }

  /**
   * The 32 bits from a place on.
   * @param {number} at
   */
  #window(at) {
    const room = this.#room;
    const byte = at >>> 3;
    const shift = at & 7;
    const low = room[byte] | (room[byte + 1] << 8) | (room[byte + 2] << 16) | (room[byte + 3] << 24);
    return shift === 0 ? low : (low >>> shift) | (room[byte + 4] << (32 - shift));
  }

  /** @param {number} at */
  #moveTo(at) {
    if (at > this.#size) throw new FrameError("the sight ends too early");
    this.#at = at;
  }

  /**
   * A raw integer of at most 32 bits.
   * @param {number} count
   */
  bits(count) {
    const at = this.#at;
    this.#moveTo(at + count);
    if (count === 0) return 0;
    const window = this.#window(at);
    return (count < 32 ? window & ((1 << count) - 1) : window) >>> 0;
  }

  /** Bits that are left. */
  get left() {
    return this.#size - this.#at;
  }

  /** Whether the next bit is set. */
  flag() {
    return this.bits(1) === 1;
  }

  /**
   * A number with the parameter `k` (8.14), in one place.
   * @param {number} k
   */
  number(k) {
    const at = this.#at;
    let window = this.#window(at);
    let c = 0;
    if (window === 0) {
      window = this.#window(at + 32);
      c = 32;
    }
    if (window === 0) throw new FrameError("a number of the sight is too big, or missing");
    c += 31 - Math.clz32(window & -window);
    const e = c > PLAIN ? k + c - PLAIN : k;
    if (e > 32) throw new FrameError("a number of the sight is too big");
    this.#moveTo(at + c + 1);
    const rest = this.bits(e);
    const z = c < PLAIN ? c * 2 ** k + rest : 2 * 2 ** k + 2 ** e + rest;
    if (z > 0xffffffff) throw new FrameError("a number of the sight is too big");
    return z;
  }

  /** Read up to a whole byte. */
  fill() {
    if (this.bits(-this.#at & 7)) throw new FrameError("bits are left over in the sight");
  }

  /** One byte; only after a whole one, as what follows. */
  byte() {
    return this.bits(8);
  }

  /**
   * An unsigned LEB128 of at most 5 bytes.
   * @param {number} [most] The bits that it may have.
   */
  word(most = 32) {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte >= 128) continue;
      if (value >= 2 ** most) break;
      return value;
    }
    throw new FrameError("a number of too many bits");
  }

  /**
   * A text, or data, of a field.
   * @param {Field} field
   * @returns {string | Uint8Array}
   */
  text(field) {
    const size = this.word();
    const from = this.#at / 8;
    this.#moveTo(this.#at + 8 * size);
    const bytes = this.#bytes.slice(from, from + size);
    const text = field.isData ? bytes : decoded(bytes);
    if (!field.fits(text)) throw new FrameError("a text that does not fit its field");
    return text;
  }

  /** Make sure that nothing is left. */
  finish() {
    if (this.#at !== this.#size) throw new FrameError("bytes are left over in the sight");
  }
}

/** @param {Uint8Array} bytes */
function decoded(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new FrameError("a text that is no UTF-8");
  }
}
