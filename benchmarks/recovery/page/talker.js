// Says lines without a pause, and tells the console what becomes of them: an array in JSON, of what happened and in which life.

import { join } from "/meteor-net.js";

const WAITING = 4;
const EACH_MS = 10;

const asked = new URLSearchParams(location.search);
const life = Number(asked.get("life"));
const last = asked.get("last") === "1";
const tell = (...what) => console.log(JSON.stringify(what));
let said = 0;

const game = await join("", {
  token: asked.get("token"),
  on: {
    queued: (line) => tell("said", life, line.cid, line.text), // also one of before that waits again
    said: ({ line, offset }) => tell("kept", life, line.cid, offset),
    unsaid: ({ line, error }) => tell("unsaid", life, line.cid, error.reason),
  },
});
tell("in", life);
setTimeout(() => setInterval(() => {
  const waiting = game.chat.messageQueue.length;
  if (!last) for (let n = waiting; n < WAITING; n++) game.say(`page ${life}.${++said}`).catch(() => {});
  else if (waiting === 0) tell("ended", life);
}, EACH_MS), last ? 500 : 0); // what waited is looked up in the browser's database: that takes a moment
