// The table of messages (wire clause 3): code, name, which way, and the items with their types and ranges.
//
// Items may be absent at the end where they have defaults; further items at the end are ignored (3.2).

import { WholeFloat } from "./floats.js";

/** @typedef {(value: unknown) => boolean} Check */

/** @type {Check} */
const count = (value) => Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0;
/** @type {Check} */
const place = (value) => count(value) || value === -1;
/** @type {Check} */
const small = (value) => count(value) && /** @type {number} */ (value) <= 0xffff;
/** From one number to another. @type {(least: number, most: number) => Check} */
const within = (least, most) => (value) => Number.isSafeInteger(value) && /** @type {number} */ (value) >= least && /** @type {number} */ (value) <= most;
/** @type {Check} */
const seq = (value) => count(value) && value !== 0;
/** @type {Check} */
const flag = (value) => typeof value === "boolean";
/** @type {Check} */
const bytes = (value) => value instanceof Uint8Array;
/** @type {Check} */
const hash = (value) => value instanceof Uint8Array && value.length === 8;
/** @type {Check} */
const any = () => true;
/** @type {Check} */
const map = (value) => value instanceof Map;
/** @type {Check} */
const numbers = (value) => value instanceof Map && [...value.values()].every((item) => typeof item === "number" || item instanceof WholeFloat);
/** Characters are code points. @type {(most: number, least?: number) => Check} */
const text = (most, least = 0) => (value) => typeof value === "string" && value.length >= least
  && (value.length <= most || (value.length <= 2 * most && [...value].length <= most));
/** @type {(check: Check) => Check} */
const orNull = (check) => (value) => value === null || check(value);
/** @type {(check: Check, most: number, least?: number) => Check} */
const list = (check, most, least = 0) => (value) => Array.isArray(value) && value.length >= least && value.length <= most
  && value.every((item) => check(item));
/** @type {(...checks: Check[]) => Check} */
const tuple = (...checks) => (value) => Array.isArray(value) && value.length === checks.length && checks.every((check, i) => check(value[i]));

const name = text(64);
const word = text(32);
const prose = text(1_000);
const long = text(8_192);
const secret = text(4_096);
const cid = text(36, 1);
const room = count;
const channel = count;
const lists = list(Array.isArray, 1_024);
const values = list((value) => Number.isSafeInteger(value) || long(value), 64);
const rows = list(tuple(count, count), 64);
const roomName = text(129);
const mentions = list(name, 16);
const reactions = list(tuple(word, count, flag), 20);

/**
 * @typedef {object} Spec
 * @property {number} code
 * @property {string} type
 * @property {boolean} fromServer
 * @property {boolean} fromClient
 * @property {[string, Check][]} items
 * @property {unknown[]} defaults of the last items, which may be absent
 */

/**
 * @param {number} code
 * @param {string} type
 * @param {"server"|"client"|"both"} way
 * @param {Record<string, Check>} items
 * @param {unknown[]} [defaults]
 * @returns {Spec}
 */
function spec(code, type, way, items, defaults = []) {
  return { code, type, fromServer: way !== "client", fromClient: way !== "server", items: Object.entries(items), defaults };
}

/** What an item of bytes is where it is absent. */
const none = new Uint8Array(0);

const SPECS = [
  spec(0, "LINE", "server", {
    channel, offset: count, time: count, tick: count, kind: small, sender: name, name, text: long, cid: text(36),
    about: place, to: name, mentions, data: any, state: within(0, 2), reactions,
  }, ["", -1, "", [], null, 0, []]),
  spec(1, "SAY", "client", { channel, cid, kind: small, text: long, about: place, to: name, data: any }, [-1, "", null]),
  spec(2, "SAID", "server", { channel, cid, offset: place, wait: count }, [0]),
  spec(3, "HISTORY", "server", { channel, epoch: count, next: count, gap: flag, lines: list(Array.isArray, 10_000) }),
  spec(4, "UNSAID", "server", { channel, cid, reason: word, text: prose, wait: count }, [0]),
  spec(5, "EARLIER", "client", { channel, before: count, limit: within(1, 100) }, [50]),
  spec(6, "PAGE", "server", { channel, epoch: count, before: count, more: flag, lines: list(Array.isArray, 100) }),
  spec(16, "FRAME", "server", { stream: count, tick16: small, base: count, data: bytes, texts: lists, sight: bytes, docs: bytes }, [[], none, none]),
  spec(17, "EVENT", "server", { room, number: count, tick: count, kind: small, values }),
  spec(18, "LOST", "client", { room }),
  spec(19, "HELD", "client", { room, tick: count }),
  spec(20, "CLOCK", "server", { room, tick: count, time: count }),
  spec(21, "OWN", "server", { room, rows }),
  spec(22, "GAP", "server", { room, number: count }),
  spec(32, "ACTION", "client", { room, seq, seen: count, kind: small, values }),
  spec(33, "ACK", "server", { room, seq: count, tick: count }),
  spec(34, "RESULT", "server", { room, seq, value: any }),
  spec(35, "REFUSED", "server", { room, seq, reason: word, text: prose }),
  spec(48, "HELLO", "client",
    { versions: list(count, 16, 1), name: orNull(name), token: orNull(secret), resume: orNull(secret), client: name, features: list(word, 32) },
    [null, null, null, "", []]),
  spec(49, "WELCOME", "server",
    { version: count, session: name, user: name, name, time: count, resume: secret, limits: numbers, features: list(word, 32) }, [[]]),
  spec(50, "JOIN", "client", { name: roomName, role: small, places: map, schemaHash: orNull(hash) }, [0, new Map(), null]),
  spec(51, "JOINED", "server", {
    room, name: roomName, epoch: count, tick: count, time: count, tickUs: seq, stream: count,
    channels: list(tuple(count, long, count, count), 128), schemaHash: hash, schema: orNull(map), rows, lastSeq: count, event: count, key: count,
  }, [0]),
  spec(52, "LEAVE", "client", { room }),
  spec(53, "LEFT", "server", { room, reason: word, text: prose }),
  spec(54, "PING", "both", { number: count, time: count }),
  spec(55, "PONG", "both", { number: count, time: count }),
  spec(56, "ERROR", "server", { about: small, reason: word, text: prose }),
  spec(57, "GOODBYE", "both", { code: small, text: prose }),
];
/** Items in which floats may stand; in all others a number is an integer. */
export const WITH_FLOATS = new Set(["value", "limits", "schema", "data"]);
export const BY_CODE = new Map(SPECS.map((each) => [each.code, each]));
export const BY_TYPE = new Map(SPECS.map((each) => [each.type, each]));
/** Whether a value can be a code. */
export const isCode = count;
