// Prints the tables of meteor_net/chat/emoji.py, from the Unicode properties that Node knows: node tests/chat/make_emoji.mjs

function ranges(...wanted) {
  const found = [];
  for (let code = 0, start = -1; code <= 0x110000; code++) {
    const char = code < 0x110000 && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : "";
    const is = char !== "" && wanted.every(([property, yes]) => property.test(char) === yes);
    if (is && start < 0) start = code;
    if (!is && start >= 0) {
      found.push(start === code - 1 ? start.toString(16) : `${start.toString(16)}-${(code - 1).toString(16)}`);
      start = -1;
    }
  }
  return found;
}

const picture = /^\p{Extended_Pictographic}$/u, emoji = /^\p{Emoji}$/u, shown = /^\p{Emoji_Presentation}$/u;
const tables = {
  AS_TEXT: ranges([picture, true], [emoji, true], [shown, false]),
  AS_PICTURE: ranges([picture, true], [shown, true]).concat(ranges([picture, true], [emoji, false])),
  WITH_SKIN: ranges([/^\p{Emoji_Modifier_Base}$/u, true]),
};
console.log(JSON.stringify({unicode: process.versions.unicode, ...tables}));
