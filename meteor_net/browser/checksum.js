// The checksum of a version (wire clause 8.7).

/** @typedef {import("./coding.js").TableState} TableState */

/** The table of CRC-32 (ISO 3309, as in zlib). */
const CRC = new Uint32Array(256).map((_, i) => {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/**
 * CRC-32 over the little-endian words of a version's rows; texts do not count.
 * @param {TableState[]} tables
 * @returns {number}
 */
export function checksum(tables) {
  let crc = 0xffffffff;
  /** @param {number} word */
  const feed = (word) => {
    crc = CRC[(crc ^ word) & 255] ^ (crc >>> 8);
    crc = CRC[(crc ^ (word >>> 8)) & 255] ^ (crc >>> 8);
    crc = CRC[(crc ^ (word >>> 16)) & 255] ^ (crc >>> 8);
    crc = CRC[(crc ^ (word >>> 24)) & 255] ^ (crc >>> 8);
  };
  for (const table of tables) {
    const slots = table.slots();
    feed(slots.length);
    for (const slot of slots) feed(slot);
    for (const slot of slots) feed(table.generations[slot]);
    for (const column of table.columns) for (const slot of slots) feed(column[slot]);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
