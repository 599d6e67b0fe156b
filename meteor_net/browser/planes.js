// Many small numbers in two planes of bits (wire clauses 8.13, 8.14).
//
// A number has a class, in plane C as that many zeros and a one, and the rest of its bits in plane D. How many numbers there are is
// known before, so C tells where it ends; then the lengths tell where D has to end, and nothing is read beyond.

import { FrameError } from "./errors.js";
import { Scratch } from "./scratch.js";

/** Classes of one width; from there on each is twice as wide as the one before. */
const PLAIN = 3;
/** The most bits of a number in D. */
const MAX_WIDTH = 32;
/** Bits that one load of four bytes gives from any place in a byte. */
const LOAD = 24;

const found = new Scratch(Uint32Array);
const padded = new Scratch(Uint8Array);

/** Numbers that are to be read, in runs of one parameter each. */
export class Runs {
  constructor() {
    /** @type {number[]} */
    this.parameters = [];
    /** @type {number[]} */
    this.counts = [];
    this.total = 0;
  }

  /**
   * @param {number} parameter
   * @param {number} count
   */
  add(parameter, count) {
    if (count === 0) return;
    this.parameters.push(parameter);
    this.counts.push(count);
    this.total += count;
  }
}

/**
 * Read the numbers of all runs: everything that `bytes` has from `start` on. They last until the next call.
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {Runs} runs
 * @returns {Uint32Array}
 * @throws {FrameError} If there are fewer, one is too big, or something is left over.
 */
export function readNumbers(bytes, start, runs) {
  if (runs.total > 8 * (bytes.length - start)) throw new FrameError("the frame ends too early");
  const numbers = found.room(runs.total);
  const end = readClasses(bytes, start, numbers, runs.total);
  const bits = widths(numbers, runs);
  if (end + Math.ceil(bits / 8) !== bytes.length) throw new FrameError("bytes of the frame are missing or left over");
  if (bits % 8 && bytes[bytes.length - 1] >> (bits % 8)) throw new FrameError("bits are left over in the frame");
  // Zeros behind the end, so that four bytes can be loaded at every place.
  const length = bytes.length - end;
  const plane = padded.room(length + 4);
  for (let i = 0; i < length; i++) plane[i] = bytes[end + i];
  plane.fill(0, length, length + 4);
  readRests(plane, numbers, runs);
  return numbers;
}

/**
 * Read plane C; answer the byte after it.
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {Uint32Array} classes to be filled
 * @param {number} count
 */
function readClasses(bytes, start, classes, count) {
  let at = start;
  let zeros = 0;
  for (let n = 0; n < count; at++) {
    if (at >= bytes.length) throw new FrameError("the frame ends too early");
    let rest = bytes[at];
    let before = 0;
    while (rest !== 0) {
      if (n === count) throw new FrameError("bits are left over in the frame");
      const place = 31 - Math.clz32(rest & -rest);
      classes[n++] = zeros + place - before;
      zeros = 0;
      before = place + 1;
      rest &= rest - 1;
    }
    zeros += 8 - before;
  }
  return at;
}

/**
 * The bits of plane D.
 * @param {Uint32Array} classes
 * @param {Runs} runs
 */
function widths(classes, runs) {
  let bits = 0;
  let n = 0;
  for (let run = 0; run < runs.counts.length; run++) {
    const k = runs.parameters[run];
    const most = MAX_WIDTH + PLAIN - k;
    const end = n + runs.counts[run];
    for (; n < end; n++) {
      const c = classes[n];
      if (c > most) throw new FrameError("a number of the frame is too big");
      bits += c > PLAIN ? k + c - PLAIN : k;
    }
  }
  return bits;
}

/**
 * Read plane D, and make numbers of the classes.
 * @param {Uint8Array} plane with four bytes more
 * @param {Uint32Array} numbers the classes
 * @param {Runs} runs
 */
function readRests(plane, numbers, runs) {
  let at = 0;
  let n = 0;
  for (let run = 0; run < runs.counts.length; run++) {
    const k = runs.parameters[run];
    const end = n + runs.counts[run];
    const most = k + 8 <= LOAD ? PLAIN + 8 : -1; // classes that one load and 32 bits do for
    for (; n < end; n++) {
      const c = numbers[n];
      const width = c > PLAIN ? k + c - PLAIN : k;
      if (c <= most) {
        const byte = at >>> 3;
        const load = plane[byte] | (plane[byte + 1] << 8) | (plane[byte + 2] << 16) | (plane[byte + 3] << 24);
        const rest = (load >>> (at & 7)) & ((1 << width) - 1);
        numbers[n] = c < PLAIN ? (c << k) + rest : (2 << k) + (1 << width) + rest;
      } else numbers[n] = wide(plane, at, c, k, width);
      at += width;
    }
  }
}

/**
 * A number of any width, in floats.
 * @param {Uint8Array} plane
 * @param {number} at
 * @param {number} c
 * @param {number} k
 * @param {number} width
 */
function wide(plane, at, c, k, width) {
  let rest = 0;
  for (let bit = 0; bit < width; bit += 8) {
    const from = at + bit;
    const byte = ((plane[from >>> 3] | (plane[(from >>> 3) + 1] << 8)) >>> (from & 7)) & 255;
    rest += (width - bit < 8 ? byte & ((1 << (width - bit)) - 1) : byte) * 2 ** bit;
  }
  const number = c < PLAIN ? c * 2 ** k + rest : 2 * 2 ** k + 2 ** width + rest;
  if (number > 0xffffffff) throw new FrameError("a number of the frame is too big");
  return number;
}
