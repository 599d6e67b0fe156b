// How the network is: what the page shows of it, and a panel on which it can be made bad, to feel how the game is then.

import { Simulation, StatusLine, faultsOf } from "/meteor-net.js";

/** @typedef {import("/meteor-net.js").NetworkClient} NetworkClient */

const READOUT_MS = 500;
const STALL_MS = 3_000;
const CUT_MS = 5_000;
const UNITS = /** @type {const} */ ({ latency: "ms", jitter: "ms", loss: "%" });

/** @param {string} id */
const find = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** What the page's address asks for; nothing, if that makes no sense. */
function asked() {
  try {
    return new Simulation(faultsOf(location.search));
  } catch {
    return new Simulation();
  }
}

export class Network {
  #form = /** @type {HTMLFormElement} */ (find("faults"));
  #button = find("network");

  constructor() {
    /** What `join` is to simulate. */
    this.simulation = asked();
    /** What `join` is to show it in. */
    this.status = new StatusLine(find("status"), find("again"));
    this.#button.addEventListener("click", () => this.#open(this.#form.hidden));
    this.#form.querySelector(".close")?.addEventListener("click", () => this.#open(false));
    this.#form.addEventListener("input", () => this.#set());
    this.#form.addEventListener("change", () => this.#note());
    this.#form.addEventListener("pointerup", () => find("sky").focus()); // the keys fly on
    this.#form.addEventListener("keydown", (event) => { if (event.key === "Escape") this.#open(false); });
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    find("stall").addEventListener("click", () => this.simulation.stall(STALL_MS));
    find("cut").addEventListener("click", () => this.simulation.cut(CUT_MS));
    for (const name of Object.keys(UNITS)) this.#input(name).value = String(this.simulation.faults[/** @type {keyof typeof UNITS} */ (name)]);
    this.#show();
  }

  /** We are in. @param {NetworkClient} game */
  play(game) {
    const show = () => {
      const { roundTripMs, bytesPerSecond, reconnections } = game.stats;
      find("trip").textContent = roundTripMs === null ? "–" : `${Math.round(roundTripMs)} ms`;
      find("rate").textContent = `${(bytesPerSecond / 1000).toFixed(1)} kB/s`;
      find("reconnections").textContent = String(reconnections);
    };
    setInterval(show, READOUT_MS);
  }

  /** @param {string} name */
  #input(name) {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(name));
  }

  /** @param {boolean} open */
  #open(open) {
    this.#form.hidden = !open;
    this.#button.setAttribute("aria-expanded", String(open));
    document.body.classList.toggle("carded", document.querySelector(".card:not([hidden])") !== null);
    if (!open) find("sky").focus();
  }

  /** Do as the sliders say. */
  #set() {
    for (const name of Object.keys(UNITS)) this.simulation.set({ [name]: Number(this.#input(name).value) });
    this.#show();
  }

  /** A slider was let go: the page's address says so too, for others and for a reload. While it is dragged browsers would refuse so many changes. */
  #note() {
    const address = new URL(location.href);
    for (const name of Object.keys(UNITS)) {
      const { value } = this.#input(name);
      if (Number(value) > 0) address.searchParams.set(name, value);
      else address.searchParams.delete(name);
    }
    history.replaceState(null, "", address);
  }

  #show() {
    const { latency, jitter, loss } = this.simulation.faults;
    for (const [name, unit] of Object.entries(UNITS)) {
      const output = this.#input(name).parentElement?.querySelector("output");
      if (output) output.value = `${this.#input(name).value} ${unit}`;
    }
    const bad = latency > 0 || jitter > 0 || loss > 0;
    this.#button.textContent = bad ? `+${latency} ms, ${loss} %` : "network";
    this.#button.classList.toggle("bad", bad);
  }
}
