// The page for a game that brings none: the world on a map, the rest in lists, chat, status and readout.
//
// The room is the page's #hash, or ?room=; ?latency=200&loss=3 and the like make the network bad. All text from others becomes text nodes, never markup.

import { Refused, StatusLine, faultsOf, join } from "/meteor-net.js";
import { WorldMap, hasPlace } from "./map.js";

/** @typedef {import("../client.js").NetworkClient} NetworkClient */
/** @typedef {import("/meteor-net.js").ChatMessage} ChatMessage */

const LINES = 200;
const ROWS = 50;
const LISTS_MS = 250;

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * An element with a text.
 * @param {string} tag
 * @param {string} text
 */
function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/** @type {WeakMap<ChatMessage, HTMLElement>} */
const items = new WeakMap();

/** @param {ChatMessage} line */
function lineItem(line) {
  const item = document.createElement("li");
  item.className = line.kind + (line.own ? " own" : "");
  if (line.time) item.title = new Date(line.time).toLocaleString();
  if (line.name) item.append(element("b", line.name));
  if (line.kind === "private") item.append(element("i", line.own ? "to one alone: " : "to you alone: "));
  item.append(line.deleted ? element("i", "deleted") : line.text);
  const marks = [line.edited ? "edited" : "", ...[...line.reactions].map(([emoji, { count }]) => `${emoji} ${count}`)].filter((mark) => mark);
  if (marks.length) item.append(element("small", ` ${marks.join(" ")}`));
  items.set(line, item);
  return item;
}

/** @param {ChatMessage} line */
function showLine(line) {
  const list = at("lines");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.append(lineItem(line));
  while (list.childElementCount > LINES) list.firstElementChild?.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

/** A line is another now. @param {ChatMessage} line */
function changeLine(line) {
  items.get(line)?.replaceWith(lineItem(line));
}

/**
 * @param {unknown} value
 * @returns {string}
 */
function show(value) {
  if (Array.isArray(value)) return value.map(show).join(", ");
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return typeof value === "number" && !Number.isInteger(value) ? value.toFixed(2) : String(value);
}

/**
 * The tables that have no place on the map.
 * @param {NetworkClient} game
 */
function showLists(game) {
  const lists = (game.schema?.tables ?? []).filter((kind) => !hasPlace(kind)).map((kind) => {
    const rows = [...(game.world[kind.name] ?? [])];
    const mine = new Set(game.rows.filter((row) => row.table === kind.name).map((row) => row.slot));
    const table = document.createElement("table");
    table.append(element("caption", `${kind.name} (${rows.length})`));
    const head = document.createElement("tr");
    head.append(...kind.fields.map((field) => element("th", field.name)));
    table.append(head);
    for (const row of rows.slice(0, ROWS)) {
      const line = document.createElement("tr");
      if (mine.has(row.slot)) line.className = "mine";
      line.append(...kind.fields.map((field) => element("td", show(row[field.name]))));
      table.append(line);
    }
    const box = document.createElement("div");
    box.className = "list";
    box.append(table);
    return box;
  });
  at("lists").replaceChildren(...lists);
}

/** @param {NetworkClient} game */
function showReadout(game) {
  const { roundTripMs, bytesPerSecond, reconnections } = game.stats;
  at("trip").textContent = roundTripMs === null ? "–" : `${roundTripMs.toFixed(0)} ms`;
  at("rate").textContent = bytesPerSecond.toFixed(0);
  at("again").textContent = String(reconnections);
}

/** @param {NetworkClient} game */
function talk(game) {
  const input = /** @type {HTMLInputElement} */ (at("text"));
  at("say").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = input.value;
    if (text.trim() === "") return;
    input.value = "";
    at("refused").textContent = "";
    try {
      await game.say(text);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      at("refused").textContent = error.text;
      if (input.value === "") input.value = text;
    }
  });
}

/** @param {NetworkClient} game */
function play(game) {
  const map = new WorldMap(/** @type {HTMLCanvasElement} */ (at("map")));
  at("room").textContent = game.room;
  document.title = game.room;
  const placed = (game.schema?.tables ?? []).some(hasPlace);
  at("map").hidden = !placed;
  at("empty").hidden = placed;
  game.onFrame((world) => {
    /** @type {Map<string, Set<number>>} */
    const mine = new Map();
    for (const { table, slot } of game.rows) mine.set(table, (mine.get(table) ?? new Set()).add(slot));
    if (game.schema) map.draw(game.schema, world, mine);
  });
  showLists(game);
  setInterval(() => {
    showLists(game);
    showReadout(game);
  }, LISTS_MS);
}

const room = decodeURIComponent(location.hash.slice(1)) || new URLSearchParams(location.search).get("room") || "";
addEventListener("hashchange", () => location.reload());
const status = new StatusLine(at("status"), at("retry"));
try {
  const game = await join(room, { simulate: faultsOf(location.search), status });
  game.chat.messageHistory.forEach(showLine);
  game.on("line", showLine);
  game.on("change", changeLine);
  talk(game);
  play(game);
} catch (error) {
  status.show(`offline: ${error instanceof Error ? error.message : error}`);
}
