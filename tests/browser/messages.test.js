import { encode } from "/meteor-net/codec.js";
import { LocalProtocolError, PacketError } from "/meteor-net/errors.js";
import { MessageType, decodeFromClient, decodeFromServer, encodeMessage, encodePacket, networkMessage, pack } from "/meteor-net/messages.js";
import { equal, hex, mutate, ok, seeded, survives, test, throws, toWire, unhex, vectors } from "/tests/harness.js";

const HASH = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const NONE = new Uint8Array(0);
const SCHEMA = new Map([["tables", []], ["actions", []], ["events", []]]);
const FROM_SERVER = [
  { type: "LINE", channel: 1, offset: 2, time: 1700000000000, tick: 4, kind: 0, sender: "u1", name: "ann", text: "ahoy", cid: "c1", about: 1, to: "u2", mentions: ["u2"], data: new Map([["score", 1.5]]), state: 1, reactions: [["🌊", 2, true]] },
  { type: "SAID", channel: 1, cid: "c1", offset: -1, wait: 1500 },
  { type: "HISTORY", channel: 1, epoch: 2 ** 48 - 1, next: 7, gap: true, lines: [[6, 1700000000000, 4, 1, "", "", "ann sails in"]] },
  { type: "UNSAID", channel: 1, cid: "c1", reason: "slow-down", text: "not so fast", wait: 2500 },
  { type: "FRAME", stream: 3, tick16: 65535, base: 8, data: Uint8Array.of(0), texts: [[0, 3, [1], ["ann"]]], sight: Uint8Array.of(2, 2, 0, 3), docs: Uint8Array.of(160) },
  { type: "EVENT", room: 1, number: 5, tick: 9, kind: 0, values: [1, -2, "boom"] },
  { type: "CLOCK", room: 1, tick: 9, time: 1700000000000 },
  { type: "OWN", room: 1, rows: [[0, 5]] },
  { type: "GAP", room: 1, number: 300 },
  { type: "ACK", room: 1, seq: 4, tick: 9 },
  { type: "RESULT", room: 1, seq: 4, value: [null, 1.5, "x"] },
  { type: "REFUSED", room: 1, seq: 4, reason: "refused", text: "too fast" },
  { type: "WELCOME", version: 1, session: "s", user: "u1", name: "ann", time: 1700000000000, resume: "secret", limits: new Map([["ping_s", 15]]), features: [] },
  {
    type: "JOINED", room: 1, name: "drift/main", epoch: 12345, tick: 9, time: 1700000000000, tickUs: 50000, stream: 3, channels: [[1, "main", 77, 7]],
    schemaHash: HASH, schema: SCHEMA, rows: [[0, 5]], lastSeq: 0, event: 0, key: 0,
  },
  { type: "LEFT", room: 1, reason: "closed", text: "the room is closed" },
  { type: "PING", number: 1, time: 1700000000000 },
  { type: "PONG", number: 1, time: 1700000000000 },
  { type: "ERROR", about: 50, reason: "room-full", text: "64 players are in" },
  { type: "GOODBYE", code: 4000, text: "the server restarts" },
  { type: "PAGE", channel: 1, epoch: 77, before: 12, more: true, lines: [[6, 1700000000000, 4, 1, "", "", "ann sails in"]] },
];
const FROM_CLIENT = [
  { type: "SAY", channel: 1, cid: "c1", kind: 64, text: "ahoy", about: 3, to: "u2", data: [1, null, "x"] },
  { type: "EARLIER", channel: 1, before: 12, limit: 100 },
  { type: "LOST", room: 1 },
  { type: "HELD", room: 1, tick: 9 },
  { type: "ACTION", room: 1, seq: 1, seen: 72, kind: 0, values: [32, 1] },
  { type: "HELLO", versions: [1], name: null, token: null, resume: "secret", client: "test", features: [] },
  { type: "JOIN", name: "", role: 0, places: new Map([["epoch", 1], ["channels", new Map([["main", [77, 6]]])]]), schemaHash: HASH },
  { type: "LEAVE", room: 1 },
  { type: "PING", number: 1, time: 0 },
];

