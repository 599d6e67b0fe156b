// What can be said: codes, names and items of every message (wire clause 3), and packets of them.
//
// SPECS is the table of the wire page. A message is an object with `type`, its name, and its items by name. Items may be absent at the
// end down to `least`; further items at the end are ignored (3.2).

import { WholeFloat, decode, encode, plain } from "./codec.js";
import { LocalProtocolError, PacketError } from "./errors.js";
import { PACKET_ITEMS, PACKET_OUT_BYTES } from "./limits.js";

/** The mission's kinds of message: the upper bits of a code (3.1). */
export const MessageType = Object.freeze({ CHAT: 0, GAME_STATE: 1, PLAYER_ACTION: 2, SYSTEM: 3 });
/** Kinds of lines (10.2). */
export const LineKind = Object.freeze({ TEXT: 0, NOTICE: 1 });

/** @typedef {(value: unknown) => boolean} Check */
/** @typedef {[number, number]} OwnRow table and slot */
/**
 * @typedef {{type: "LINE", channel: number, offset: number, time: number, tick: number, kind: number, sender: string, name: string, text: string, cid: string}} Line
 * @typedef {{type: "SAID", channel: number, cid: string, offset: number}} Said
 * @typedef {{type: "HISTORY", channel: number, epoch: number, next: number, gap: boolean, lines: unknown[][]}} History
 * @typedef {{type: "UNSAID", channel: number, cid: string, reason: string, text: string}} Unsaid
 * @typedef {{type: "FRAME", stream: number, tick16: number, base: number, data: Uint8Array, texts: unknown[][]}} Frame
 * @typedef {{type: "EVENT", room: number, number: number, tick: number, kind: number, values: (number|string)[]}} EventMessage
 * @typedef {{type: "CLOCK", room: number, tick: number, time: number}} Clock
 * @typedef {{type: "OWN", room: number, rows: OwnRow[]}} Own
 * @typedef {{type: "GAP", room: number, number: number}} Gap
 * @typedef {{type: "ACK", room: number, seq: number, tick: number}} Ack
 * @typedef {{type: "RESULT", room: number, seq: number, value: unknown}} Result
 * @typedef {{type: "REFUSED", room: number, seq: number, reason: string, text: string}} RefusedMessage
 * @typedef {{type: "WELCOME", version: number, session: string, user: string, name: string, time: number, resume: string, limits: Map<string, number>, features: string[]}} Welcome
 * @typedef {{type: "JOINED", room: number, name: string, epoch: number, tick: number, time: number, tickUs: number, stream: number,
 *   channels: [number, string, number, number][], schemaHash: Uint8Array, schema: Map<string, unknown>|null, rows: OwnRow[], lastSeq: number, event: number}} Joined
 * @typedef {{type: "LEFT", room: number, reason: string, text: string}} Left
 * @typedef {{type: "PING", number: number, time: number}} Ping
 * @typedef {{type: "PONG", number: number, time: number}} Pong
 * @typedef {{type: "ERROR", about: number, reason: string, text: string}} ErrorMessage
 * @typedef {{type: "GOODBYE", code: number, text: string}} Goodbye
 * @typedef {Line|Said|History|Unsaid|Frame|EventMessage|Clock|Own|Gap|Ack|Result|RefusedMessage|Welcome|Joined|Left|Ping|Pong|ErrorMessage|Goodbye} ServerMessage
 */

/** @type {Check} */
const count = (value) => Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0;
/** @type {Check} */
const place = (value) => count(value) || value === -1;
/** @type {Check} */
const small = (value) => count(value) && /** @type {number} */ (value) <= 0xffff;
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

const SPECS = [
  spec(0, "LINE", "server", { channel, offset: count, time: count, tick: count, kind: small, sender: name, name, text: long, cid: text(36) }, [""]),
  spec(1, "SAY", "client", { channel, cid, kind: small, text: long }),
  spec(2, "SAID", "server", { channel, cid, offset: place }),
  spec(3, "HISTORY", "server", { channel, epoch: count, next: count, gap: flag, lines: list(Array.isArray, 10_000) }),
  spec(4, "UNSAID", "server", { channel, cid, reason: word, text: prose }),
  spec(16, "FRAME", "server", { stream: count, tick16: small, base: count, data: bytes, texts: lists }, [[]]),
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
    channels: list(tuple(count, long, count, count), 128), schemaHash: hash, schema: orNull(map), rows, lastSeq: count, event: count,
  }),
  spec(52, "LEAVE", "client", { room }),
  spec(53, "LEFT", "server", { room, reason: word, text: prose }),
  spec(54, "PING", "both", { number: count, time: count }),
  spec(55, "PONG", "both", { number: count, time: count }),
  spec(56, "ERROR", "server", { about: small, reason: word, text: prose }),
  spec(57, "GOODBYE", "both", { code: small, text: prose }),
];
/** Items in which floats may stand; in all others a number is an integer. */
const WITH_FLOATS = new Set(["value", "limits", "schema"]);
const BY_CODE = new Map(SPECS.map((each) => [each.code, each]));
const BY_TYPE = new Map(SPECS.map((each) => [each.type, each]));

/**
 * Read one message; null if its code is unknown (3.3).
 * @param {unknown} item
 * @param {boolean} fromServer
 * @returns {Record<string, unknown> | null}
 */
