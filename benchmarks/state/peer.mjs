// Colyseus beside us: the same motion, through its setters, its serializer and its decoder. Copied beside node_modules and run
// there. Each line of standard input is an order in JSON, each line of standard output its answer.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { ClientState, SchemaSerializer } from "@colyseus/core";
import * as S from "@colyseus/schema";

const SIZE = 4096;
const TURN = 2 * Math.PI;
const FIELDS = ["x", "y", "angle"];
const t = S.t;
S.Encoder.BUFFER_SIZE = 1 << 20; // else it warns, and makes a larger one

const place = () => t.quantized({ min: 0, max: SIZE, bits: 16, mode: "wrap" });
const quantized = () => ({ x: place(), y: place(), angle: t.quantized({ min: 0, max: TURN, bits: 16, mode: "wrap" }) });
const floats = () => ({ x: t.float32(), y: t.float32(), angle: t.float32() });

/** A room's state, one client that follows it, and the motion. */
class World {
  constructor({ file, rows, kind }) {
    const Mover = S.schema({ ...(kind === "quantized" ? quantized() : floats()), hp: t.uint8(), skin: t.uint8() }, "Mover");
    const State = S.schema({ movers: t.map(Mover) }, "State");
    this.kind = kind;
    this.rows = rows;
    const bytes = readFileSync(file);
    this.values = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    this.state = new State();
    this.movers = [];
    for (let i = 0; i < rows; i++) {
      const mover = new Mover();
      mover.hp = 100;
      mover.skin = 3;
      this.state.movers.set(String(i), mover);
      this.movers.push(mover);
    }
    this.move(0);
    this.serializer = new SchemaSerializer();
    this.serializer.reset(this.state);
    this.client = { state: ClientState.JOINED, raw: (patch) => { this.patch = patch; } };
    this.decoder = new S.Decoder(new State());
    this.decoder.decode(this.serializer.getFullState(), { offset: 1 });
    this.serializer.applyPatches([this.client], this.state); // what a player gets who was there before
  }

  /** The setters. */
  move(tick) {
    const { rows, movers, values } = this;
    const from = tick * 3 * rows;
    const xs = values.subarray(from, from + rows);
    const ys = values.subarray(from + rows, from + 2 * rows);
    const angles = values.subarray(from + 2 * rows, from + 3 * rows);
    for (let i = 0; i < rows; i++) {
      const mover = movers[i];
      mover.x = xs[i];
      mover.y = ys[i];
      mover.angle = angles[i];
    }
  }

  /** Setters and encode of one tick; answers the bytes without the one that tells what message it is. */
  tick(tick) {
    this.patch = null;
    this.move(tick);
    this.serializer.applyPatches([this.client], this.state);
    return this.patch === null ? 0 : this.patch.length - 1;
  }

  /** Encode and decode ticks, and tell what the client has, as integers, after each. */
  check({ ticks }) {
    const sizes = [];
    const hashes = [];
    const codes = new Int32Array(3 * this.rows);
    for (let tick = 1; tick < ticks; tick++) {
      sizes.push(this.tick(tick));
      this.decoder.decode(this.patch, { offset: 1 });
      const held = [...this.decoder.state.movers.values()];
      FIELDS.forEach((field, f) => held.forEach((mover, i) => {
        const scaled = f < 2 ? (mover[field] / SIZE) * 65536 : (mover[field] / TURN) * 65536;
        codes[f * this.rows + i] = Math.floor(scaled + 0.5) % 65536;
        if (mover[field] !== this.movers[i][field] && this.kind === "quantized") throw new Error(`row ${i} differs at tick ${tick}`);
      }));
      hashes.push(createHash("sha256").update(new Uint8Array(codes.buffer)).digest("hex"));
    }
    return { sizes, hashes };
  }

  /** Encode these ticks, one after another, and tell how long the process computed for each, in microseconds. */
  time({ ticks }) {
    const began = process.cpuUsage();
    for (const tick of ticks) this.tick(tick);
    const { user, system } = process.cpuUsage(began);
    return { us: (user + system) / ticks.length };
  }
}

let world;
const orders = {
  load: (order) => { world = new World(order); return {}; },
  check: (order) => world.check(order),
  time: (order) => world.time(order),
};
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  console.log(JSON.stringify(orders[order.do](order)));
}