test("every message comes back as it was, one by one and together", () => {
  for (const message of FROM_SERVER) equal(decodeFromServer(encodePacket([message])), [message]);
  for (const message of FROM_CLIENT) equal(decodeFromClient(encodePacket([message])), [message]);
  equal(decodeFromServer(encodePacket(FROM_SERVER)), FROM_SERVER);
});

test("items may be absent at the end, and further ones are ignored", () => {
  equal(decodeFromServer(encode([[16, 3, 9, 0, Uint8Array.of(0)]])), [{ type: "FRAME", stream: 3, tick16: 9, base: 0, data: Uint8Array.of(0), texts: [], sight: NONE, docs: NONE }]);
  equal(decodeFromServer(encode([[54, 1, 2, "later", null]])), [{ type: "PING", number: 1, time: 2 }]);
});

test("last items that are as usual are left out, and come back", () => {
  const plainLine = [0, 1, 2, 3, 4, 0, "u1", "ann", "ahoy"];
  const usual = { cid: "", about: -1, to: "", mentions: [], data: null, state: 0, reactions: [] };
  const [line] = decodeFromServer(encode([plainLine]));
  equal(line, { type: "LINE", channel: 1, offset: 2, time: 3, tick: 4, kind: 0, sender: "u1", name: "ann", text: "ahoy", ...usual });
  equal(encodeMessage(line), encode(plainLine));
  equal(encodeMessage({ ...line, state: 2 }), encode([...plainLine, "", -1, "", [], null, 2]));
  equal(encodeMessage({ type: "SAY", channel: 1, cid: "c", kind: 0, text: "x" }), encode([1, 1, "c", 0, "x"]));
  equal(decodeFromServer(encode([[2, 1, "c", 5], [4, 1, "c", "failed", ""]])).map(({ wait }) => wait), [0, 0]);
});

test("floats may stand in the data of a line", () => {
  const packet = Uint8Array.of(0x81, 0x8e, 0, 1, 2, 3, 4, 0x18, 64, 0x60, 0x60, 0x60, 0x60, 0x20, 0x60, 0x80, 0xf9, 0x3c, 0x00); // 1.0 in 16 bits
  equal(decodeFromServer(packet)[0].data, 1);
});

test("codes of later versions are left out", () => {
  equal(decodeFromServer(encode([[99, "?"], [54, 1, 2], [23]])), [{ type: "PING", number: 1, time: 2 }]);
});

test("what is no packet is refused", () => {
  const packets = [
    [], 1, null, [1], [[]], [["16"]], [[-1]], [[1.5]], [[54, 1]], [[54, -1, 2]], [[54, 1.5, 2]], [[54, "1", 2]], [[57, 70000, "x"]], [[1, 1, "c", 0, "x"]],
    [[48, [1]]], [[16, 3, 70000, 0, Uint8Array.of(0)]], [[16, 3, 9, 0, "data"]], [[17, 1, 5, 9, 0, [1.5]]], [[0, 1, 2, 3, 4, 0, "u", "n", "x".repeat(20_000), ""]],
    [[21, 1, [[0]]]], [[21, 1, [[0, 1, 2]]]], [[5, 1, 12, 50]],
    [[0, 1, 2, 3, 4, 0, "u", "n", "x", "", -2]], [[0, 1, 2, 3, 4, 0, "u", "n", "x", "", -1, "", [5]]], [[0, 1, 2, 3, 4, 0, "u", "n", "x", "", -1, "", [], null, 3]],
    [[0, 1, 2, 3, 4, 0, "u", "n", "x", "", -1, "", [], null, 0, [["🌊", 1]]]], [[0, 1, 2, 3, 4, 0, "u", "n", "x", "", -1, "", [], null, 0, [["🌊", 1.5, true]]]],
    [[2, 1, "c", 1, -1]], [[6, 1, 2, 3, "no", []]], [[6, 1, 2, 3, true, ["line"]]],
  ];
  for (const packet of packets) throws(PacketError, () => decodeFromServer(encode(packet)), JSON.stringify(packet));
});

