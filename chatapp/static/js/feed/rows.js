// The rows of a timeline: messages and events, each under the number of its creation.
// Everything is ordered by that number, never by a clock. A message that is not stored
// yet has no number and stands at the end.

import { pictureIn, wear } from "../face.js";
import { words } from "../page.js";

/** @param {string} html rendered by our server @returns {HTMLElement[]} */
export function parseRows(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...document.importNode(template.content, true).querySelectorAll("[data-seq]")];
}

/** @param {HTMLElement} row @returns {number} NaN for one without a number */
export function seqOf(row) {
  return row.dataset.seq ? Number(row.dataset.seq) : NaN;
}

/** Where a row shows its author's name. @param {HTMLElement} row */
function nameIn(row) {
  return row.querySelector(":scope > .msg-main > .msg-head > .msg-author, :scope > span > b:first-child > bdi");
}

export class Rows {
  /** @type {Map<string, string>} the last look of each author, so that a row that brings no news costs nothing */
  #looks = new Map();
  /** @type {WeakMap<HTMLElement, HTMLElement>} new copies of rows in which something is written */
  #waiting = new WeakMap();
  /** Whether the focus goes from a row to its new copy at this moment. */
  replacing = false;

  /** @param {HTMLElement} inner .timeline-inner @param {string} [prefix] with which the ids of rows begin */
  constructor(inner, prefix = "m") {
    this.inner = inner;
    this.prefix = prefix;
  }

  /** @returns {HTMLElement[]} in the order they stand */
  all() {
    return [...this.inner.querySelectorAll("[data-seq]")];
  }

  /** @returns {HTMLElement[]} those the server has numbered */
  numbered() {
    return this.all().filter((row) => !Number.isNaN(seqOf(row)));
  }

  /** @returns {number} the smallest number shown, Infinity when there is none */
  first() {
    const row = this.numbered()[0];
    return row ? seqOf(row) : Infinity;
  }

  /** @returns {number} the largest number shown, 0 when there is none */
  last() {
    const row = this.numbered().at(-1);
    return row ? seqOf(row) : 0;
  }

  /** @param {number} seq @returns {HTMLElement | null} */
  bySeq(seq) {
    return this.inner.querySelector(`#${this.prefix}-${CSS.escape(String(seq))}`);
  }

  /** @param {string} key @returns {HTMLElement | null} */
  byKey(key) {
    return this.inner.querySelector(`[data-key="${CSS.escape(key)}"]`);
  }

  /** Put a numbered row where its number says. @param {HTMLElement} row */
  insert(row) {
    const seq = seqOf(row);
    const others = this.all().filter((other) => other !== row);
    // nearly always the last place, so look from there
    const before = others.findLast((other) => seqOf(other) < seq);
    if (before) {
      if (before.nextElementSibling !== row) before.after(row);
    } else if (others.length > 0) others[0].before(row);
    else this.#startWith(row);
  }

  /** Put an unnumbered row at the end. @param {HTMLElement} row */
  append(row) {
    const last = this.all().at(-1);
    if (last) last.after(row);
    else this.#startWith(row);
  }

  /**
   * The new copy of a row takes the old one's place and its focus. It is nothing new, so it is not read aloud again.
   * While something is written in the old one, the new one waits (`settle`).
   * @param {HTMLElement} old @param {HTMLElement} row @returns {boolean} whether it has its place now
   */
  replace(old, row) {
    if (old.matches(".is-editing")) {
      this.#waiting.set(old, row);
      old.dispatchEvent(new CustomEvent("outdated", { detail: row }));
      return false;
    }
    row.setAttribute("aria-live", "off");
    const focused = old.contains(document.activeElement);
    const { sign } = document.activeElement?.closest(".reaction")?.dataset ?? {};
    if (old.tabIndex === 0) row.tabIndex = 0;
    old.replaceWith(row);
    const chip = sign && row.querySelector(`.reaction[data-sign="${CSS.escape(sign)}"]`);
    this.replacing = true;
    if (focused) (chip || row).focus({ preventScroll: true });
    this.replacing = false;
    return true;
  }

  /** Nothing is written in a row any more. @param {HTMLElement} row */
  settle(row) {
    row.classList.remove("is-editing");
    const fresh = this.#waiting.get(row);
    if (fresh) this.replace(row, fresh);
  }

  /**
   * Every row brings its author's name, colour and picture of today. Where another is shown, it changes.
   * @param {HTMLElement} row
   */
  look(row) {
    const by = row.dataset.by;
    const name = nameIn(row)?.textContent;
    const avatar = row.querySelector(":scope > .avatar");
    const hue = row.dataset.hue ?? avatar?.dataset.hue;
    if (!by || !name || hue === undefined) return;
    const initials = row.dataset.initials ?? avatar?.textContent;
    const face = row.dataset.avatar ?? pictureIn(avatar);
    const look = `${name} ${hue} ${face}`;
    if (this.#looks.get(by) === look) return;
    this.#looks.set(by, look);
    for (const other of this.inner.querySelectorAll(`[data-seq][data-by="${CSS.escape(by)}"]`)) {
      const shown = nameIn(other);
      if (shown && shown.textContent !== name) shown.textContent = name;
      const picture = other.querySelector(":scope > .avatar");
      if (!picture) continue;
      if (picture.dataset.hue !== hue) picture.dataset.hue = hue;
      wear(picture, initials, face);
    }
    for (const quoted of this.inner.querySelectorAll(`.reply-ref[data-by="${CSS.escape(by)}"] bdi`)) {
      if (quoted.textContent !== name) quoted.textContent = name;
    }
  }

  /** A message that says something else than at first, or nothing, is quoted so. @param {HTMLElement} row */
  requote(row) {
    const { quotable, seq } = row.dataset;
    if (quotable === undefined) return;
    for (const shown of this.inner.querySelectorAll(`.reply-ref[data-to="${CSS.escape(seq)}"] > span`)) {
      shown.textContent = quotable || words().gone;
      shown.classList.toggle("is-gone", !quotable);
    }
  }

  /** The first row of an empty room; days.js gives it its day. @param {HTMLElement} row */
  #startWith(row) {
    const newer = this.inner.querySelector(":scope > .newer");
    if (newer) newer.before(row);
    else this.inner.append(row);
  }
}
