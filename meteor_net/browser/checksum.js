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
 * CRC-32 over the little-endian words of a version's rows; texts do not count.
 * @param {TableState[]} tables
 * @returns {number}
 */
export function checksum(tables) {
  let crc = -1;
  /** @param {number} word */
  const feed = (word) => {
    const mixed = crc ^ word;
    crc = FIRST[mixed & 255] ^ SECOND[(mixed >>> 8) & 255] ^ THIRD[(mixed >>> 16) & 255] ^ LAST[mixed >>> 24];
  };
  for (const table of tables) {
    const slots = table.slots();
    feed(slots.length);
    for (const slot of slots) feed(slot);
    for (const slot of slots) feed(table.generations[slot]);
    for (const column of table.columns) for (const slot of slots) feed(column[slot]);
  }
  return ~crc >>> 0;
}
