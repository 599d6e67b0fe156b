// What can be said: codes, names and items of every message (wire clause 3), and packets of them.
//
// A message is an object with `type`, its name, and its items by name, as in the table of `specs.js`.

import { decode, encode } from "./codec.js";
import { LocalProtocolError, PacketError } from "./errors.js";
import { plain } from "./floats.js";
import { PACKET_ITEMS, PACKET_OUT_BYTES } from "./limits.js";
import { BY_CODE, BY_TYPE, WITH_FLOATS, isCode } from "./specs.js";

/** The mission's kinds of message: the upper bits of a code (3.1). */
export const MessageType = Object.freeze({ CHAT: 0, GAME_STATE: 1, PLAYER_ACTION: 2, SYSTEM: 3 });
/** Kinds of lines (10.2). */
export const LineKind = Object.freeze({ TEXT: 0, NOTICE: 1, EMOJI: 2, REACTION: 3, UNREACTION: 4, EDIT: 5, DELETE: 6, PRIVATE: 7, ME: 8 });
/** Kinds from here on are a game's own. */
export const OWN_KINDS = 64;
/** What became of a line since it was said (10.4). */
export const LineState = Object.freeze({ AS_SAID: 0, EDITED: 1, DELETED: 2 });

/** @typedef {[number, number]} OwnRow table and slot */
/**
 * @typedef {{type: "LINE", channel: number, offset: number, time: number, tick: number, kind: number, sender: string, name: string, text: string, cid: string,
 *   about: number, to: string, mentions: string[], data: unknown, state: number, reactions: [string, number, boolean][]}} Line
 * @typedef {{type: "SAID", channel: number, cid: string, offset: number, wait: number}} Said
 * @typedef {{type: "HISTORY", channel: number, epoch: number, next: number, gap: boolean, lines: unknown[][]}} History
 * @typedef {{type: "UNSAID", channel: number, cid: string, reason: string, text: string, wait: number}} Unsaid
 * @typedef {{type: "PAGE", channel: number, epoch: number, before: number, more: boolean, lines: unknown[][]}} Page
 * @typedef {{type: "FRAME", stream: number, tick16: number, base: number, data: Uint8Array, texts: unknown[][],
 *   sight: Uint8Array, docs: Uint8Array}} Frame
 * @typedef {{type: "EVENT", room: number, number: number, tick: number, kind: number, values: (number|string)[]}} EventMessage
 * @typedef {{type: "CLOCK", room: number, tick: number, time: number}} Clock
 * @typedef {{type: "OWN", room: number, rows: OwnRow[]}} Own
 * @typedef {{type: "GAP", room: number, number: number}} Gap
 * @typedef {{type: "ACK", room: number, seq: number, tick: number}} Ack
 * @typedef {{type: "RESULT", room: number, seq: number, value: unknown}} Result
 * @typedef {{type: "REFUSED", room: number, seq: number, reason: string, text: string}} RefusedMessage
 * @typedef {{type: "WELCOME", version: number, session: string, user: string, name: string, time: number, resume: string, limits: Map<string, number>, features: string[]}} Welcome
 * @typedef {{type: "JOINED", room: number, name: string, epoch: number, tick: number, time: number, tickUs: number, stream: number,
 *   channels: [number, string, number, number][], schemaHash: Uint8Array, schema: Map<string, unknown>|null, rows: OwnRow[], lastSeq: number, event: number, key: number}} Joined
 * @typedef {{type: "LEFT", room: number, reason: string, text: string}} Left
 * @typedef {{type: "PING", number: number, time: number}} Ping
 * @typedef {{type: "PONG", number: number, time: number}} Pong
 * @typedef {{type: "ERROR", about: number, reason: string, text: string}} ErrorMessage
 * @typedef {{type: "GOODBYE", code: number, text: string}} Goodbye
 * @typedef {Line|Said|History|Unsaid|Page|Frame|EventMessage|Clock|Own|Gap|Ack|Result|RefusedMessage|Welcome|Joined|Left|Ping|Pong|ErrorMessage|Goodbye} ServerMessage
 */

/**
 * Read one message; null if its code is unknown (3.3).
 * @param {unknown} item
 * @param {boolean} fromServer
 * @returns {Record<string, unknown> | null}
 */
function message(item, fromServer) {
  if (!Array.isArray(item) || !isCode(item[0])) throw new PacketError("a message is an array that begins with its code");
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
 * Whether an item is what it is by default.
 * @param {unknown} value
 * @param {unknown} usual
 */
function isUsual(value, usual) {
  return value === usual || (Array.isArray(value) && Array.isArray(usual) && value.length === usual.length && usual.length === 0);
}

/**
 * Write one message: an object with `type` and its items by name; the last ones that have defaults may be absent.
 * @param {{type: string, [item: string]: unknown}} message
 * @returns {Uint8Array} One item of a packet.
 * @throws {LocalProtocolError} If an item is missing or of a wrong type or range.
 */
export function encodeMessage(message) {
  const found = BY_TYPE.get(message.type);
  if (found === undefined) throw new LocalProtocolError(`no message is called ${message.type}`);
  /** @type {unknown[]} */
  const list = [found.code];
  const { items, defaults } = found;
  const least = items.length - defaults.length;
  items.forEach(([key, check], i) => {
    const value = message[key] === undefined ? defaults[i - least] : message[key];
    if (!check(value)) throw new LocalProtocolError(`${found.type}: ${key} is of a wrong type or range`);
    list.push(value);
  });
  while (list.length - 1 > least && isUsual(list.at(-1), defaults[list.length - 2 - least])) list.pop();
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
