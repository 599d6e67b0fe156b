// Packets as bytes of a body: each behind its length in 4 bytes; a length of 0 says nothing (wire 11).

import { PACKET_OUT_BYTES } from "./limits.js";

const HEAD_BYTES = 4;

/** A packet behind its length. @param {Uint8Array | ArrayBuffer} packet */
export function framed(packet) {
  const bytes = packet instanceof ArrayBuffer ? new Uint8Array(packet) : packet;
  const body = new Uint8Array(HEAD_BYTES + bytes.length);
  new DataView(body.buffer).setUint32(0, bytes.length);
  body.set(bytes, HEAD_BYTES);
  return body;
}

/** Cuts packets out of the pieces that a body comes in. */
export class HttpPackets {
  /** @type {Uint8Array[]} */
  #pieces = [];
  #size = 0;
  /** Bytes without which nothing more is whole. */
  #needed = HEAD_BYTES;

  /** Whether a part of a packet is here. */
  get begun() {
    return this.#size > 0;
  }

  /**
   * @param {Uint8Array} bytes
   * @returns {ArrayBuffer[]} the packets that are whole now
   * @throws {Error} If one is larger than a server may send.
   */
  feed(bytes) {
    if (bytes.length > 0) this.#pieces.push(bytes);
    this.#size += bytes.length;
    return this.#size < this.#needed ? [] : this.#cut(this.#joined());
  }

  #joined() {
    if (this.#pieces.length === 1) return this.#pieces[0];
    const all = new Uint8Array(this.#size);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  /** @param {Uint8Array} all */
  #cut(all) {
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    const packets = [];
    let at = 0;
    this.#needed = HEAD_BYTES;
    while (all.length - at >= HEAD_BYTES) {
      const size = view.getUint32(at);
      if (size > PACKET_OUT_BYTES) throw new Error(`a packet of ${size} bytes; at most ${PACKET_OUT_BYTES} are taken`);
      this.#needed = HEAD_BYTES + size;
      if (all.length - at < this.#needed) break;
      if (size > 0) packets.push(/** @type {ArrayBuffer} */ (all.slice(at + HEAD_BYTES, at + this.#needed).buffer));
      at += this.#needed;
      this.#needed = HEAD_BYTES;
    }
    const rest = all.subarray(at);
    this.#pieces = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    return packets;
  }
}
