// A server in memory, its sockets and its clock: what a test says happens, in the order it says.

import { encode } from "/meteor-net/codec.js";
import { decodeFromClient, encodePacket } from "/meteor-net/messages.js";
import { toWire } from "/tests/harness.js";

export const HASH = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
export const SCHEMA = toWire({
  tables: [{ name: "ship", fields: [
    { name: "x", kind: "fixed", step: 1, low: 0, high: 1000, wrap: true }, { name: "y", kind: "fixed", step: 1, low: 0, high: 1000, wrap: true },
    { name: "heading", kind: "angle", bits: 8 }, { name: "name", kind: "text", max: 60 },
  ] }, { name: "note", fields: [{ name: "text", kind: "text", max: 140 }, { name: "stars", kind: "uint", bits: 3 }] }],
  actions: [{ name: "Steer", input: true, fields: [{ name: "thrust", kind: "flag" }] }, { name: "Buy", input: false, fields: [{ name: "what", kind: "choice", choices: ["bottle", "sail"] }] }],
  events: [{ name: "Boom", fields: [{ name: "x", kind: "uint", bits: 10 }] }],
});
/** A keyframe: a ship in slot 0 (generation 0) at x 10, y 20, heading a quarter turn. */
export const KEYFRAME = Uint8Array.of(2, 0b1111, 0, 2, 0, 2, 20, 40, 0x80, 1);
/** The step from nothing to that ship, in the coding `eg`. */
export const EG_STEP = Uint8Array.of(2, 0b1111, 0, 2, 0, 1, 40, 40, 40, 0x0b, 1, 0x14, 1);
/** A step: the ship's x grows by 10. */
export const STEP = Uint8Array.of(2, 2, 2, 20);
/** A step that nothing can come of. */
export const BAD_STEP = Uint8Array.of(2, 2, 30, 20);
const LIMITS = new Map([["packet_in_bytes", 16384], ["line_chars", 100], ["ping_s", 15], ["ping_world_s", 2], ["away_s", 30]]);

class FakeSocket {
  constructor(server, url, protocol, transport) {
    Object.assign(this, { server, url, protocol, transport, readyState: 0, bufferedAmount: 0, closedWith: null, onopen: null, onmessage: null, onclose: null });
  }

  send(bytes) {
    if (this.readyState !== 1) throw new Error("send on a socket that is not open");
    this.server.heard.push(...decodeFromClient(bytes));
  }

  close(code = 1000) {
    if (this.readyState > 1) return;
    this.readyState = 2;
    this.closedWith = code;
  }
}

export class FakeServer {
  constructor() {
    this.sockets = [];
    /** Every message from the clients, in order. */
    this.heard = [];
    this.timers = [];
    this.now = 1000;
    this.randoms = [];
    this.welcomes = 0;
    /** What a ConnectionManager needs of its surroundings. */
    this.outside = {
      open: (url, protocol, transport) => {
        const socket = new FakeSocket(this, url, protocol, transport);
        this.sockets.push(socket);
        return socket;
      },
      now: () => this.now,
      random: () => this.randoms.shift() ?? 0.5,
      setTimeout: (call, ms) => {
        const timer = { call, at: this.now + ms };
        this.timers.push(timer);
        return timer;
      },
      clearTimeout: (timer) => { this.timers = this.timers.filter((each) => each !== timer); },
    };
  }

  get socket() { return this.sockets.at(-1); }

  /** Let time go by, timers and all; between them promises go on. */
  async advance(ms) {
    const end = this.now + ms;
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.now = Math.max(this.now, next.at);
      next.call();
      await Promise.resolve();
    }
    this.now = end;
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }

  /** What was heard since the last time. */
  take(type) {
    const heard = this.heard.splice(0);
    return type ? heard.filter((message) => message.type === type) : heard;
  }

  /** The socket is open. */
  async accept() {
    this.socket.readyState = 1;
    this.socket.onopen?.({});
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }

  /** Say messages in one packet. */
  async say(...messages) {
    await this.sayBytes(encodePacket(messages));
  }

  async sayBytes(bytes) {
    const socket = this.sockets.findLast(({ readyState }) => readyState === 1) ?? this.socket; // not one that is only tried
    socket.onmessage?.({ data: bytes.slice().buffer });
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }

  /** End the connection from the server's side, or by a lost network. */
  async drop(code = 1006, reason = "") {
    const { socket } = this;
    socket.readyState = 3;
    socket.onclose?.({ code, reason });
    for (let i = 0; i < 5; i++) await Promise.resolve();
  }

  async welcome(more = {}) {
    this.welcomes++;
    await this.say({
      type: "WELCOME", version: 1, session: "s1", user: "u1", name: "ann", time: 1_000_000 + this.now, resume: `secret ${this.welcomes}`, limits: LIMITS, features: [], ...more,
    });
  }

  async joined(more = {}) {
    await this.say({
      type: "JOINED", room: 1, name: "drift/main", epoch: 77, tick: 20, time: 1_000_000 + this.now, tickUs: 50_000, stream: 3, channels: [[5, "main", 900, 0]],
      schemaHash: HASH, schema: SCHEMA, rows: [[0, 0]], lastSeq: 0, event: 0, ...more,
    });
  }

  async frame(tick, data = STEP, base = 8, texts = []) {
    await this.say({ type: "FRAME", stream: 3, tick16: tick & 0xffff, base, data, texts });
  }

  async history(lines = [], more = {}) {
    await this.say({ type: "HISTORY", channel: 5, epoch: 900, next: lines.length ? lines.at(-1)[0] + 1 : 0, gap: false, lines, ...more });
  }

  async line(offset, text, more = {}) {
    await this.say({ type: "LINE", channel: 5, offset, time: 1_700_000_000_000, tick: 20, kind: 0, sender: "u2", name: "bob", text, cid: "", ...more });
  }

  /** Everything up to the first picture. */
  async letIn() {
    await this.accept();
    await this.welcome();
    await this.joined();
    await this.history();
    await this.frame(20, KEYFRAME, 0, [[0, 3, [0], ["ann"]]]);
  }
}

export const line = (offset, text, more = {}) => Object.values({
  offset, time: 1_700_000_000_000, tick: 20, kind: 0, sender: "u2", name: "bob", text, cid: "",
  about: -1, to: "", mentions: [], data: null, state: 0, reactions: [], ...more,
});

export { encode };
