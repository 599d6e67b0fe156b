// How things look. Each is drawn around the origin; who calls has moved the canvas there.

const TAU = 2 * Math.PI;
const TINTS = [["#a99bb5", "#4a4163"], ["#b3a08f", "#4d4152"], ["#8f9bb8", "#394263"], ["#b58f86", "#513b52"]];
const CORNERS = 11;

/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {{corners: number[], craters: {angle: number, far: number, size: number}[], tint: number}} Rock */

/**
 * Numbers from 0 to 1 that are the same for the same seed, on every screen.
 * @param {number} seed
 */
export function seeded(seed) {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

/** @type {Map<number, Rock>} */
const rocks = new Map();

/**
 * The shape of the meteorite in a slot; nobody sends it, every page makes the same.
 * @param {number} slot
 * @returns {Rock}
 */
function rock(slot) {
  const known = rocks.get(slot);
  if (known) return known;
  const random = seeded(slot + 1);
  const made = {
    corners: Array.from({ length: CORNERS }, () => 0.86 + 0.24 * random()),
    craters: Array.from({ length: 3 }, () => ({ angle: TAU * random(), far: 0.2 + 0.45 * random(), size: 0.1 + 0.16 * random() })),
    tint: Math.floor(random() * TINTS.length),
  };
  rocks.set(slot, made);
  return made;
}

/** @type {CanvasGradient[]} */
let lights = [];

/**
 * A meteorite: it turns, and the light that falls on it does not.
 * @param {Context} context
 * @param {{slot: number, radius: number, angle: number}} row
 */
export function drawMeteor(context, row) {
  if (lights.length === 0) {
    lights = TINTS.map(([bright, dark]) => {
      const light = context.createLinearGradient(-0.8, -0.9, 0.8, 0.9);
      light.addColorStop(0, bright);
      light.addColorStop(1, dark);
      return light;
    });
  }
  const { corners, craters, tint } = rock(row.slot);
  context.scale(row.radius, row.radius);
  context.beginPath();
  corners.forEach((far, n) => {
    const way = row.angle + (n / CORNERS) * TAU;
    context.lineTo(far * Math.cos(way), far * Math.sin(way));
  });
  context.closePath();
  context.fillStyle = lights[tint];
  context.fill();
  context.lineWidth = 0.06;
  context.strokeStyle = "rgb(255 245 235 / 16%)";
  context.stroke();
  for (const { angle, far, size } of craters) {
    const x = far * Math.cos(row.angle + angle);
    const y = far * Math.sin(row.angle + angle);
    context.fillStyle = "rgb(255 255 255 / 10%)";
    context.beginPath();
    context.arc(x + 0.035, y + 0.045, size, 0, TAU);
    context.fill();
    context.fillStyle = "rgb(20 14 40 / 38%)";
    context.beginPath();
    context.arc(x, y, size, 0, TAU);
    context.fill();
  }
}

/**
 * A craft, its nose along the heading.
 * @param {Context} context
 * @param {{heading: number, thrust: boolean, holding: boolean, away: boolean}} row
 * @param {number} hue
 * @param {number} now seconds
 */
export function drawCraft(context, row, hue, now) {
  context.rotate(row.heading);
  context.globalAlpha = row.away ? 0.35 : 1;
  if (row.thrust) {
    const length = 15 + 5 * Math.sin(now * 47) + 3 * Math.sin(now * 71);
    for (const [part, colour] of /** @type {[number, string][]} */ ([[1, "rgb(255 150 60 / 75%)"], [0.6, "#ffe9a8"]])) {
      context.fillStyle = colour;
      context.beginPath();
      context.moveTo(-8, -5 * part);
      context.quadraticCurveTo(-12 - length * part * 0.4, -3 * part, -9 - length * part, 0);
      context.quadraticCurveTo(-12 - length * part * 0.4, 3 * part, -8, 5 * part);
      context.fill();
    }
  }
  context.fillStyle = `hsl(${hue} 45% 38%)`;
  context.beginPath();
  context.moveTo(2, -6);
  context.lineTo(-10, -12);
  context.lineTo(-7, 0);
  context.lineTo(-10, 12);
  context.lineTo(2, 6);
  context.fill();
  context.fillStyle = `hsl(${hue} 75% 66%)`;
  context.beginPath();
  context.moveTo(16, 0);
  context.quadraticCurveTo(8, -8, -8, -6);
  context.lineTo(-8, 6);
  context.quadraticCurveTo(8, 8, 16, 0);
  context.fill();
  context.fillStyle = "#e8fbff";
  context.beginPath();
  context.ellipse(5, 0, 4, 2.8, 0, 0, TAU);
  context.fill();
  if (row.holding) {
    context.translate(-5, 0);
    context.rotate(TAU / 4);
    context.scale(0.55, 0.55);
    bottleShape(context);
  }
}

/** @param {Context} context */
function bottleShape(context) {
  context.fillStyle = "#d9a066";
  context.fillRect(-2.5, -17, 5, 4);
  context.fillStyle = "rgb(127 227 212 / 88%)";
  context.beginPath();
  context.moveTo(-2.5, -13);
  context.lineTo(2.5, -13);
  context.lineTo(2.5, -8);
  context.quadraticCurveTo(7, -5, 7, 0);
  context.lineTo(7, 9);
  context.quadraticCurveTo(7, 12, 4, 12);
  context.lineTo(-4, 12);
  context.quadraticCurveTo(-7, 12, -7, 9);
  context.lineTo(-7, 0);
  context.quadraticCurveTo(-7, -5, -2.5, -8);
  context.fill();
  context.fillStyle = "#fff4d6";
  context.fillRect(-4, -1, 8, 9);
  context.fillStyle = "rgb(255 255 255 / 70%)";
  context.fillRect(-5.5, -2, 1.5, 10);
}

/**
 * A bottle that rocks, and glints if it is for us.
 * @param {Context} context
 * @param {{slot: number}} row
 * @param {boolean} own
 * @param {number} now seconds
 */
export function drawBottle(context, row, own, now) {
  const phase = row.slot * 1.7;
  const glint = own ? 0 : 0.5 + 0.5 * Math.sin(now * 2.2 + phase);
  context.globalAlpha = own ? 0.55 : 1;
  const halo = context.createRadialGradient(0, 0, 4, 0, 0, 30 + 10 * glint);
  halo.addColorStop(0, `rgb(127 227 212 / ${Math.round(30 + 25 * glint)}%)`);
  halo.addColorStop(1, "rgb(127 227 212 / 0%)");
  context.fillStyle = halo;
  context.fillRect(-40, -40, 80, 80);
  context.rotate(0.6 * Math.sin(now * 0.9 + phase) + 0.5);
  bottleShape(context);
  if (glint > 0.8) {
    const size = (glint - 0.8) * 25;
    context.fillStyle = "#fff";
    context.beginPath();
    for (let n = 0; n < 8; n++) {
      const far = n % 2 ? size * 0.25 : size;
      context.lineTo(-3 + far * Math.cos((n * TAU) / 8), -6 + far * Math.sin((n * TAU) / 8));
    }
    context.fill();
  }
}

/**
 * The rings of a splash.
 * @param {Context} context
 * @param {number} age 0 to 1
 */
export function drawSplash(context, age) {
  context.globalAlpha = 1 - age;
  context.strokeStyle = "#bff5ec";
  context.lineWidth = 2;
  for (const late of [0, 0.25]) {
    if (age < late) continue;
    context.beginPath();
    context.arc(0, 0, 6 + 46 * (age - late), 0, TAU);
    context.stroke();
  }
}

/**
 * A mark that points to something beyond the screen.
 * @param {Context} context
 * @param {number} angle
 * @param {string} colour
 */
export function drawMark(context, angle, colour) {
  context.rotate(angle);
  context.fillStyle = colour;
  context.globalAlpha = 0.85;
  context.beginPath();
  context.moveTo(9, 0);
  context.lineTo(-5, -6);
  context.lineTo(-2, 0);
  context.lineTo(-5, 6);
  context.fill();
}
