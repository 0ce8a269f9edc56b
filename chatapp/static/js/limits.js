// What may be sent, judged as the server judges it, so that a text is refused while
// it still stands in the box. The server has the last word.

export const MAX_POINTS = 4_000;
export const MAX_BYTES = 16 * 1024;

// White space, controls and everything that is drawn as nothing (zero-width marks,
// joiners, variation selectors, fillers, the empty braille cell).
const INVISIBLE = /^[\s\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*$/u;

const encoder = new TextEncoder();

/** @param {string} text @returns {string} the text as it is sent and stored */
export function normalise(text) {
  // half of a character pair cannot be written as UTF-8, so it cannot be sent
  return text.replace(/\r\n?/g, "\n").replace(/\p{Cs}/gu, "\ufffd").normalize("NFC").trim();
}

/** @param {string} text @returns {boolean} whether anything of it would be seen */
export function isVisible(text) {
  return !INVISIBLE.test(text);
}

/** @param {string} text @returns {number} */
export function bytes(text) {
  return encoder.encode(text).length;
}

/** @param {string} text @returns {number} code points: an emoji outside the first plane counts once */
export function points(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * @param {string} typed
 * @returns {{text: string, fault: null | "empty" | "over", points: number, bytes: number}}
 */
export function judge(typed) {
  const text = normalise(typed);
  const size = { points: points(text), bytes: bytes(text) };
  let fault = null;
  if (!isVisible(text)) fault = "empty";
  else if (size.points > MAX_POINTS || size.bytes > MAX_BYTES) fault = "over";
  return { text, fault, ...size };
}
