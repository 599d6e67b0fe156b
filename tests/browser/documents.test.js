// Documents: the vectors, what a page sees of them, and bad bytes.

import { Docs } from "/meteor-net/documents.js";
import { FrameError, MessageError } from "/meteor-net/errors.js";
import { Replica } from "/meteor-net/replica.js";
import { RoomWorld } from "/meteor-net/room-world.js";
import { Schema } from "/meteor-net/schema.js";
import { interpolate } from "/meteor-net/state.js";
import { equal, hex, mutate, ok, seeded, show, test, throws, toWire, unhex, vectors } from "/tests/harness.js";

const NOTHING = new Uint8Array(0);

/** A tree of the vectors as it is to be: bytes stand there as {"hex": "..."}; with keys in order, as `show` shows them as they come. */
function tree(value) {
  if (Array.isArray(value)) return value.map(tree);
  if (value instanceof Uint8Array || value === null || typeof value !== "object") return value;
  const keys = Object.keys(value).sort();
  if (keys.join() === "hex") return unhex(value.hex);
  return new Map(keys.map((key) => [key, tree(value[key])]));
}

/** The document `d` of one that stood before, made by a keyframe's patch. */
const docsOf = (old) => new Docs(new Map([["d", old]]), 0);
const patchOf = (text) => unhex(`a16164${text}`);

test("the patches of the vectors make the trees of the vectors, or are refused", async () => {
  const { patches, diffs } = await vectors("documents.json");
  for (const { old, patch, new: made, refused } of [...patches, ...diffs]) {
    const docs = docsOf(old);
    const before = show(tree(old));
    if (refused) throws(FrameError, () => docs.patched(patchOf(patch)), refused);
    else equal(tree(docs.patched(patchOf(patch)).trees.get("d")), tree(made), patch);
    equal(show(tree(docs.trees.get("d"))), before, "the old tree");
  }
});

test("frames bring documents, which a page sees by their names", async () => {
  for (const { schema: described, frames } of (await vectors("documents.json")).worlds) {
    const replica = new Replica(Schema.parse(toWire(described)), 1, 0);
    equal(interpolate(replica.version, replica.version, 1).match, {});
    for (const { tick16, base, data, docs, trees, refused } of frames) {
      const before = replica.version;
      const apply = () => replica.apply(tick16, base, unhex(data), [], NOTHING, unhex(docs));
      if (refused) {
        throws(FrameError, apply, refused);
        ok(replica.version === before, refused);
        continue;
      }
      apply();
      for (const [name, expected] of Object.entries(trees)) equal(tree(interpolate(before, replica.version, 0.5)[name]), tree(expected), name);
    }
  }
});

test("a room's world has the documents that its frames bring, and is live with them alone", async () => {
  const [{ schema, hash, frames }] = (await vectors("documents.json")).worlds;
  const sent = [];
  const world = new RoomWorld((message) => sent.push(message.type), () => undefined);
  const joined = { type: "JOINED", room: 0, name: "a/b", epoch: 1, tick: 0, time: 0, tickUs: 50_000, stream: 0, channels: [], rows: [], lastSeq: 0, event: 0 };
  world.joined({ ...joined, schemaHash: unhex(hash), schema: toWire(schema) }, 0);
  ok(world.exists);
  const take = ({ tick16, base, data, docs }) => {
    world.frame({ type: "FRAME", stream: 0, tick16, base, data: unhex(data), texts: [], sight: NOTHING, docs: unhex(docs) }, 0);
  };
  take(frames[0]);
  equal(tree(world.view.match), tree(frames[0].trees.match));
  equal(sent, ["HELD"]);
  take(frames.find(({ refused }) => refused));
  equal(sent, ["HELD", "LOST"]);
  equal(tree(world.view.match), tree(frames[0].trees.match));
  take(frames.at(-1));
  equal([world.view.match, tree(world.view.lobby)], [{}, tree(frames.at(-1).trees.lobby)]);
});

test("what did not change is shared, and nothing can be written to", () => {
  const first = docsOf({}).patched(patchOf("a2616181a16162016163a0")); // {"a": [{"b": 1}], "c": {}}
  const second = first.patched(patchOf("a1616101")); // {"a": 1}
  equal([first.trees.get("d").a, second.trees.get("d").a], [[{ b: 1 }], 1]);
  ok(first.trees.get("d").c === second.trees.get("d").c);
  for (const part of [second.trees.get("d"), first.trees.get("d").a, first.trees.get("d").a[0], first.trees.get("d").c]) ok(Object.isFrozen(part));
  throws(TypeError, () => { first.trees.get("d").a[0].b = 2; });
  ok(first.patched(NOTHING) === first);
});

test("no key reaches a prototype", () => {
  const docs = docsOf({}).patched(patchOf("a1695f5f70726f746f5f5fa163626164f5")); // {"__proto__": {"bad": true}}
  const made = docs.trees.get("d");
  equal(Object.keys(made), ["__proto__"]);
  ok(Object.getPrototypeOf(made) === null && made.bad === undefined && {}.bad === undefined);
});

test("documents stay within their bounds, whatever comes", () => {
  const names = Array.from({ length: 16 }, (_, n) => `d${n}`);
  const text = `79fde8${"78".repeat(65_000)}`;
  const put = (n, key, value) => unhex(`a1${n < 10 ? "62" : "63"}${hex(new TextEncoder().encode(`d${n}`))}a161${key}${value}`);
  let docs = Docs.empty(names);
  for (let round = 0; round < 3; round++) for (let n = 0; n < 16; n++) docs = docs.patched(put(n, "61", text));
  ok(docs.bytes <= 16 * 65_536, "counted anew");
  throws(FrameError, () => docs.patched(put(0, "62", text)));
});

test("a schema's documents are names, and no table's", async () => {
  const [{ schema }] = (await vectors("documents.json")).worlds;
  const parse = (documents) => Schema.parse(toWire({ ...schema, documents }));
  equal(parse(["match"]).documents, ["match"]);
  equal(Schema.parse(toWire({ tables: [], actions: [], events: [] })).documents, []);
  const wrong = ["match", ["a", "a"], ["__proto__"], ["a b"], [3], Array.from({ length: 17 }, (_, n) => `d${n}`)];
  for (const documents of wrong) throws(MessageError, () => parse(documents));
  const table = { name: "match", fields: [] };
  throws(MessageError, () => Schema.parse(toWire({ tables: [table], actions: [], events: [], documents: ["match"] })));
});

test("changed bytes are refused by FrameError, or applied", async () => {
  const random = seeded(7);
  const { patches } = await vectors("documents.json");
  let refused = 0;
  for (let round = 0; round < 40; round++) {
    for (const { old, patch } of patches) {
      const docs = docsOf(old);
      try {
        docs.patched(mutate(patchOf(patch), random));
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        refused++;
      }
    }
  }
  ok(refused > 500, `${refused}`);
});
