// What a tab remembers of itself over a reload. A browser may refuse its storage; then each load is a new tab.

import { TAB_FREE_MS } from "./limits.js";

const TAB = "meteor-net:tab";

/** @returns {string} 16 characters that nobody else will have */
export function token() {
  return [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string} key
 * @returns {string | null}
 */
export function remembered(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {string | null} value null forgets it
 */
export function remember(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, value);
  } catch { /* see above */ }
}

/**
 * Hold a name for as long as this page lives.
 * @param {string} name
 * @returns {Promise<boolean>} false if another page holds it
 */
function hold(name) {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(TAB_FREE_MS);
    navigator.locks.request(`${TAB}:${name}`, { signal }, () => {
      resolve(true);
      return new Promise(() => {});
    }).catch(() => resolve(false));
  });
}

/** @type {Promise<string> | null} */
let id = null;

/**
 * The tab's id, the same after a reload. A duplicated tab has a copy of the storage; it finds the id held, and takes a new one.
 * Browsers without locks (plain http from elsewhere) cannot tell; there the server alone sees to it that a line is kept once.
 * @returns {Promise<string>}
 */
export function tabId() {
  id ??= (async () => {
    const before = remembered(TAB);
    if (before !== null && (!navigator.locks || await hold(before))) return before;
    const fresh = token();
    remember(TAB, fresh);
    if (navigator.locks) await hold(fresh);
    return fresh;
  })();
  return id;
}
