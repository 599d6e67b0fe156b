// A copy of a room's world that frames keep up to date (wire clause 8).

import { checksum } from "./checksum.js";
import { Docs } from "./documents.js";
import { decodeEg } from "./eg.js";
import { FrameError } from "./errors.js";
import { InSight } from "./sight.js";
import { emptyTables } from "./table-state.js";
import { applyTexts } from "./texts.js";
import { decodeVarint } from "./varint.js";

/** @typedef {import("./table-state.js").TableState} TableState */
/** @typedef {import("./schema.js").Schema} Schema */
/**
 * @typedef {object} Version what was true at a tick
 * @property {number} tick
 * @property {number} span Ticks over which it came about: the version before was true until `tick - span`.
 * @property {TableState[]} tables Keyed ones with what is in sight.
 * @property {Docs} docs
 */

const VARINT = 0;
const EG = 1;
const NOTHING = new Uint8Array(0);

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
    this.version = { tick, span: 1, tables: emptyTables(schema), docs: Docs.empty(schema.documents) };
    /** The tables of the newest version as the codings know them, in which keyed ones are empty. */
    this.base = this.version.tables;
    /** What is in sight of those. */
    this.inSight = InSight.of(schema);
    /** The tables just before the newest, from which a step of `eg` guesses; null where we have none (8.12). @type {TableState[] | null} */
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
   * @param {Uint8Array} [sight]
   * @param {Uint8Array} [docs]
   * @returns {Version}
   * @throws {FrameError} If it cannot be applied (8.8, 8.9); nothing is changed then.
   */
  apply(tick16, base, data, texts, sight = NOTHING, docs = NOTHING) {
    const back = Math.floor(base / 8);
    const start = back === 0 ? emptyTables(this.schema) : this.base;
    const { tables, between } = this.#decode(base % 8, back, start, data);
    applyTexts(tables, start, texts);
    const documents = (back === 0 ? Docs.empty(this.schema.documents) : this.version.docs).patched(docs);
    const tick = this.unwrap(tick16);
    const inSight = this.inSight.apply(sight, back === 0, tick);
    const shown = inSight.compose(tables);
    // Each version between was of a tick of its own, and nothing changed in the ticks that had none.
    const span = Math.max(1, Math.min(back || 1, tick - this.version.tick));
    this.before = back === 1 ? start : between;
    this.base = tables;
    this.inSight = inSight;
    this.version = { tick, span, tables: shown, docs: documents };
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

  /** The checksum of the newest version (8.7); keyed tables are not in it. */
  crc() {
    return checksum(this.base);
  }
}
