// The line above what is new to the reader. The server draws it with the page; here it is put where something comes
// while nobody looks, kept in its place when rows move, and taken away once the reader writes.

import { shape } from "../page.js";
import { seqOf } from "./rows.js";

export class NewLine {
  /** Kept here: rows that move to another day's section leave it behind. @type {HTMLElement | null} */
  #line;

  /** @param {import("../feed.js").Feed} feed */
  constructor(feed) {
    this.feed = feed;
    this.#line = feed.inner.querySelector(".new-line");
  }

  /** Rows came that the reader does not see. The line of what they have read already goes. @param {HTMLElement[]} rows */
  came(rows) {
    const first = rows.find((row) => row.matches(".msg:not(.is-deleted)") && row.dataset.by !== this.feed.me);
    if (!first || (this.#line && !this.#line.hasAttribute("data-read"))) return;
    this.at(seqOf(first));
  }

  /** A line above this row from now on. @param {number} seq */
  at(seq) {
    this.remove();
    this.#line = shape("tpl-new-line");
    if (this.#line) this.#line.dataset.before = String(seq);
    this.place();
  }

  /** What it marks has been seen: the next that comes unseen begins a new one. */
  read() {
    this.#line?.setAttribute("data-read", "");
  }

  remove() {
    this.#line?.remove();
    this.#line = null;
  }

  /** After rows were arranged. */
  place() {
    const line = this.#line;
    if (!line) return;
    const before = Number(line.dataset.before);
    const row = this.feed.rows.numbered().find((each) => seqOf(each) >= before);
    if (!row) line.remove();
    else if (row.previousElementSibling !== line) row.before(line);
  }
}
