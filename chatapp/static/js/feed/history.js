// Older and newer pages. htmx replaces the link that asked with the rows and the next
// link; here the place is kept, the seam is closed, and the page is kept from growing
// without end: what is far away becomes a link again.

import { shape } from "../page.js";
import { seqOf } from "./rows.js";

const MOST = 300;
const SLACK = 50; // trimmed in lots, not row by row
const QUIET = 1_000;

export class History {
  #marks = null;
  #links = { older: null, newer: null };

  /**
   * @param {object} by
   * @param {HTMLElement} by.timeline
   * @param {import("./rows.js").Rows} by.rows
   * @param {import("./place.js").Place} by.place
   * @param {() => void} by.changed the rows are other ones: arrange them
   * @param {() => void} by.reachedNewest the last newer page is here
   */
  constructor({ timeline, rows, place, changed, reachedNewest }) {
    this.timeline = timeline;
    this.rows = rows;
    this.place = place;
    this.changed = changed;
    this.reachedNewest = reachedNewest;
  }

  start() {
    this.#remember();
    const { timeline } = this;
    timeline.addEventListener("htmx:before:swap", (event) => this.#beforeSwap(event));
    timeline.addEventListener("htmx:before:settle", () => this.#inserted());
    for (const name of ["htmx:error", "htmx:response:error"]) {
      timeline.addEventListener(name, (event) => linkOf(event.target)?.setAttribute("data-failed", ""));
    }
    // once a page could not be fetched quietly, a click goes the plain way, which shows what is wrong
    timeline.addEventListener("click", (event) => {
      if (linkOf(event.target)?.hasAttribute("data-failed")) event.stopPropagation();
    }, { capture: true });
  }

  /** @param {"older" | "newer"} which @returns {HTMLAnchorElement | null} */
  link(which) {
    return this.rows.inner.querySelector(`:scope > .${which}`);
  }

  /** What failed for want of a line is tried again. */
  lineBack() {
    for (const link of this.rows.inner.querySelectorAll(":scope > [data-failed]")) {
      link.removeAttribute("data-failed");
      window.htmx?.trigger(link, "intersect", {}, false);
    }
  }

  #remember() {
    for (const which of ["older", "newer"]) {
      this.#links[which] = shape(`tpl-${which}`) ?? this.link(which)?.cloneNode(true) ?? this.#links[which];
    }
  }

  #beforeSwap(event) {
    const link = linkOf(event.target);
    if (!link) return;
    this.#marks = { rows: this.place.mark(), newer: link.matches(".newer") };
    // history is not news: nobody wants a page of it read aloud
    this.timeline.setAttribute("aria-live", "off");
    setTimeout(() => this.timeline.setAttribute("aria-live", "polite"), QUIET);
  }

  /** In the same turn as the insertion, so that nothing is painted in between. */
  #inserted() {
    const marks = this.#marks;
    if (marks === null) return;
    this.#marks = null;
    this.#dropInnerLinks();
    this.#dropRepeats();
    this.changed();
    this.place.restore(marks.rows);
    this.#remember();
    if (!marks.newer) this.#trimBelow();
    else if (this.link("newer") === null) this.reachedNewest();
    this.trimAbove();
  }

  /** A page fetched upwards knows of newer rows, and one fetched downwards of older ones; here they are already. */
  #dropInnerLinks() {
    const { inner } = this.rows;
    for (const link of inner.querySelectorAll(":scope > .older")) {
      if (link !== inner.firstElementChild) link.remove();
    }
    for (const link of inner.querySelectorAll(":scope > .newer")) {
      if (link !== inner.lastElementChild) link.remove();
    }
  }

  #dropRepeats() {
    const seen = new Set();
    for (const row of this.rows.numbered()) {
      if (seen.has(row.dataset.seq)) row.remove();
      seen.add(row.dataset.seq);
    }
  }

  /** Called after rows were added at the end: those far above go. */
  trimAbove() {
    const rows = this.rows.numbered();
    if (rows.length <= MOST + SLACK || !this.#mayTrim("older")) return;
    const limit = this.timeline.getBoundingClientRect().top - this.timeline.clientHeight;
    const far = rows.slice(0, rows.length - MOST).filter((row) => row.getBoundingClientRect().bottom < limit);
    if (far.length === 0) return;
    this.#cut(far, () => {
      this.link("older")?.remove();
      this.rows.inner.querySelector(":scope > .room-intro")?.remove(); // comes back with the first page
      const link = this.#newLink("older", "before", this.rows.first());
      this.rows.inner.prepend(link);
      return link;
    });
  }

  /** Called after an older page: the far end is the newest one, and the window is an old one from now on. */
  #trimBelow() {
    const rows = this.rows.numbered();
    if (rows.length <= MOST + SLACK || !this.#mayTrim("newer")) return;
    const limit = this.timeline.getBoundingClientRect().bottom + this.timeline.clientHeight;
    const far = rows.slice(MOST).filter((row) => row.getBoundingClientRect().top > limit);
    if (far.length === 0) return;
    const unsent = this.rows.all().filter((row) => Number.isNaN(seqOf(row)));
    this.#cut([...far, ...unsent], () => {
      this.link("newer")?.remove();
      const link = this.#newLink("newer", "after", this.rows.last());
      this.rows.inner.append(link);
      return link;
    });
  }

  #mayTrim(which) {
    return this.#links[which] !== null && !this.link(which)?.matches(".htmx-request");
  }

  #cut(rows, linkUp) {
    this.place.keep(() => {
      for (const row of rows) row.remove();
      const link = linkUp();
      this.changed();
      window.htmx?.process(link);
    }, { follow: false });
  }

  #newLink(which, parameter, seq) {
    const link = this.#links[which].cloneNode(true);
    link.classList.remove("htmx-request", "htmx-swapping", "htmx-added");
    for (const name of ["data-failed", "data-htmx-powered"]) link.removeAttribute(name);
    for (const name of ["href", "hx-get"]) {
      const url = new URL(link.getAttribute(name), location.href);
      url.searchParams.set(parameter, String(seq));
      link.setAttribute(name, url.pathname + url.search);
    }
    return link;
  }
}

/** @param {EventTarget | null} target @returns {Element | null} */
function linkOf(target) {
  return target instanceof Element ? target.closest(".older, .newer") : null;
}
