// Floats that look like integers: JavaScript cannot tell 1.0 from 1, the wire can.

/** A float such as 1.0, which JavaScript cannot tell from an integer; where one may stand is for the reader of a message to say. */
export class WholeFloat {
  /** @param {number} value */
  constructor(value) {
    this.value = value;
  }
}

/**
 * A value in which floats are numbers like others.
 * @param {unknown} value
 * @returns {unknown}
 */
export function plain(value) {
  if (value instanceof WholeFloat) return value.value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, plain(item)]));
  return value;
}
