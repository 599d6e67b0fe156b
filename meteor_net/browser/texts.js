// The texts and the data of a frame (wire clause 8.4).

import { FrameError } from "./errors.js";

/** @typedef {import("./table-state.js").TableState} TableState */

/**
 * Give rows their new texts and data.
 * @param {TableState[]} tables The new version's, which are forked where they are the base's.
 * @param {TableState[]} base
 * @param {unknown[][]} texts
 * @throws {FrameError} If they do not fit.
 */
export function applyTexts(tables, base, texts) {
  /** @type {Set<string>} columns that had theirs */
  const seen = new Set();
  for (const change of texts) applyColumn(tables, base, change, seen);
}

/**
 * @param {TableState[]} tables
 * @param {TableState[]} base
 * @param {unknown[]} change
 * @param {Set<string>} seen
 */
function applyColumn(tables, base, change, seen) {
  const [t, f, slots, texts] = change;
  const table = Number.isInteger(t) ? tables[/** @type {number} */ (t)] : undefined;
  const field = Number.isInteger(f) ? table?.kind.fields[/** @type {number} */ (f)] : undefined;
  if (table === undefined || !field?.isApart || seen.has(`${t} ${f}`)) throw new FrameError("texts for a column that has none, or has them twice");
  if (!Array.isArray(slots) || !Array.isArray(texts) || slots.length !== texts.length) throw new FrameError("slots and texts that do not fit");
  seen.add(`${t} ${f}`);
  const own = table === base[/** @type {number} */ (t)] ? table.fork() : table;
  tables[/** @type {number} */ (t)] = own;
  const column = own.ownTexts(/** @type {number} */ (f));
  slots.forEach((slot, i) => {
    if (!Number.isInteger(slot) || !own.alive[slot]) throw new FrameError("a text for a row that is not taken");
    if (!field.fits(texts[i])) throw new FrameError("a text that does not fit its field");
    column[slot] = field.isData ? texts[i].slice() : texts[i]; // not a view of the whole packet
  });
}