test("a message that would break the wire is not written", () => {
  for (const limit of [0, 101, 1.5]) throws(LocalProtocolError, () => encodeMessage({ type: "EARLIER", channel: 1, before: 9, limit }));
  throws(LocalProtocolError, () => encodeMessage({ type: "HELD", room: 1, tick: -1 }));
  throws(LocalProtocolError, () => encodeMessage({ type: "HELD", room: 1 }));
  throws(LocalProtocolError, () => encodeMessage({ type: "NOTHING" }));
  throws(LocalProtocolError, () => encodePacket([]));
});

test("packets keep to the bytes and messages that the peer allows", () => {
  const messages = Array.from({ length: 600 }, (_, i) => encodeMessage({ type: "SAY", channel: 1, cid: `c${i}`, kind: 0, text: "x".repeat(i) }));
  const packets = pack(messages, 16 * 1024, 256);
  ok(packets.every((packet) => packet.length <= 16 * 1024), "bytes");
  const read = packets.map(decodeFromClient);
  ok(read.every((list) => list.length <= 256), "messages");
  equal(read.flat().map((message) => message.cid), Array.from({ length: 600 }, (_, i) => `c${i}`));
  equal(pack(messages.slice(0, 300).map(() => encodeMessage({ type: "LOST", room: 1 })), 16 * 1024, 256).map((packet) => decodeFromClient(packet).length), [256, 44]);
  equal(pack([], 100, 10), []);
  equal(pack([messages[500]], 100, 10).length, 1, "one that is too big by itself goes alone");
});

test("mutated packets are read, or refused by PacketError", () => {
  const random = seeded(3);
  const whole = [...FROM_SERVER.map((message) => encodePacket([message])), encodePacket(FROM_SERVER)];
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    const bytes = mutate(whole[i % whole.length], random);
    if (!survives(PacketError, () => decodeFromServer(bytes), hex(bytes))) refused++;
  }
  ok(refused > 5_000, `${refused} refused`);
});

test("any message shows itself as a NetworkMessage", () => {
  const { type, ...items } = FROM_SERVER[0];
  equal(networkMessage(FROM_SERVER[0], 5), { type: MessageType.CHAT, payload: { code: 0, ...items }, timestamp: 1700000000000, sender: "u1" });
  equal(networkMessage(FROM_SERVER[7], 5), { type: MessageType.GAME_STATE, payload: { code: 21, room: 1, rows: [[0, 5]] }, timestamp: 5, sender: "" });
});

/** A meaning of the vectors as values of the wire: bytes stand as {"hex": "..."}. */
function meant(value) {
  if (value instanceof Map) return value.size === 1 && value.has("hex") ? unhex(value.get("hex")) : new Map([...value].map(([key, item]) => [key, meant(item)]));
  return Array.isArray(value) ? value.map(meant) : value;
}

test("the packets of the vectors mean what the vectors say", async () => {
  for (const { name, way, hex: bytes, messages } of (await vectors("packets.json")).packets) {
    const expected = meant(toWire(messages));
    for (const [each, read] of [["client", decodeFromClient], ["server", decodeFromServer]]) {
      if (way !== each && way !== "both") continue;
      // Items that are absent at the end have their defaults here.
      const values = read(unhex(bytes)).map((message, i) => Object.values(message).slice(1, expected[i].length));
      equal(values, expected.map((message) => message.slice(1)), name);
    }
  }
});

test("what is no packet in the vectors is refused", async () => {
  for (const { name, way, hex: bytes } of (await vectors("packets.json")).refused) {
    if (way !== "server") throws(PacketError, () => decodeFromClient(unhex(bytes)), name);
    if (way !== "client") throws(PacketError, () => decodeFromServer(unhex(bytes)), name);
  }
});
