// A copy of a room's world that frames keep up to date (wire clause 8).

import { checksum } from "./checksum.js";
import { decodeEg } from "./eg.js";
import { FrameError } from "./errors.js";
import { emptyTables } from "./table-state.js";
import { applyTexts } from "./texts.js";
import { decodeVarint } from "./varint.js";

/** @typedef {import("./table-state.js").TableState} TableState */
/** @typedef {import("./schema.js").Schema} Schema */
/**
 * @typedef {object} Version what was true at a tick
 * @property {number} tick
 * @property {number} span Ticks over which it came about: the version before was true until `tick - span`.
 * @property {TableState[]} tables
 */

const VARINT = 0;
const EG = 1;

/** The newest version of a stream, and the one before. */
export class Replica {
  /**
   * @param {Schema} schema
   * @param {number} epoch
   * @param {number} tick A tick of the room, near the first frame's.
   */
  constructor(schema, epoch, tick) {
    this.schema = schema;
    this.epoch = epoch;
    /** The highest tick known. */
    this.tick = tick;
    /** @type {Version} */
    this.version = { tick, span: 1, tables: emptyTables(schema) };
    /** The version just before the newest, from which a step of `eg` guesses; null where we have none (8.12). @type {TableState[] | null} */
    this.before = null;
    /** Whether a frame came: else the version is the empty one. */
    this.touched = false;
  }

  /**
   * The tick nearest to the highest known one with these lower 16 bits (8.3).
   * @param {number} tick16
   */
  unwrap(tick16) {
    const ahead = (tick16 - this.tick) & 0xffff;
    const tick = this.tick + (ahead < 0x8000 ? ahead : ahead - 0x10000);
    return tick < 0 ? tick + 0x10000 : tick;
  }

  /**
   * Apply a frame.
   * @param {number} tick16
   * @param {number} base Versions back × 8 + coding.
   * @param {Uint8Array} data
   * @param {unknown[][]} texts
   * @returns {Version}
   * @throws {FrameError} If it cannot be applied (8.8, 8.9); nothing is changed then.
   */
  apply(tick16, base, data, texts) {
    const back = Math.floor(base / 8);
    const start = back === 0 ? emptyTables(this.schema) : this.version.tables;
    const { tables, between } = this.#decode(base % 8, back, start, data);
    applyTexts(tables, start, texts);
    const tick = this.unwrap(tick16);
    // Each version between was of a tick of its own, and nothing changed in the ticks that had none.
    const span = Math.max(1, Math.min(back || 1, tick - this.version.tick));
    this.before = back === 1 ? start : between;
    this.version = { tick, span, tables };
    this.noteTick(tick);
    this.touched = true;
    return this.version;
  }

  /**
   * @param {number} coding
   * @param {number} back
   * @param {TableState[]} start
   * @param {Uint8Array} data
   */
  #decode(coding, back, start, data) {
    if (coding !== VARINT && coding !== EG) throw new FrameError("a coding that we did not ask for");
    const step = coding === EG ? decodeEg(this.schema, start, this.before, back, data) : { ...decodeVarint(this.schema, start, data), between: null };
    if (step.checksum !== null && step.checksum !== checksum(step.tables)) throw new FrameError("the checksum disagrees");
    return step;
  }

  /**
   * Learn a tick from JOINED, CLOCK or a frame, for unwrapping.
   * @param {number} tick
   */
  noteTick(tick) {
    this.tick = Math.max(this.tick, tick);
  }

  /** The checksum of the newest version (8.7). */
  crc() {
    return checksum(this.version.tables);
  }
}
