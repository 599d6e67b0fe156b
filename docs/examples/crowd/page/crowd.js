// Looks at a part of the crowd. It wanders by itself until somebody drags it, steers with the arrow keys, or points at the map.
import { join } from "/meteor-net.js";

const SIZE = 2048, VIEW = 360; // the world's side; from the middle of the screen to a corner: less than players are told of
const WANDER = 36, PULL = 0.15, KEY_PACE = 320, IDLE_MS = 4000, LOOK_MS = 100;
const HUES = 48, MAP = 360, GLOW = 26;

const find = (id) => document.getElementById(id);
const canvas = find("crowd"), pen = canvas.getContext("2d");
const map = find("map"), mapPen = map.getContext("2d");
const seen = document.createElement("canvas"), seenPen = seen.getContext("2d");
map.width = map.height = seen.width = seen.height = MAP;

const at = { x: Math.random() * SIZE, y: Math.random() * SIZE };
const middle = { x: 0, y: 0 }; // of those in sight, from where we look: wandering keeps to the crowd
const keys = new Set();
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let touchedAt = -Infinity, drawnAt = performance.now(), lookedAt = -Infinity, grip = null;

const wrap = (v) => ((v % SIZE) + SIZE) % SIZE;
const shortest = (d) => d - SIZE * Math.round(d / SIZE);
const zoom = () => Math.hypot(innerWidth, innerHeight) / 2 / VIEW;
const color = (hue, alpha = 1) => `oklch(78% 0.15 ${(hue * 360) / HUES} / ${alpha})`;

/** A soft spot for each hue: where many are together, they add up to a glow. */
const glows = Array.from({ length: HUES }, (_, hue) => {
  const spot = document.createElement("canvas");
  spot.width = spot.height = 64;
  const spotPen = spot.getContext("2d"), fade = spotPen.createRadialGradient(32, 32, 0, 32, 32, 32);
  fade.addColorStop(0, color(hue, 0.16));
  fade.addColorStop(1, color(hue, 0));
  spotPen.fillStyle = fade;
  spotPen.fillRect(0, 0, 64, 64);
  return spot;
});

function go(dx, dy) {
  at.x = wrap(at.x + dx);
  at.y = wrap(at.y + dy);
}

function move(now) {
  const s = Math.min(now - drawnAt, 100) / 1000;
  drawnAt = now;
  const east = keys.has("ArrowRight") - keys.has("ArrowLeft"), south = keys.has("ArrowDown") - keys.has("ArrowUp");
  if (keys.size || grip) touchedAt = now;
  go(KEY_PACE * s * east, KEY_PACE * s * south);
  if (now - touchedAt < IDLE_MS || calm.matches) return;
  go((WANDER * Math.cos(now / 11000) + PULL * middle.x) * s, (WANDER * Math.sin(now / 7000) + PULL * middle.y) * s);
}

function draw(world) {
  const ratio = devicePixelRatio || 1, z = zoom(), width = innerWidth, height = innerHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = "#0c0f16";
  pen.fillRect(0, 0, width, height);
  let sumX = 0, sumY = 0;
  const bodies = Array.from({ length: HUES }, () => new Path2D());
  pen.globalCompositeOperation = "lighter";
  for (const agent of world.agent) {
    const hue = Math.round((agent.way / (2 * Math.PI)) * HUES) % HUES;
    seenPen.fillStyle = color(hue);
    seenPen.fillRect((agent.x * MAP) / SIZE - 1, (agent.y * MAP) / SIZE - 1, 2, 2);
    const dx = shortest(agent.x - at.x), dy = shortest(agent.y - at.y);
    sumX += dx;
    sumY += dy;
    const x = width / 2 + dx * z, y = height / 2 + dy * z, far = GLOW * z;
    if (x < -far || y < -far || x > width + far || y > height + far) continue;
    pen.drawImage(glows[hue], x - far, y - far, 2 * far, 2 * far);
    const r = (3.2 + (agent.slot % 5) * 0.35) * z, c = Math.cos(agent.way) * r, s = Math.sin(agent.way) * r;
    bodies[hue].moveTo(x + c, y + s);
    bodies[hue].lineTo(x - c - s * 0.6, y - s + c * 0.6);
    bodies[hue].lineTo(x - c * 0.5, y - s * 0.5);
    bodies[hue].lineTo(x - c + s * 0.6, y - s - c * 0.6);
    bodies[hue].closePath();
  }
  middle.x = sumX / (world.agent.size || 1);
  middle.y = sumY / (world.agent.size || 1);
  pen.globalCompositeOperation = "source-over";
  bodies.forEach((body, hue) => {
    pen.fillStyle = color(hue);
    pen.fill(body);
  });
  drawMap(width / z, height / z);
}

/** What was seen fades; the frame is the screen, and may lie across the edges of the world, which are none. */
function drawMap(width, height) {
  mapPen.clearRect(0, 0, MAP, MAP);
  mapPen.drawImage(seen, 0, 0);
  mapPen.strokeStyle = "#ffffffcc";
  mapPen.lineWidth = 2;
  const scale = MAP / SIZE;
  for (const x of [at.x - SIZE, at.x, at.x + SIZE]) {
    for (const y of [at.y - SIZE, at.y, at.y + SIZE]) {
      mapPen.strokeRect((x - width / 2) * scale, (y - height / 2) * scale, width * scale, height * scale);
    }
  }
}

canvas.addEventListener("pointerdown", (event) => {
  grip = { x: event.clientX, y: event.clientY };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (!grip) return;
  go((grip.x - event.clientX) / zoom(), (grip.y - event.clientY) / zoom());
  grip = { x: event.clientX, y: event.clientY };
});
for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { grip = null; });
map.addEventListener("pointerdown", (event) => {
  at.x = wrap((event.offsetX / map.clientWidth) * SIZE);
  at.y = wrap((event.offsetY / map.clientHeight) * SIZE);
  touchedAt = performance.now();
});
addEventListener("keydown", (event) => { if (event.key.startsWith("Arrow")) keys.add(event.key); });
addEventListener("keyup", (event) => keys.delete(event.key));
addEventListener("blur", () => keys.clear());

try {
  const game = await join();
  game.onFrame((world) => {
    const now = performance.now();
    move(now);
    if (now - lookedAt >= LOOK_MS) {
      lookedAt = now;
      game.act("Look", at);
    }
    draw(world);
  });
  setInterval(() => {
    seenPen.globalCompositeOperation = "destination-out";
    seenPen.fillStyle = "#0000001a";
    seenPen.fillRect(0, 0, MAP, MAP);
    seenPen.globalCompositeOperation = "source-over";
    find("shown").textContent = game.world.agent.size.toLocaleString("en");
    find("rate").textContent = game.status === "online" ? `${(game.stats.bytesPerSecond / 1000).toFixed(1)} kB/s` : game.status;
  }, 500);
  Object.assign(window, { meteor: game, eye: at }); // for the console, and for tests
} catch (refused) {
  find("rate").textContent = refused.message;
}
