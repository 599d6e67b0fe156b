// Meteorite Drift Bottle in the browser: join, draw, steer, talk.
//
// In the console, `meteor` is the game: meteor.world, meteor.me, meteor.stats, meteor.act("Throw", { text: "hello" }).

import { join } from "/meteor-net.js";
import { Bottles } from "./bottles.js";
import { step } from "./flight.js";
import { Helm, isTyping } from "./helm.js";
import { keepName, wishedName } from "./names.js";
import { Network } from "./network.js";
import { Sky } from "./sky.js";
import { Talk } from "./talk.js";

/** @param {string} id */
const find = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const rename = find("rename");
find("name").addEventListener("click", () => {
  rename.hidden = !rename.hidden;
  const input = /** @type {HTMLInputElement} */ (rename.querySelector("input"));
  input.value = find("name").textContent ?? "";
  input.select();
});
rename.querySelector(".close")?.addEventListener("click", () => { rename.hidden = true; });
rename.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = rename.querySelector("input")?.value.trim();
  if (name) keepName(name);
  location.reload();
});

/** @param {import("/meteor-net.js").NetworkClient} game */
function play(game) {
  find("name").textContent = game.name;
  const size = game.schema?.tablesByName.get("meteor")?.byName.get("x")?.high ?? 2048;
  const bottles = new Bottles(game);
  const sky = new Sky(/** @type {HTMLCanvasElement} */ (find("sky")), size, (bottle) => bottles.isOwn(bottle));
  game.predict("Steer", step); // our own craft flies at once
  const helm = new Helm(sky, (steer) => game.act("Steer", steer));
  const talk = new Talk(game);

  game.onFrame((rows, row) => {
    const world = /** @type {any} */ (rows);
    const me = /** @type {import("./sky.js").Craft | null} */ (/** @type {unknown} */ (row));
    sky.draw(world, me);
    if (!me) return;
    bottles.hold(me.holding);
    if (helm.steer(me)) document.body.classList.add("flown");
  });
  game.on("event", ({ name, values }) => {
    if (name === "Splash") sky.splash(values.x, values.y);
  });

  addEventListener("keydown", (event) => {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && !(event.target instanceof HTMLButtonElement)) talk.open();
    else if (event.code === "KeyB") bottles.write();
    else return;
    event.preventDefault();
    helm.release();
  });
}

const name = wishedName();
find("name").textContent = name;
const network = new Network();
try {
  const room = new URLSearchParams(location.search).get("room") ?? "";
  const game = await join(room, { name, simulate: network.simulation, status: network.status });
  // @ts-ignore: for the console
  window.meteor = game;
  network.play(game);
  play(game);
} catch (error) {
  network.status.show(`offline: ${error instanceof Error ? error.message : error}`);
}
