// What the server left in the page for scripts: words and empty shapes. Scripts hold
// no sentences of their own, so that every word has one place.

/** @param {string} [id] @returns {DOMStringMap} the sentences in tpl-words, or in another template */
export function words(id = "tpl-words") {
  return document.getElementById(id)?.dataset ?? document.createElement("i").dataset;
}

/** @param {string} one @param {string} many with %n for the number @param {number} count @returns {string} */
export function counted(one, many, count) {
  return count === 1 ? one : many.replace("%n", count.toLocaleString(document.documentElement.lang));
}

/** @param {string} id @returns {HTMLElement | null} a fresh copy of a template's one element */
export function shape(id) {
  const template = document.getElementById(id);
  const first = template instanceof HTMLTemplateElement ? template.content.firstElementChild : null;
  return first ? /** @type {HTMLElement} */ (document.importNode(first, true)) : null;
}

/**
 * Wait for quiet, then act once.
 * @param {number} wait milliseconds
 * @param {() => void} act
 */
export function debounced(wait, act) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, wait);
  };
}
