// The peers of `resume`: Colyseus and Socket.IO, servers and clients of their own. Copied beside node_modules and run there:
//   recovery-peers.mjs colyseus|socketio serve PORT WORLD     WORLD is JSON: rows, length, size, hz, ticks, away_s, motion
//   recovery-peers.mjs colyseus|socketio come PORT WORLD      answers each line of standard input as comer.py does

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const TURN = 2 * Math.PI;
const [, , peer, role, port, told] = process.argv;
const told_world = JSON.parse(told);
const { rows, length, size, hz, away_s } = told_world;
console.info = () => {}; // the SDK says there what it does; standard output is for answers

/** The rows' way, until somebody is lost and the time is over; see thousand.py. */
class Motion {
  constructor() {
    const bytes = readFileSync(told_world.motion);
    this.values = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
    this.turn = 0;
    this.left = null;
  }

  lost() { this.left = told_world.ticks; }

  /** Go on by a tick; whether there was one. */
  next() {
    if (this.left === 0) return false;
    if (this.left !== null) this.left--;
    this.turn++;
    return true;
  }

  columns() {
    const turn = this.turn % (2 * length - 2);
    const from = 3 * rows * (turn < length ? turn : 2 * length - 2 - turn);
    return [0, 1, 2].map((column) => this.values.subarray(from + column * rows, from + (column + 1) * rows));
  }
}

/** The integers of the columns, 16 bits each. */
function codes(columns) {
  const found = new Uint16Array(3 * rows);
  columns.forEach((column, c) => column.forEach((value, i) => {
    found[c * rows + i] = Math.floor((value / (c < 2 ? size : TURN)) * 65536 + 0.5) % 65536;
  }));
  return found;
}

const digest = (found) => createHash("sha256").update(Buffer.from(found.buffer)).digest("hex");

/** Answer who asks what is held. */
async function answer(state) {
  console.log("in");
  for await (const _ of createInterface({ input: process.stdin })) console.log(JSON.stringify(state()));
  process.exit(0);
}

async function colyseus() {
  const S = await import("@colyseus/schema");
  const { t } = S;
  const at = () => t.quantized({ min: 0, max: size, bits: 16, mode: "wrap" });
  const angle = t.quantized({ min: 0, max: TURN, bits: 16, mode: "wrap" });
  const Mover = S.schema({ x: at(), y: at(), angle, hp: t.uint8(), skin: t.uint8() }, "Mover");
  const State = S.schema({ movers: t.map(Mover) }, "State");
  if (role === "serve") await serve();
  else await come();

  async function serve() {
    const { Room, Server } = await import("@colyseus/core");
    const { WebSocketTransport } = await import("@colyseus/ws-transport");
    globalThis.WebSocket ??= (await import("ws")).WebSocket; // its reconnection wants Node.js 22, which has one
    S.Encoder.BUFFER_SIZE = 1 << 20; // else it warns, and makes a larger one
    class Thousand extends Room {
      onCreate() {
        this.patchRate = null;
        this.autoDispose = false;
        this.motion = new Motion();
        this.state = new State();
        this.movers = [];
        for (let i = 0; i < rows; i++) {
          const mover = new Mover();
          mover.hp = 100;
          mover.skin = 3;
          this.state.movers.set(String(i), mover);
          this.movers.push(mover);
        }
        this.move();
        this.setSimulationInterval(() => {
          if (this.motion.next()) this.move();
          this.broadcastPatch();
        }, 1000 / hz);
      }

      move() {
        const [xs, ys, angles] = this.motion.columns();
        this.movers.forEach((mover, i) => {
          mover.x = xs[i];
          mover.y = ys[i];
          mover.angle = angles[i];
        });
      }

      onDrop(client) {
        this.motion.lost();
        this.allowReconnection(client, away_s);
      }
    }
    const server = new Server({ transport: new WebSocketTransport(), greet: false });
    server.define("thousand", Thousand);
    await server.listen(Number(port), "127.0.0.1");
  }

  async function come() {
    const { Client } = await import("@colyseus/sdk");
    const room = await new Client(`ws://127.0.0.1:${port}`).joinOrCreate("thousand", {}, State);
    // It comes back by itself, as fast as it can, and does not lose heart.
    Object.assign(room.reconnection, { minUptime: 0, minDelay: 100, maxDelay: 200, maxRetries: 10_000 });
    room.onError(() => {});
    await new Promise((resolve) => { room.onStateChange.once(resolve); });
    await answer(() => {
      const movers = [...room.state.movers.values()];
      const rest = movers.length === rows && movers.every((mover) => mover.hp === 100 && mover.skin === 3);
      const found = codes(["x", "y", "angle"].map((name) => movers.map((mover) => mover[name])));
      return { online: room.connection.isOpen && !room.reconnection.isReconnecting, digest: rest ? digest(found) : "no rest" };
    });
  }
}

async function socketio() {
  if (role === "serve") {
    const { Server } = await import("socket.io");
    const http = createServer();
    const io = new Server(http, { connectionStateRecovery: { maxDisconnectionDuration: away_s * 1000 } });
    const motion = new Motion();
    const packed = () => Buffer.from(codes(motion.columns()).buffer);
    io.on("connection", (socket) => {
      if (!socket.recovered) socket.emit("state", packed());
      socket.on("disconnect", () => motion.lost());
    });
    setInterval(() => { if (motion.next()) io.emit("state", packed()); }, 1000 / hz);
    http.listen(Number(port), "127.0.0.1");
    return;
  }
  const { io } = await import("socket.io-client");
  const socket = io(`http://127.0.0.1:${port}`, { transports: ["websocket"], reconnectionDelay: 100, reconnectionDelayMax: 200 });
  let held = null;
  socket.on("state", (packed) => { held = new Uint16Array(packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength)); });
  while (held === null) await new Promise((resolve) => { setTimeout(resolve, 10); });
  await answer(() => ({ online: socket.connected, digest: digest(held), recovered: socket.recovered }));
}

await (peer === "colyseus" ? colyseus() : socketio());
