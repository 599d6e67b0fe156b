// The face of the browser client: `join`, and the parts for those who build with them.
//
//     import { join } from "/meteor-net.js";
//     const game = await join("a");
//     game.onFrame((world) => { for (const ship of world.ship) draw(ship); });
//     game.act("Steer", { turn: 0.5 });

import { NetworkClient } from "./client.js";

export { ChatSystem } from "./chat.js";
export { NetworkClient } from "./client.js";
export { ConnectionManager } from "./connection.js";
export { CloseCode, ConnectionFailed, MessageError, MeteorError, PacketError, Refused, comeBack } from "./errors.js";
export { MessageType } from "./messages.js";
export { NetworkMonitor } from "./monitor.js";
export { StateSync, interpolate } from "./state.js";

const NAME = "meteor-net:name";

/**
 * The tab's own storage; a browser may refuse it. A duplicated tab gets a copy: the same wished name, and no more.
 * @param {string | null} [name] to keep
 */
function wishedName(name = null) {
  try {
    if (name !== null) sessionStorage.setItem(NAME, name);
    return sessionStorage.getItem(NAME);
  } catch {
    return name;
  }
}

/**
 * Join a room and stay in it: lost connections are made again.
 * @param {string} [room] "" is the server's first game.
 * @param {{url?: string, name?: string | null, token?: string | null, role?: "play" | "watch", on?: Record<string, (value: any) => void>}} [options]
 *   `url`: the WebSocket, by default `/ws` where the page came from; `name`: the wished name, by default the one of this tab;
 *   `on`: listeners as for `game.on`, from the very beginning.
 * @returns {Promise<NetworkClient>} Once we are in and the first picture is there.
 *   Rejected with ConnectionFailed if the server says to stay away, with Refused if the room does.
 */
export function join(room = "", options = {}) {
  const url = options.url ?? `${location.origin.replace(/^http/, "ws")}/ws`;
  const name = wishedName(options.name || null);
  const client = new NetworkClient({ url, room, name, token: options.token ?? null, role: options.role ?? "play" });
  for (const [kind, listener] of Object.entries(options.on ?? {})) client.on(/** @type {any} */ (kind), listener);
  client.on("welcome", (welcome) => wishedName(welcome.name));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) client.wake(); });
  addEventListener("online", () => client.wake());
  // The room hears at once that the page is gone; a page that the browser brings back from its memory is loaded anew.
  addEventListener("pagehide", () => client.disconnect("the page was closed"));
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  return client.connect();
}
