// Draws any table that has x and y: dots, or arrows where there is an angle, with a name where there is a text.

/** @typedef {import("../schema.js").Kind} Kind */
/** @typedef {import("../schema.js").Schema} Schema */
/** @typedef {import("../state.js").RowObject} RowObject */
/** @typedef {import("../state.js").WorldView} WorldView */
/** @typedef {{low: number, high: number}} Range */

const HUES = [205, 30, 140, 285, 60, 0, 175, 325];
const MARGIN = 16;

/**
 * Whether a table's rows have a place.
 * @param {Kind} kind
 */
export function hasPlace(kind) {
  return ["x", "y"].every((name) => {
    const field = kind.byName.get(name);
    return field !== undefined && ["fixed", "uint", "int"].includes(field.kind);
  });
}

/**
 * From where to where an axis goes: the widest domain of all tables on the map.
 * @param {Kind[]} kinds
 * @param {string} axis
 * @returns {Range}
 */
function range(kinds, axis) {
  const fields = kinds.flatMap((kind) => kind.byName.get(axis) ?? []);
  const lows = fields.map((field) => (field.kind === "fixed" ? field.low : field.min));
  const highs = fields.map((field) => (field.kind === "fixed" ? field.high : field.max));
  return { low: Math.min(...lows), high: Math.max(...highs) };
}

export class WorldMap {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  }

  /**
   * Draw the world.
   * @param {Schema} schema
   * @param {WorldView} world
   * @param {Map<string, Set<number>>} mine our slots by table
   */
  draw(schema, world, mine) {
    const kinds = schema.tables.filter(hasPlace);
    const { width, height, ink } = this.#fit();
    if (kinds.length === 0) return;
    const x = range(kinds, "x");
    const y = range(kinds, "y");
    const scale = Math.min((width - 2 * MARGIN) / (x.high - x.low), (height - 2 * MARGIN) / (y.high - y.low));
    const left = (width - scale * (x.high - x.low)) / 2;
    const top = (height - scale * (y.high - y.low)) / 2;
    this.context.strokeStyle = ink;
    this.context.globalAlpha = 0.25;
    this.context.strokeRect(left, top, scale * (x.high - x.low), scale * (y.high - y.low));
    this.context.globalAlpha = 1;
    for (const kind of kinds) {
      const angle = kind.fields.find((field) => field.kind === "angle")?.name;
      const label = (kind.byName.get("name") ?? kind.fields.find((field) => field.isText))?.name;
      for (const row of world[kind.name]) {
        const own = mine.get(kind.name)?.has(row.slot) ?? false;
        this.context.fillStyle = own ? ink : `hsl(${HUES[kind.number % HUES.length]} 75% 55%)`;
        this.#mark(left + scale * (row.x - x.low), top + scale * (row.y - y.low), angle === undefined ? null : row[angle], own);
        if (label !== undefined) this.#label(left + scale * (row.x - x.low), top + scale * (row.y - y.low), String(row[label]));
      }
    }
  }

  /** Make the canvas as fine as the screen, and clear it. */
  #fit() {
    const { canvas, context } = this;
    const ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    return { width, height, ink: getComputedStyle(canvas).color };
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number | null} angle
   * @param {boolean} own
   */
  #mark(x, y, angle, own) {
    const { context } = this;
    const size = own ? 9 : 7;
    context.beginPath();
    if (angle === null) context.arc(x, y, size / 2, 0, 2 * Math.PI);
    else {
      const along = [Math.cos(angle) * size, Math.sin(angle) * size];
      context.moveTo(x + along[0], y + along[1]);
      context.lineTo(x - along[0] * 0.7 - along[1] * 0.6, y - along[1] * 0.7 + along[0] * 0.6);
      context.lineTo(x - along[0] * 0.7 + along[1] * 0.6, y - along[1] * 0.7 - along[0] * 0.6);
      context.closePath();
    }
    context.fill();
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {string} text
   */
  #label(x, y, text) {
    this.context.font = "12px system-ui, sans-serif";
    this.context.textAlign = "center";
    this.context.fillText(text.slice(0, 40), x, y - 11);
  }
}
