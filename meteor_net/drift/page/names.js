// Names and colours of players.

const HOW = ["amber", "brave", "calm", "dusty", "eager", "gentle", "golden", "hazy", "idle", "jolly", "keen", "lucky", "mellow", "quiet", "silver", "sunny"];
const WHO = ["badger", "comet", "drifter", "ember", "finch", "gull", "heron", "lantern", "minnow", "otter", "pebble", "rocket", "sailor", "sparrow", "tern", "wren"];
const KEY = "drift:name";

/** @param {string[]} words */
const any = (words) => words[Math.floor(Math.random() * words.length)];

/** The name that this tab wishes: the one it had, or a new one. */
export function wishedName() {
  let name = null;
  try {
    name = sessionStorage.getItem(KEY);
  } catch { /* a browser may refuse its storage; then each load is a new name */ }
  return name ?? keepName(`${any(HOW)} ${any(WHO)}`);
}

/**
 * Keep a name for this tab.
 * @param {string} name
 */
export function keepName(name) {
  try {
    sessionStorage.setItem(KEY, name);
  } catch { /* see above */ }
  return name;
}

/**
 * A player's colour, the same wherever the name stands.
 * @param {string} name
 * @returns {number} a hue of 0 to 359
 */
export function hue(name) {
  let hash = 7;
  for (const char of name) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % 9973;
  return (hash * 137) % 360;
}
