// Rotations on the wire: the three smallest components of a quaternion (wire clause 7.5).
//
// Every operation stands as it does in Python, in 64-bit floats: both ends get the same integers.

/** @typedef {[number, number, number, number]} Quaternion x, y, z, w */

const LOW = -0.7071067811865476;
const WIDTH = 1.4142135623730951;

/**
 * Three components as integers, beside the place of the greatest.
 * @param {ArrayLike<number>} q
 * @param {number} largest
 * @param {number} top the highest integer
 * @returns {Quaternion} largest, then the three
 */
function packed(q, largest, top) {
  const sign = q[largest] < 0 ? -1 : 1;
  /** @type {Quaternion} */
  const ints = [largest, 0, 0, 0];
  let place = 1;
  for (let i = 0; i < 4; i++) {
    if (i !== largest) ints[place++] = Math.min(Math.max(Math.floor(((sign * q[i] - LOW) / WIDTH) * top + 0.5), 0), top);
  }
  return ints;
}

/**
 * The four integers of any quaternion; of what is none (length 0, NaN, infinite), those of no rotation.
 * @param {ArrayLike<number>} q
 * @param {number} top
 */
export function toIntegers(q, top) {
  const squares = [q[0] * q[0], q[1] * q[1], q[2] * q[2], q[3] * q[3]];
  const square = squares[0] + squares[1] + squares[2] + squares[3];
  if (square === 0 || !Number.isFinite(square)) return packed([0, 0, 0, 1], 3, top);
  const length = Math.sqrt(square);
  const unit = [q[0] / length, q[1] / length, q[2] / length, q[3] / length];
  let largest = 0;
  for (let i = 1; i < 4; i++) if (squares[i] > squares[largest]) largest = i;
  return packed(unit, largest, top);
}

/**
 * The quaternion of four integers.
 * @param {number} largest
 * @param {number} a
 * @param {number} b
 * @param {number} c
 * @param {number} top
 * @returns {Quaternion}
 */
export function toNumbers(largest, a, b, c, top) {
  const unit = WIDTH / top;
  const first = LOW + a * unit;
  const second = LOW + b * unit;
  const third = LOW + c * unit;
  const rest = 1 - (first * first + second * second + third * third);
  const greatest = rest > 0 ? Math.sqrt(rest) : 0;
  switch (largest) {
    case 0: return [greatest, first, second, third];
    case 1: return [first, greatest, second, third];
    case 2: return [first, second, greatest, third];
    default: return [first, second, third, greatest];
  }
}

/**
 * The rotation at `alpha` from p to r, the shorter way (7.5); beyond 1 it goes on as it went.
 * @param {Quaternion} p
 * @param {Quaternion} r
 * @param {number} alpha
 * @returns {Quaternion}
 */
export function turned(p, r, alpha) {
  const sign = p[0] * r[0] + p[1] * r[1] + p[2] * r[2] + p[3] * r[3] < 0 ? -1 : 1;
  const [x, y, z, w] = p.map((from, i) => from + (sign * r[i] - from) * alpha);
  const length = Math.sqrt(x * x + y * y + z * z + w * w);
  return length === 0 ? p : [x / length, y / length, z / length, w / length];
}
