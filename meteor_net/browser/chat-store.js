// Lines that were said and not answered, kept over a reload of the page (IndexedDB). Where the browser refuses, nothing is kept.

import { LOST_LINES_MS } from "./limits.js";
import { tabId } from "./tab.js";

/** @typedef {import("./chat-queue.js").QueuedLine} QueuedLine */

const NAME = "meteor-net";
const LINES = "lines";

/** @returns {Promise<IDBDatabase | null>} */
function open() {
  return new Promise((resolve) => {
    try {
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => {
        const lines = asked.result.createObjectStore(LINES, { keyPath: "cid" });
        lines.createIndex("owner", "owner");
        lines.createIndex("time", "time");
      };
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = (event) => {
        event.preventDefault();
        resolve(null);
      };
    } catch {
      resolve(null);
    }
  });
}

/** The unanswered lines of one tab in one room. */
export class ChatStore {
  /** @type {IDBDatabase | null} */
  #database = null;
  #owner = "";
  #ready;

  /**
   * @param {string} scope which server and room
   * @param {boolean} guest whether the user has no name that lasts: then a lost line is told to whoever has the tab
   * @param {Promise<string>} [tab] the tab's id
   */
  constructor(scope, guest, tab = tabId()) {
    this.guest = guest;
    this.#ready = this.#open(`${guest ? "guest" : "user"} ${scope}`, tab);
  }

  /**
   * @param {string} scope
   * @param {Promise<string>} tab
   */
  async #open(scope, tab) {
    const [name, database] = await Promise.all([tab, open()]);
    this.#owner = `${name} ${scope}`;
    this.#database = database;
    if (database === null) return;
    database.onversionchange = () => {
      this.#database = null;
      database.close();
    };
    database.onclose = () => { this.#database = null; };
    this.#forgetOld();
  }

  /**
   * Keep a line, or what it has become. Nothing is waited for: what was asked of the browser is done though the page be gone.
   * @param {QueuedLine} line
   */
  put(line) {
    const kept = { ...line };
    this.#soon((lines) => lines.put({ ...kept, owner: this.#owner }));
  }

  /**
   * A line is answered.
   * @param {string} cid
   */
  remove(cid) {
    this.#soon((lines) => lines.delete(cid));
  }

  /**
   * The lines that were said before this page was loaded, in order.
   * @returns {Promise<QueuedLine[]>}
   */
  async lines() {
    await this.#ready;
    const found = await this.#all();
    for (const line of found) delete line.owner;
    return found.sort((a, b) => a.time - b.time || a.cid.length - b.cid.length || (a.cid < b.cid ? -1 : 1));
  }

  /** @returns {Promise<any[]>} */
  #all() {
    return new Promise((resolve) => {
      this.#do((lines) => {
        const asked = lines.index("owner").getAll(this.#owner);
        asked.onsuccess = () => resolve(asked.result);
        asked.onerror = () => resolve([]);
      }, () => resolve([]));
    });
  }

  #forgetOld() {
    this.#do((lines) => {
      const asked = lines.index("time").openCursor(IDBKeyRange.upperBound(Date.now() - LOST_LINES_MS));
      asked.onsuccess = () => {
        asked.result?.delete();
        asked.result?.continue();
      };
    });
  }

  /**
   * At once if the database is open, else as soon as it is.
   * @param {(lines: IDBObjectStore) => void} work
   */
  #soon(work) {
    // Committed at once: a page that goes before its work is answered would take it back.
    /** @type {(lines: IDBObjectStore) => void} */
    const whole = (lines) => {
      work(lines);
      lines.transaction.commit();
    };
    if (this.#database !== null) this.#do(whole);
    else this.#ready.then(() => this.#do(whole));
  }

  /**
   * @param {(lines: IDBObjectStore) => void} work
   * @param {() => void} [failed]
   */
  #do(work, failed = () => {}) {
    try {
      if (this.#database === null) return failed();
      // Relaxed: a line has to outlive the page, not the machine.
      const change = this.#database.transaction(LINES, "readwrite", { durability: "relaxed" });
      change.onerror = (event) => event.preventDefault();
      change.onabort = failed;
      work(change.objectStore(LINES));
    } catch {
      failed(); // the database is closing, or the line cannot be kept: chat goes on without
    }
    return undefined;
  }
}
