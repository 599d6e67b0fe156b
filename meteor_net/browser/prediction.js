// Our own rows ahead of the server: what we do is seen at once, and the server's word about it comes later.
//
// docs/explanation/prediction.md tells exactly what is done here; meteor_net/state/prediction.py does the same.

import { INPUTS_KEPT, SMOOTH_MS } from "./limits.js";
import { drawn, noIntegers, ownFields, run, sameRows, wayOf } from "./own.js";

/** @typedef {import("./own.js").Integers} Integers */
/** @typedef {import("./own.js").OwnField} OwnField */
/** @typedef {import("./own.js").Step} Step */
/** @typedef {import("./room-world.js").RoomWorld} RoomWorld */
/** @typedef {import("./schema.js").Kind} Kind */
/** @typedef {import("./view.js").WorldView} WorldView */
/**
 * @typedef {object} Smoothing
 * @property {number} [smoothMs] the time in which a correction becomes less by a factor of e; 0: it is seen at once
 * @property {number} [snap] a correction beyond it is seen at once; in the units of the field, radians in an angle
 */
/** @typedef {{step: Step, i: Integers}} Controls */
/** @typedef {{seq: number, tick: number, controls: Controls}} Waiting an input, and the tick of its ACK: -1 before */
/** @typedef {{own: OwnField[], predicted: Integers, target: Integers, begun: number}} Picture what is drawn, and since when it moves */

/** The part of a tick that `act` may come early, so that a rhythm need not be exact. */
const EARLY = 0.5;
/** Ticks that the rows go on after an input where the next one is late: a picture that stood still for a moment would be seen. */
const CARRIED = 1.5;
/** Ticks after which a row that is steered no more rests on what the server says. */
const AT_REST = 3;

/** Our rows as they will be when the server has all our inputs: in one room, from JOINED to JOINED. */
export class Prediction {
  #world;
  #tickMs;
  #smoothMs;
  #snap;
  #credit = 1;
  #last = -Infinity;
  #begun = -Infinity;
  /** @type {Controls | null} */
  #controls = null;
  /** @type {Waiting[]} ascending */
  #inputs = [];
  /** @type {Picture | null} */
  #picture = null;
  /** What the picture was made of. @type {import("./replica.js").Version | undefined} */
  #version;
  #rows;
  #changed = false;
  /** @type {Map<string, number>} how far the picture is from the truth, in integers and parts of them */
  #offsets = new Map();
  #offsetsAt = 0;

  /**
   * @param {RoomWorld} world
   * @param {number} tickMs
   * @param {Smoothing} smoothing
   */
  constructor(world, tickMs, { smoothMs = SMOOTH_MS, snap = Infinity }) {
    this.#world = world;
    this.#tickMs = tickMs;
    this.#smoothMs = smoothMs;
    this.#snap = snap;
    this.#rows = world.rows;
  }

