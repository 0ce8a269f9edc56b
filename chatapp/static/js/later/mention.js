// Whom to mention: what the message box offers after an '@' comes from the server.

const LETTERS_MOST = 64;
// An '@' after a letter or digit begins no name, but for scripts written without spaces; the server's mentions.py has the same.
const WORD = /[\p{L}\p{N}\p{M}_]/u;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/**
 * @param {string} text up to the caret
 * @returns {import("./completion.js").Place | null} the name that is being typed
 */
export function typing(text) {
  const start = text.lastIndexOf("@");
  if (start < 0) return null;
  const typed = text.slice(start + 1);
  if (/^\s|\n/u.test(typed) || typed.length > LETTERS_MOST) return null;
  const before = [...text.slice(Math.max(0, start - 2), start)].at(-1) ?? "";
  return WORD.test(before) && !UNSPACED.test(before) ? null : { start, typed };
}

/** @param {string} room @returns {import("./completion.js").Source} */
export function mentions(room) {
  return {
    name: "mention",
    find: typing,
    async ask(place) {
      const answer = await fetch(`/rooms/${room}/members/suggest?q=${encodeURIComponent(place.typed)}`, {
        credentials: "same-origin",
        redirect: "error",
      });
      if (!answer.ok) return null;
      const list = document.createElement("div");
      list.innerHTML = await answer.text();
      return [...list.querySelectorAll("[role=option]")];
    },
    fits(option, typed) {
      const name = option.dataset.name.toLowerCase();
      return name.startsWith(typed) || name.includes(` ${typed}`);
    },
    text: (option) => `@${option.dataset.name}`,
  };
}
