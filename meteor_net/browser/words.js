// The words of a frame: numbers of 7 bits a byte, and sets of rows (wire clauses 8.5, 8.6), with their bounds.

import { FrameError } from "./errors.js";
import { MAX_ROWS } from "./limits.js";

const BITMAP_BYTES = MAX_ROWS / 8;

export class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  /** An unsigned LEB128 of at most 5 bytes and 32 bits. */
  word() {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 5; i++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new FrameError("the frame ends in the middle of a number");
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > 0xffffffff) break;
        return value;
      }
      scale *= 128;
    }
    throw new FrameError("a number of more than 32 bits");
  }

  /** One byte. */
  byte() {
    return this.take(1)[0];
  }

  /** @param {number} count */
  take(count) {
    if (count > this.bytes.length - this.at) throw new FrameError("bytes of the frame are missing");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /**
   * Which of `count` things a number of bits names.
   * @param {number} count
   * @returns {boolean[]} `count` + 1 of them: bit 0 means something else
   */
  bits(count) {
    let value = this.word();
    const bits = [];
    for (let i = 0; i <= count; i++) {
      bits.push(value % 2 === 1);
      value = Math.floor(value / 2);
    }
    if (value) throw new FrameError("a part or a column that the schema does not have");
    return bits;
  }

  /** A row set (8.6): slots, ascending. */
  rows() {
    const head = this.word();
    const [mode, count] = [head % 4, Math.floor(head / 4)];
    if (mode === 2 && count < MAX_ROWS) return [count]; // one row: its slot
    if (mode > 1 || count > MAX_ROWS) throw new FrameError("no head of rows");
    return mode ? this.#bitmap(count) : this.#list(count);
  }

  /** @param {number} count */
  #list(count) {
    /** @type {number[]} */
    const slots = [];
    let slot = -1;
    for (let i = 0; i < count; i++) {
      slot += this.word() + 1;
      if (slot >= MAX_ROWS) throw new FrameError("a slot that no table has");
      slots.push(slot);
    }
    return slots;
  }

  /** @param {number} count */
  #bitmap(count) {
    const size = this.word();
    if (size > BITMAP_BYTES) throw new FrameError("a slot that no table has");
    const bytes = this.take(size);
    /** @type {number[]} */
    const slots = [];
    bytes.forEach((byte, i) => {
      for (let bit = 0; byte >> bit; bit++) if ((byte >> bit) & 1) slots.push(8 * i + bit);
    });
    if (slots.length !== count) throw new FrameError("a row set's count disagrees with its bits");
    return slots;
  }
}