  /**
   * How the controls stand now: once a tick that is an input.
   * @param {Kind} kind
   * @param {(number | string)[]} values
   * @param {Step} step
   * @param {number} nowMs
   * @param {() => number} send sends it, and answers its number; 0 if it could not
   */
  act(kind, values, step, nowMs, send) {
    this.#settle(nowMs);
    this.#credit = Math.min(1, this.#credit + Math.max(0, nowMs - this.#last) / this.#tickMs);
    this.#last = nowMs;
    const i = noIntegers();
    kind.fields.forEach((field, f) => { if (!field.isApart) i[field.name] = Number(values[f]); });
    this.#controls = { step, i };
    const seq = this.#credit >= EARLY ? send() : 0;
    if (seq) {
      // Calls come by in a rhythm of their own; the picture moves on from when the input was due, so evenly.
      this.#begun = nowMs - (this.#credit - EARLY) * this.#tickMs;
      this.#credit -= 1;
      this.#inputs.push({ seq, tick: -1, controls: this.#controls });
      if (this.#inputs.length > INPUTS_KEPT) this.#inputs.shift();
    }
    this.#changed = true;
    this.#settle(nowMs);
  }

  /**
   * Inputs up to a number are in the version of a tick (9.3).
   * @param {number} seq
   * @param {number} tick
   */
  acked(seq, tick) {
    for (const input of this.#inputs) if (input.seq <= seq && input.tick < 0) input.tick = tick;
    this.#changed = true;
  }

  /**
   * An input will never count.
   * @param {number} seq
   */
  refused(seq) {
    this.#inputs = this.#inputs.filter((input) => input.seq !== seq);
    this.#changed = true;
  }

  /**
   * Draw our rows, as they are predicted, into a world that is to be shown.
   * @param {WorldView} world
   * @param {number} nowMs
   * @returns {boolean} Whether they are predicted.
   */
  draw(world, nowMs) {
    this.#settle(nowMs);
    const picture = this.#picture;
    if (picture === null) return false;
    for (const { field, table, slot, generation } of picture.own) {
      const row = world[table].get(slot);
      if (row?.generation !== generation) continue;
      row[field.name] = field.dequantize(drawn(field, this.#at(picture, field, nowMs) + (this.#offsets.get(field.name) ?? 0)));
    }
    return true;
  }

  /**
   * Where a field is in a picture at a moment, without the offset.
   * @param {Picture} picture
   * @param {OwnField["field"]} field
   * @param {number} nowMs
   */
  #at({ predicted, target, begun }, field, nowMs) {
    const to = target[field.name];
    if (field.rule === "step") return to;
    const late = (nowMs - begun) / this.#tickMs;
    const from = predicted[field.name];
    return from + Math.max(0, Math.min(late, CARRIED, AT_REST - late)) * wayOf(field, from, to);
  }

  /**
   * Make the picture anew if something happened, and go on from what was drawn.
   * @param {number} nowMs
   */
  #settle(nowMs) {
    this.#shrink(nowMs);
    const { replica, rows } = this.#world;
    if (!this.#changed && replica?.version === this.#version && rows === this.#rows) return;
    this.#changed = false;
    this.#version = replica?.version;
    this.#rows = rows;
    const before = this.#picture;
    this.#picture = this.#predict();
    if (this.#smoothMs > 0) this.#goOn(before, this.#picture, nowMs);
  }

  /** @param {number} nowMs */
  #shrink(nowMs) {
    const less = Math.exp(-Math.max(0, nowMs - this.#offsetsAt) / this.#smoothMs);
    this.#offsetsAt = nowMs;
    for (const [name, offset] of this.#offsets) this.#offsets.set(name, offset * less);
  }

  /** What the server said, with all on top that it has not taken yet. @returns {Picture | null} */
  #predict() {
    const version = this.#version;
    if (version === undefined || this.#controls === null) return null;
    const own = ownFields(version, this.#rows);
    if (own === null) return null;
    this.#inputs = this.#inputs.filter(({ tick }) => tick < 0 || tick > version.tick);
    const predicted = noIntegers();
    for (const { field, value } of own) predicted[field.name] = value;
    for (const { controls } of this.#inputs) run(controls.step, predicted, { ...controls.i }, own);
    const target = Object.assign(noIntegers(), predicted);
    run(this.#controls.step, target, { ...this.#controls.i }, own);
    return { own, predicted, target, begun: this.#begun };
  }

  /**
   * A change is no jump: what was drawn stays, and the difference shrinks.
   * @param {Picture | null} before
   * @param {Picture | null} after
   * @param {number} nowMs
   */
  #goOn(before, after, nowMs) {
    if (before === null || after === null || !sameRows(before.own, after.own)) return this.#offsets.clear();
    for (const { field } of after.own) {
      const { name, snap, rule } = field;
      if (snap && before.predicted[name] !== after.predicted[name]) return this.#offsets.clear();
      if (rule === "step") continue;
      const gone = wayOf(field, this.#at(after, field, nowMs), this.#at(before, field, nowMs));
      const offset = wayOf(field, 0, (this.#offsets.get(name) ?? 0) + gone);
      this.#offsets.set(name, offset);
      if (Math.abs(offset) * unit(field) > this.#snap) return this.#offsets.clear();
    }
    return undefined;
  }
}

/**
 * The length of one step of a field.
 * @param {OwnField["field"]} field
 */
const unit = ({ kind, step, modulus }) => (kind === "angle" ? (2 * Math.PI) / modulus : step);
