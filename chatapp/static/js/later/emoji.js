// Emoji in the message box: completed after a ':' and two letters, and chosen from a picker. What they are called
// is fetched when it is first needed (later/).

const CODE = /(?:^|[^\p{L}\p{N}_:]):([a-z0-9+][a-z0-9_+-]{1,39})$/iu;
const OFFERED = 8;

/** @param {string} text up to the caret @returns {import("./completion.js").Place | null} */
export function typingCode(text) {
  const found = CODE.exec(text.slice(-60));
  return found ? { start: text.length - found[1].length - 1, typed: found[1] } : null;
}

/** @returns {import("./completion.js").Source} */
export function emoji() {
  return {
    name: "emoji",
    find: typingCode,
    async ask(place) {
      const { Emoji } = await import("./emoji-list.js");
      const found = (await Emoji.load()).completing(place.typed.toLowerCase());
      return found.slice(0, OFFERED).map(({ sign, code }) => option(sign, code));
    },
    fits: (option, typed) => option.dataset.code.includes(typed),
    text: (option) => option.dataset.sign,
  };
}

function option(sign, code) {
  const element = document.createElement("div");
  element.className = "option";
  element.setAttribute("role", "option");
  element.setAttribute("aria-selected", "false");
  Object.assign(element.dataset, { sign, code });
  const glyph = document.createElement("span");
  glyph.className = "glyph";
  glyph.textContent = sign;
  element.append(glyph, `:${code}:`);
  return element;
}
