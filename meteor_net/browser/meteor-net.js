// The face of the browser client: `join`, and the parts for those who build with them.
//
//     import { join } from "/meteor-net.js";
//     const game = await join("a");
//     game.onFrame((world) => { for (const ship of world.ship) draw(ship); });
//     game.act("Steer", { turn: 0.5 });

import { ChatStore } from "./chat-store.js";
import { NetworkClient } from "./client.js";
import { Simulation } from "./simulate.js";
import { remember, remembered } from "./tab.js";

export { ChatSystem } from "./chat.js";
export { NetworkClient } from "./client.js";
export { ConnectionManager } from "./connection.js";
export { CloseCode, ConnectionFailed, MessageError, MeteorError, PacketError, Refused, comeBack } from "./errors.js";
export { LineKind, MessageType } from "./messages.js";
export { NetworkMonitor } from "./monitor.js";
export { NetworkErrorHandler } from "./recovery.js";
export { Simulation, faultsOf } from "./simulate.js";
export { StateSync, interpolate } from "./state.js";
export { StatusLine } from "./status-line.js";
export { cosInt, sinInt } from "./trig.js";

/**
 * @typedef {object} JoinOptions
 * @property {string} [url] the WebSocket, by default `/ws` where the page came from
 * @property {string | null} [name] the wished name, by default the one of this tab
 * @property {string | null} [token]
 * @property {"play" | "watch"} [role]
 * @property {string[]} [urls] see NetworkConfig, as the next two
 * @property {import("./outside.js").Transport[]} [transports]
 * @property {import("./simulate.js").Faults | Simulation} [simulate]
 * @property {import("./status-line.js").StatusLine} [status] shows how it is, from the very beginning
 * @property {Record<string, (value: any) => void>} [on] listeners as for `game.on`, from the very beginning
 */
/** @typedef {import("./chat-lines.js").ChatMessage} ChatMessage */
/** @typedef {import("./chat-queue.js").QueuedLine} QueuedLine */

const NAME = "meteor-net:name";
const RESUME = "meteor-net:resume ";

/**
 * Who we were, if the page was left while lines were on their way: kept for one load only, so that a duplicated tab is a new player.
 * @param {string} key
 */
function takeResume(key) {
  const resume = remembered(key);
  remember(key, null);
  return resume;
}

/**
 * Join a room and stay in it: lost connections are made again.
 * @param {string} [room] "" is the server's first game.
 * @param {JoinOptions} [options]
 * @returns {Promise<NetworkClient>} Once we are in and the first picture is there.
 *   Rejected with ConnectionFailed if the server says to stay away, with Refused if the room does.
 */
export function join(room = "", options = {}) {
  const url = options.url ?? `${location.origin.replace(/^http/, "ws")}/ws`;
  const token = options.token ?? null;
  const scope = `${url} ${room}`;
  const name = options.name || remembered(NAME);
  const resume = takeResume(RESUME + scope);
  const { role, urls, transports, simulate } = options;
  const client = new NetworkClient({ url, room, name, token, resume, role, urls, transports, simulate });
  client.chat.store = new ChatStore(scope, token === null);
  for (const [kind, listener] of Object.entries(options.on ?? {})) client.on(/** @type {any} */ (kind), listener);
  client.on("welcome", (welcome) => remember(NAME, welcome.name));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) client.wake(); });
  for (const event of ["online", "offline"]) addEventListener(event, () => client.wake()); // to come back at once, or to see at once that it is gone
  // The room hears at once that the page is gone; but with lines on their way we may come back for them, as the same user.
  addEventListener("pagehide", () => {
    if (client.chat.messageQueue.length > 0) remember(RESUME + scope, client.suspend());
    else client.disconnect("the page was closed");
  });
  // A page that the browser brings back from its memory is loaded anew.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  options.status?.follow(client);
  return client.connect();
}
