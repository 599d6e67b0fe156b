// How a craft flies: one tick of it, in the integers that players are sent. The same as flight.py, to the last bit.

import { cosInt, sinInt } from "/meteor-net.js";

const HELM = 64; // a helm's middle, 0 to 128
const TURN = 29; // of the 1,024 of a full turn, in a tick at full helm
const PUSH = 208; // sixteenths of a unit a second, in a tick
const REST = 16384; // a speed of 0, from 0 to 32,768 sixteenths of a unit a second

/**
 * Fly one tick of 1/20 s.
 * @param {Record<string, number>} s the craft's x, y, vx, vy, heading and thrust; changed in place
 * @param {Record<string, number>} i what its helm says: turn and thrust
 */
export function step(s, i) {
  s.thrust = i.thrust;
  s.heading = (s.heading + ((TURN * (i.turn - HELM) + 32) >> 6)) & 1023;
  const push = PUSH * i.thrust;
  let vx = s.vx - REST;
  let vy = s.vy - REST;
  vx += ((push * cosInt(s.heading, 10) + 8192) >> 14) - ((56 * vx + 512) >> 10);
  vy += ((push * sinInt(s.heading, 10) + 8192) >> 14) - ((56 * vy + 512) >> 10);
  s.vx = vx + REST;
  s.vy = vy + REST;
  s.x = (s.x + ((3277 * vx + 32768) >> 16)) & 32767;
  s.y = (s.y + ((3277 * vy + 32768) >> 16)) & 32767;
}
