// Runs before the plain page's own module: the page's WebSocket ends in a server in memory, which the driver finds as window.fake.
import { FakeServer, KEYFRAME, STEP, line } from "/tests/fake.js";

const EVIL = "<img src=x onerror=\"document.title='owned'\">";
const server = new FakeServer();
window.fake = server;
window.evil = EVIL;

window.WebSocket = class {
  constructor(url, protocol) {
    const socket = server.outside.open(url, protocol);
    setTimeout(letIn, 0);
    return socket;
  }
};

async function letIn() {
  server.now = Math.round(performance.now());
  await server.accept();
  await server.welcome({ name: EVIL });
  await server.joined({ name: "drift/a" });
  await server.history([line(0, EVIL, { name: EVIL }), line(1, "ann sails in", { kind: 1, name: "", sender: "" })], { gap: server.welcomes > 1, epoch: 900 + server.welcomes });
  // The ship, and in the second table a note of 3 stars in slot 0.
  await server.frame(20, Uint8Array.of(6, ...KEYFRAME.slice(1), 3, 0, 2, 0, 2, 6), 0, [[0, 3, [0], [EVIL]], [1, 0, [0], [EVIL]]]);
}

let tick = 20;
setInterval(() => { if (server.socket?.readyState === 1) server.frame(++tick, STEP); }, 50);
