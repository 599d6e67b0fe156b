// Colyseus beside us: one room, whose clients see by a StateView what is near them. Copied beside node_modules and run there:
//   peer-worlds.mjs serve PORT SCENE      SCENE is JSON: rows, viewers, size, radius, ticks, and the files of the motions
//   peer-worlds.mjs decode FILE LAST      prints what a client holds after each of the last messages of a file

import { readFileSync } from "node:fs";
import { Room, Server } from "@colyseus/core";
import * as S from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";

const TICK_MS = 50;
const TURN = 2 * Math.PI;
const ROOM_STATE = 14;
const ROOM_STATE_PATCH = 15;
S.Encoder.BUFFER_SIZE = 1 << 22; // else it warns, and makes a larger one

/** The state: a map of rows, of which a client is sent those in its view. */
function schemas(size) {
  const { t } = S;
  const place = () => t.quantized({ min: 0, max: size, bits: 16, mode: "wrap" });
  const angle = t.quantized({ min: 0, max: TURN, bits: 16, mode: "wrap" });
  const Mover = S.schema({ x: place(), y: place(), angle, hp: t.uint8(), skin: t.uint8() }, "Mover");
  const State = S.schema({ movers: t.map(Mover).view() }, "State");
  return { Mover, State };
}

function floats(file) {
  const bytes = readFileSync(file);
  return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
}

/** Rows by cell, made anew each tick: counted, then put in order. */
class Grid {
  constructor(rows, size, radius) {
    this.size = size;
    this.radius = radius;
    this.side = Math.max(1, Math.floor(size / (radius / 3)));
    this.scale = this.side / size;
    this.reach = Math.ceil(radius * this.scale);
    this.starts = new Int32Array(this.side * this.side + 1);
    this.cells = new Int32Array(rows);
    this.sorted = new Int32Array(rows);
  }

  fill(xs, ys) {
    const { starts, cells, sorted, side, scale } = this;
    starts.fill(0);
    for (let i = 0; i < xs.length; i++) {
      const cell = Math.min(side - 1, Math.floor(ys[i] * scale)) * side + Math.min(side - 1, Math.floor(xs[i] * scale));
      cells[i] = cell;
      starts[cell]++;
    }
    for (let c = 1; c < starts.length; c++) starts[c] += starts[c - 1];
    for (let i = xs.length - 1; i >= 0; i--) sorted[--starts[cells[i]]] = i;
    this.xs = xs;
    this.ys = ys;
  }

  /** Call `each` with the rows within the radius of a place. */
  near(x, y, each) {
    const { starts, sorted, side, scale, reach, size, xs, ys } = this;
    const half = size / 2;
    const square = this.radius * this.radius;
    const column = Math.floor(x * scale);
    const row = Math.floor(y * scale);
    for (let dy = -reach; dy <= reach; dy++) {
      const line = ((row + dy + side) % side) * side;
      for (let dx = -reach; dx <= reach; dx++) {
        const cell = line + ((column + dx + side) % side);
        for (let at = starts[cell]; at < starts[cell + 1]; at++) {
          const i = sorted[at];
          let ax = xs[i] - x;
          let ay = ys[i] - y;
          if (ax > half) ax -= size;
          else if (ax < -half) ax += size;
          if (ay > half) ay -= size;
          else if (ay < -half) ay += size;
          if (ax * ax + ay * ay <= square) each(i);
        }
      }
    }
  }
}

/** What one client sees: only what changes is told to its view. */
class Sight {
  constructor(number, rows) {
    this.number = number;
    this.view = new S.StateView();
    this.seen = new Int32Array(rows).fill(-1); // the tick at which each row was seen last
    this.rows = [];
  }

  update(tick, before, movers, grid, x, y) {
    const { seen, view } = this;
    const rows = [];
    grid.near(x, y, (i) => {
      if (seen[i] !== before) view.add(movers[i]);
      seen[i] = tick;
      rows.push(i);
    });
    for (const i of this.rows) if (seen[i] !== tick) view.remove(movers[i]);
    this.rows = rows;
  }
}

function room(scene) {
  const { Mover, State } = schemas(scene.size);
  const { rows, viewers, ticks } = scene;
  const motion = floats(scene.motion);
  const walks = floats(scene.walks);

  return class World extends Room {
    onCreate() {
      this.patchRate = null;
      this.maxClients = viewers;
      this.autoDispose = false;
      this.state = new State();
      this.movers = [];
      for (let i = 0; i < rows; i++) {
        const mover = new Mover();
        mover.hp = 100;
        mover.skin = 3;
        this.state.movers.set(String(i), mover);
        this.movers.push(mover);
      }
      this.grid = new Grid(rows, scene.size, scene.radius);
      this.sights = new Map();
      this.tick = 0;
      this.move();
      this.setSimulationInterval(() => {
        this.tick++;
        this.move();
        for (const sight of this.sights.values()) this.look(sight, this.tick - 1);
        this.broadcastPatch();
      }, TICK_MS);
    }

    onJoin(client, { viewer }) {
      const sight = new Sight(viewer, rows);
      this.sights.set(client.sessionId, sight);
      client.view = sight.view;
      this.look(sight, this.tick);
    }

    onLeave(client) {
      this.sights.get(client.sessionId)?.view.dispose();
      this.sights.delete(client.sessionId);
    }

    look(sight, before) {
      const at = this.place * 3 * viewers + sight.number;
      sight.update(this.tick, before, this.movers, this.grid, walks[at], walks[at + viewers]);
    }

    move() {
      const turn = this.tick % (2 * ticks - 2);
      this.place = turn < ticks ? turn : 2 * ticks - 2 - turn;
      const from = this.place * 3 * rows;
      const xs = motion.subarray(from, from + rows);
      const ys = motion.subarray(from + rows, from + 2 * rows);
      const angles = motion.subarray(from + 2 * rows, from + 3 * rows);
      const { movers } = this;
      for (let i = 0; i < rows; i++) {
        const mover = movers[i];
        mover.x = xs[i];
        mover.y = ys[i];
        mover.angle = angles[i];
      }
      this.grid.fill(xs, ys);
    }
  };
}

async function serve(port, scene) {
  const server = new Server({ transport: new WebSocketTransport(), greet: false });
  server.define("world", room(scene));
  await server.listen(port, "127.0.0.1");
}

/** The file holds a client's messages from the beginning, each behind its length in four bytes. */
function decode(file, last, size) {
  const bytes = readFileSync(file);
  const messages = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32LE(at);
    messages.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  const { State } = schemas(size);
  const decoder = new S.Decoder(new State());
  const held = [];
  messages.forEach((message, number) => {
    if (message[0] !== ROOM_STATE && message[0] !== ROOM_STATE_PATCH) return;
    decoder.decode(message, { offset: 1 });
    if (number < messages.length - last) return;
    const entries = [...decoder.state.movers.entries()];
    held.push({
      rows: entries.map(([key]) => Number(key)),
      x: entries.map(([, mover]) => mover.x),
      y: entries.map(([, mover]) => mover.y),
      rest: entries.every(([, mover]) => mover.hp === 100 && mover.skin === 3),
    });
  });
  console.log(JSON.stringify(held));
}

const [, , order, ...rest] = process.argv;
if (order === "serve") await serve(Number(rest[0]), JSON.parse(rest[1]));
else decode(rest[0], Number(rest[1]), Number(rest[2]));
