// node's `ws` beside us: the same 100 bytes to all, 20 times a second. Copied beside node_modules and run there:
//   speed-ws.mjs PORT [CERTIFICATE KEY]    with a certificate over TLS

import { randomFillSync } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { WebSocketServer } from "ws";

const [, , port, cert, key] = process.argv;
const server = cert ? https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }) : http.createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false, handleProtocols: (offered) => [...offered][0] ?? false });
const payload = Buffer.alloc(100);
sockets.on("connection", (socket) => socket.on("error", () => socket.terminate()));
setInterval(() => {
  randomFillSync(payload);
  for (const socket of sockets.clients) socket.send(payload, { binary: true });
}, 50);
server.listen(Number(port), "127.0.0.1");
