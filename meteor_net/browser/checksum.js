// The checksum of a version (wire clause 8.7).

/** @typedef {import("./table-state.js").TableState} TableState */

/** The table of CRC-32 (ISO 3309, as in zlib), and those of a byte that one, two and three zero bytes follow: a word is four look-ups. */
const LAST = new Int32Array(256).map((_, i) => {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
const THIRD = LAST.map((crc) => (crc >>> 8) ^ LAST[crc & 255]);
const SECOND = THIRD.map((crc) => (crc >>> 8) ^ LAST[crc & 255]);
const FIRST = SECOND.map((crc) => (crc >>> 8) ^ LAST[crc & 255]);

/**
 * Go on with the words of a column.
 * @param {number} begun the checksum so far
 * @param {Int32Array} column
 * @param {Int32Array} slots
 */
function feed(begun, column, slots) {
  let crc = begun;
  for (let i = 0; i < slots.length; i++) {
    const mixed = crc ^ column[slots[i]];
    crc = FIRST[mixed & 255] ^ SECOND[(mixed >>> 8) & 255] ^ THIRD[(mixed >>> 16) & 255] ^ LAST[mixed >>> 24];
  }
  return crc;
}

const ONE = Int32Array.of(0);

/**
 * CRC-32 over little-endian words.
 * @param {Int32Array} words
 * @returns {number}
 */
export function checksumOf(words) {
  return ~feed(-1, words, words.map((_, i) => i)) >>> 0;
}

/**
 * CRC-32 over the little-endian words of a version's rows; texts do not count.
 * @param {TableState[]} tables
 * @returns {number}
 */
export function checksum(tables) {
  let crc = -1;
  for (const table of tables) {
    const slots = Int32Array.from(table.slots());
    const places = slots.map((_, i) => i);
    crc = feed(crc, Int32Array.of(slots.length), ONE);
    crc = feed(crc, slots, places);
    crc = feed(crc, table.generations, slots);
    for (const column of table.columns) crc = feed(crc, column, slots);
  }
  return ~crc >>> 0;
}