function message(item, fromServer) {
  if (!Array.isArray(item) || !count(item[0])) throw new PacketError("a message is an array that begins with its code");
  const found = BY_CODE.get(item[0]);
  if (found === undefined && fromServer) return null;
  if (found === undefined || !(fromServer ? found.fromServer : found.fromClient)) {
    throw new PacketError(`no message of code ${item[0]} may come this way`);
  }
  const least = found.items.length - found.defaults.length;
  if (item.length - 1 < least) throw new PacketError(`${found.type} lacks items`);
  /** @type {Record<string, unknown>} */
  const read = { type: found.type };
  found.items.forEach(([key, check], i) => {
    const value = i + 1 < item.length ? item[i + 1] : found.defaults[i - least];
    if (!check(value)) throw new PacketError(`${found.type}: ${key} is of a wrong type or range`);
    read[key] = WITH_FLOATS.has(key) ? plain(value) : value;
  });
  return read;
}

/**
 * @param {Uint8Array} packet
 * @param {boolean} fromServer
 * @returns {Record<string, unknown>[]}
 */
function decodePacket(packet, fromServer) {
  if (packet.length > PACKET_OUT_BYTES) throw new PacketError("a packet that is too big"); // 1.3
  const list = decode(packet, { items: PACKET_ITEMS });
  if (!Array.isArray(list) || list.length === 0) throw new PacketError("a packet is an array of at least one message"); // 2.1
  return list.map((item) => message(item, fromServer)).filter((read) => read !== null);
}

/**
 * Read a packet that a server sent; messages of unknown codes are left out (3.3).
 * @param {Uint8Array} packet
 * @returns {ServerMessage[]}
 * @throws {PacketError} If it is none.
 */
export function decodeFromServer(packet) {
  return /** @type {ServerMessage[]} */ (/** @type {unknown} */ (decodePacket(packet, true)));
}

/**
 * Read a line of HISTORY: the items of LINE after `channel` (10.5).
 * @param {number} channel
 * @param {unknown[]} items
 * @returns {Line}
 * @throws {PacketError} If it is none.
 */
export function readLine(channel, items) {
  return /** @type {Line} */ (/** @type {unknown} */ (message([0, channel, ...items], true)));
}

/**
 * Read a packet that a client sent: for tests and tools.
 * @param {Uint8Array} packet
 * @returns {Record<string, unknown>[]}
 * @throws {PacketError} If it is none.
 */
export function decodeFromClient(packet) {
  return decodePacket(packet, false);
}

/**
 * Write one message: an object with `type` and every item by name.
 * @param {{type: string, [item: string]: unknown}} message
 * @returns {Uint8Array} One item of a packet.
 * @throws {LocalProtocolError} If an item is missing or of a wrong type or range.
 */
export function encodeMessage(message) {
  const found = BY_TYPE.get(message.type);
  if (found === undefined) throw new LocalProtocolError(`no message is called ${message.type}`);
  /** @type {unknown[]} */
  const list = [found.code];
  for (const [key, check] of found.items) {
    const value = message[key];
    if (!check(value)) throw new LocalProtocolError(`${found.type}: ${key} is of a wrong type or range`);
    list.push(value);
  }
  return encode(list);
}

/**
 * Put written messages into packets that the peer accepts (1.3, 2.1), in order.
 * @param {Uint8Array[]} messages
 * @param {number} mostBytes of one packet
 * @param {number} mostMessages in one packet
 * @returns {Uint8Array[]}
 */
export function pack(messages, mostBytes, mostMessages) {
  /** @type {Uint8Array[]} */
  const packets = [];
  let start = 0;
  let size = 3;
  for (let i = 0; i <= messages.length; i++) {
    const full = i - start >= mostMessages || (i > start && size + (messages[i]?.length ?? 0) > mostBytes);
    if (i > start && (i === messages.length || full)) {
      packets.push(join(messages.slice(start, i)));
      start = i;
      size = 3;
    }
    size += messages[i]?.length ?? 0;
  }
  return packets;
}

/**
 * An array's head (RFC 8949 §3.1; at most 256 messages) and its items.
 * @param {Uint8Array[]} items
 */
function join(items) {
  const n = items.length;
  const head = n < 24 ? [0x80 | n] : n < 256 ? [0x98, n] : [0x99, n >> 8, n & 255];
  const packet = new Uint8Array(head.length + items.reduce((sum, item) => sum + item.length, 0));
  packet.set(head);
  let at = head.length;
  for (const item of items) {
    packet.set(item, at);
    at += item.length;
  }
  return packet;
}

/**
 * Write messages as one packet.
 * @param {{type: string, [item: string]: unknown}[]} messages
 */
export function encodePacket(messages) {
  if (messages.length === 0 || messages.length > 256) throw new LocalProtocolError("a packet holds 1 to 256 messages");
  return join(messages.map(encodeMessage));
}

/**
 * The mission's view of any message.
 * @typedef {object} NetworkMessage
 * @property {number} type a MessageType
 * @property {Record<string, unknown>} payload the message's items by name, and its code
 * @property {number} timestamp milliseconds of the server's clock: its own time, else when it came
 * @property {string} sender the user it is from; "" for the server
 */

/**
 * Show a message of the wire as the mission's NetworkMessage.
 * @param {ServerMessage} message
 * @param {number} timestamp when it came, in the server's milliseconds
 * @returns {NetworkMessage}
 */
export function networkMessage(message, timestamp) {
  const code = BY_TYPE.get(message.type)?.code ?? 0;
  const { type: _, ...payload } = message;
  return {
    type: code >> 4,
    payload: { code, ...payload },
    timestamp: "time" in message ? message.time : timestamp,
    sender: "sender" in message ? message.sender : "",
  };
}
