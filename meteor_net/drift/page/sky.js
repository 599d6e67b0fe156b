// The picture: a camera that follows the own craft through a world without edges, stars behind it, and all that drifts.

import { hue } from "./names.js";
import { drawBottle, drawCraft, drawMark, drawMeteor, drawSplash, seeded } from "./shapes.js";

/** @typedef {{slot: number, generation: number, x: number, y: number}} Row */
/** @typedef {Row & {radius: number, angle: number}} Meteor */
/** @typedef {Row & {heading: number, thrust: boolean, holding: boolean, away: boolean, name: string}} Craft */
/** @typedef {{meteor: Iterable<Meteor>, craft: Iterable<Craft>, bottle: Iterable<Row>}} World */

const LAYERS = [{ speed: 0.1, stars: 90, size: 1.2, light: 0.55 }, { speed: 0.22, stars: 45, size: 1.7, light: 0.75 }, { speed: 0.4, stars: 14, size: 2.4, light: 0.95 }];
const TILE = 700;
const SPLASH_S = 0.9;
const SEEN = 1400; // units that the longer side of the screen shows
const MARKS = 6;
const SMALL = 760; // pixels; as in drift.css: there a card covers the middle

export class Sky {
  /** @type {{x: number, y: number, born: number}[]} */
  #splashes = [];
  #stars = LAYERS.map(({ stars }, layer) => {
    const random = seeded(layer + 77);
    return Array.from({ length: stars }, () => [random() * TILE, random() * TILE, random()]);
  });
  #camera = { x: 0, y: 0 };
  #travelled = { x: 0, y: 0 };
  #seen = false;
  #width = 0;
  #height = 0;
  #middle = NaN; // where on the screen the craft is, from the top
  #zoom = 1;
  #ratio = 1;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} size The world's; at it, 0 begins again.
   * @param {(bottle: Row) => boolean} isOwn Whether we threw it.
   */
  constructor(canvas, size, isOwn) {
    this.isOwn = isOwn;
    this.canvas = canvas;
    this.size = size;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  }

  /**
   * Something went in, or came out.
   * @param {number} x
   * @param {number} y
   */
  splash(x, y) {
    this.#splashes.push({ x, y, born: performance.now() / 1000 });
    if (this.#splashes.length > 50) this.#splashes.shift();
  }

  /** @param {number} way */
  #shortest(way) {
    return way - this.size * Math.round(way / this.size);
  }

  /**
   * Where something is on the screen, in CSS pixels.
   * @param {{x: number, y: number}} place
   */
  toScreen({ x, y }) {
    return {
      x: this.#width / 2 + this.#shortest(x - this.#camera.x) * this.#zoom,
      y: this.#middle + this.#shortest(y - this.#camera.y) * this.#zoom,
    };
  }

  /**
   * Draw the world as it is now.
   * @param {World} world
   * @param {Craft | null} me
   */
  draw(world, me) {
    const now = performance.now() / 1000;
    this.#fit();
    const [first] = world.craft;
    if (me ?? first) this.#follow(me ?? first); // who only watches flies along with somebody
    const { context } = this;
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    context.clearRect(0, 0, this.#width, this.#height);
    this.#drawStars(now);
    for (const row of world.bottle) this.#at(row, 50, () => drawBottle(context, row, this.isOwn(row), now));
    for (const row of world.meteor) this.#at(row, row.radius * 1.2, () => drawMeteor(context, row));
    for (const row of world.craft) this.#at(row, 40, () => drawCraft(context, row, hue(row.name), now));
    this.#splashes = this.#splashes.filter(({ born }) => now - born < SPLASH_S);
    for (const splash of this.#splashes) this.#at(splash, 60, () => drawSplash(context, (now - splash.born) / SPLASH_S));
    this.#drawNames(world, me);
    this.#drawMarks(world, me);
  }

  /** Make the canvas as fine as the screen, to a degree. */
  #fit() {
    const { canvas } = this;
    this.#ratio = Math.min(devicePixelRatio || 1, 2);
    this.#width = canvas.clientWidth;
    this.#height = canvas.clientHeight;
    const covered = this.#width <= SMALL && document.body.classList.contains("carded");
    const middle = this.#height * (covered ? 0.32 : 0.5);
    this.#middle = Number.isNaN(this.#middle) ? middle : this.#middle + (middle - this.#middle) / 8;
    this.#zoom = Math.max(0.8, Math.max(this.#width, this.#height) / SEEN);
    const width = Math.round(this.#width * this.#ratio);
    const height = Math.round(this.#height * this.#ratio);
    if (canvas.width === width && canvas.height === height) return;
    canvas.width = width;
    canvas.height = height;
  }

  /** @param {{x: number, y: number}} me */
  #follow(me) {
    // Stars stand beyond the world's edges: they move by the way gone, which no edge cuts.
    if (this.#seen) {
      this.#travelled.x += this.#shortest(me.x - this.#camera.x);
      this.#travelled.y += this.#shortest(me.y - this.#camera.y);
    }
    this.#seen = true;
    this.#camera = { x: me.x, y: me.y };
  }

  /** @param {number} now */
  #drawStars(now) {
    const { context } = this;
    context.fillStyle = "#dfe6ff";
    LAYERS.forEach(({ speed, size, light }, layer) => {
      const left = -((((this.#travelled.x * speed * this.#zoom) % TILE) + TILE) % TILE);
      const top = -((((this.#travelled.y * speed * this.#zoom) % TILE) + TILE) % TILE);
      for (const [x, y, twinkle] of this.#stars[layer]) {
        context.globalAlpha = light * (0.65 + 0.35 * Math.sin(now * (0.5 + twinkle) + 40 * twinkle));
        const side = size * (0.6 + 0.6 * twinkle);
        for (let tileX = left; tileX < this.#width; tileX += TILE) {
          for (let tileY = top; tileY < this.#height; tileY += TILE) context.fillRect(tileX + x, tileY + y, side, side);
        }
      }
    });
    context.globalAlpha = 1;
  }

  /**
   * Draw something where it is, if any of it is on the screen.
   * @param {{x: number, y: number}} place
   * @param {number} reach how far it is drawn from there, in units
   * @param {() => void} draw
   */
  #at(place, reach, draw) {
    const { x, y } = this.toScreen(place);
    const margin = reach * this.#zoom;
    if (x < -margin || y < -margin || x > this.#width + margin || y > this.#height + margin) return;
    const { context } = this;
    context.save();
    context.translate(x, y);
    context.scale(this.#zoom, this.#zoom);
    draw();
    context.restore();
  }

  /**
   * @param {World} world
   * @param {Craft | null} me
   */
  #drawNames(world, me) {
    const { context } = this;
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = "center";
    context.lineWidth = 3;
    context.strokeStyle = "rgb(7 10 30 / 70%)";
    for (const row of world.craft) {
      const { x, y } = this.toScreen(row);
      const name = row.slot === me?.slot ? "you" : row.name;
      context.fillStyle = row.away ? "#8090b8" : `hsl(${hue(row.name)} 80% 82%)`;
      context.strokeText(name, x, y + 24 * this.#zoom + 10);
      context.fillText(name, x, y + 24 * this.#zoom + 10);
    }
  }

  /**
   * Show the way to the nearest bottles and to other craft that are beyond the screen.
   * @param {World} world
   * @param {Craft | null} me
   */
  #drawMarks(world, me) {
    if (!me) return;
    const away = (/** @type {Row} */ row) => Math.hypot(this.#shortest(row.x - me.x), this.#shortest(row.y - me.y));
    const bottles = [...world.bottle].filter((row) => !this.isOwn(row)).sort((a, b) => away(a) - away(b));
    const others = [...world.craft].filter((row) => row.slot !== me.slot).sort((a, b) => away(a) - away(b));
    for (const row of bottles.slice(0, 2)) this.#mark(row, "#7fe3d4");
    for (const row of others.slice(0, MARKS)) this.#mark(row, `hsl(${hue(row.name)} 75% 66%)`);
  }

  /**
   * @param {Row} row
   * @param {string} colour
   */
  #mark(row, colour) {
    const { x, y } = this.toScreen(row);
    if (x > 0 && y > 0 && x < this.#width && y < this.#height) return;
    const [middleX, middleY] = [this.#width / 2, this.#middle];
    const angle = Math.atan2(y - middleY, x - middleX);
    const far = Math.min(middleX, middleY) - 28; // a ring around the craft, clear of what lies at the edges
    const { context } = this;
    context.save();
    context.translate(middleX + far * Math.cos(angle), middleY + far * Math.sin(angle));
    drawMark(context, angle, colour);
    context.restore();
  }
}
