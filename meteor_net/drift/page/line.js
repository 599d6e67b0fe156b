// One line of the chat as an element. All text goes into text nodes: it is never markup.

import { hue } from "./names.js";

/** @typedef {import("/meteor-net.js").ChatMessage} ChatMessage */
/** @typedef {import("/meteor-net.js").QueuedLine} QueuedLine */
/**
 * @typedef {object} Around what a line is shown among
 * @property {(message: ChatMessage) => ChatMessage | undefined} answered the line that this one answers
 * @property {(user: string) => string} nameOf
 * @property {(message: ChatMessage) => boolean} isInbox
 */

const QUOTED = 80;

/**
 * @param {string} tag
 * @param {string} className
 * @param {...(string | Node)} parts
 */
export function element(tag, className, ...parts) {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...parts);
  return made;
}

/**
 * @param {string} className
 * @param {string} label for those who do not see it
 * @param {...(string | Node)} parts
 */
export function button(className, label, ...parts) {
  const made = /** @type {HTMLButtonElement} */ (element("button", className, ...parts));
  made.type = "button";
  made.setAttribute("aria-label", label);
  return made;
}

/**
 * What a line says, in short.
 * @param {ChatMessage} message
 */
export function inShort(message) {
  const text = message.deleted ? "deleted" : message.text.replace(/\s+/g, " ");
  return text.length > QUOTED ? `${[...text].slice(0, QUOTED).join("")}…` : text;
}

/** @param {string} name */
function nameTag(name) {
  const tag = element("b", "", name);
  tag.dataset.hue = String(Math.floor(hue(name) / 30));
  return tag;
}

/**
 * Who says it, and to whom.
 * @param {ChatMessage} message
 * @param {Around} around
 */
function speaker(message, around) {
  if (message.kind === "private") return [element("i", "whom", message.own ? "to " : "from "), nameTag(message.own ? around.nameOf(message.to) : message.name)];
  return message.name ? [nameTag(message.name)] : [];
}

/** @param {ChatMessage} message */
function chips(message) {
  return [...message.reactions].map(([emoji, { count, mine }]) => {
    const chip = button(mine ? "chip mine" : "chip", `${emoji} ${count}${mine ? ", yours too" : ""}`, emoji, element("span", "", String(count)));
    chip.dataset.emoji = emoji;
    chip.tabIndex = -1; // by keyboard the line's tools do the same
    chip.setAttribute("aria-pressed", String(mine));
    return chip;
  });
}

/** Whether one may react to a line, or answer it. @param {ChatMessage} message */
export const isSaid = (message) => message.sender !== "" && !message.deleted;

/**
 * @param {ChatMessage} message
 * @param {Around} around
 */
export function showLine(message, around) {
  const kind = typeof message.kind === "number" ? "text" : message.kind;
  const item = element("li", kind === "notice" && around.isInbox(message) ? "private" : kind);
  item.tabIndex = -1;
  item.classList.toggle("own", message.own);
  item.classList.toggle("mentioned", message.mentioned);
  item.classList.toggle("deleted", message.deleted);
  if (message.time) item.title = new Date(message.time).toLocaleString();
  const answered = around.answered(message);
  if (answered) {
    const quote = button("quote", `An answer to ${answered.name}: ${inShort(answered)}`, element("b", "", answered.name), inShort(answered));
    quote.tabIndex = -1;
    item.append(quote);
  }
  item.append(...speaker(message, around), element("span", "words", message.deleted ? "deleted" : message.text));
  if (message.edited) item.append(element("small", "", "edited"));
  if (message.reactions.size) item.append(element("span", "chips", ...chips(message)));
  if (isSaid(message)) {
    const more = button("more", "React, answer, …", "⋯");
    more.tabIndex = -1;
    item.append(more);
  }
  return item;
}

/**
 * A line of ours on its way.
 * @param {QueuedLine} line
 * @param {string} name our own
 * @param {Around} around
 */
export function showQueued(line, name, around) {
  const item = element("li", "pending");
  item.setAttribute("aria-hidden", "true"); // it is read when it is kept
  if (line.to) item.append(element("i", "whom", "to "), nameTag(around.nameOf(line.to)));
  else item.append(nameTag(name));
  item.append(element("span", "words", line.text));
  return item;
}

/**
 * It was not kept, or nobody knows.
 * @param {HTMLElement} item
 * @param {{text: string, reason: string}} error
 */
export function showFailed(item, { text, reason }) {
  item.removeAttribute("aria-hidden");
  item.className = "failed";
  const unknown = reason === "unknown";
  item.append(element("small", "why", unknown ? "Perhaps not said: " : "Not said: ", text), button("again", unknown ? "Say it again; it may then be there twice" : "Say it again", "Again"), button("drop", "Forget this line", "✕"));
}
