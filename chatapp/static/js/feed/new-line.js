// The line above what is new to the reader. The server draws it with the page; here it is put where something comes
// while nobody looks, kept in its place when rows move, and taken away once the reader writes.

import { shape } from "../page.js";
import { seqOf } from "./rows.js";

export class NewLine {
  /** @param {import("../feed.js").Feed} feed */
  constructor(feed) {
    this.feed = feed;
  }

  get line() {
    return this.feed.inner.querySelector(".new-line");
  }

  /** @returns {number} the number of the first new row, NaN when there is no line */
  get before() {
    return Number(this.line?.dataset.before ?? NaN);
  }

  /** Rows came that the reader does not see. The line of what they have read already goes. @param {HTMLElement[]} rows */
  came(rows) {
    const first = rows.find((row) => row.matches(".msg") && row.dataset.by !== this.feed.me);
    if (!first || (this.line && !this.line.hasAttribute("data-read"))) return;
    this.at(seqOf(first));
  }

  /** A line above this row from now on. @param {number} seq */
  at(seq) {
    this.remove();
    const line = shape("tpl-new-line");
    const row = this.feed.rows.bySeq(seq);
    if (!line || !row) return;
    line.dataset.before = String(seq);
    row.before(line);
  }

  /** What it marks has been seen: the next that comes unseen begins a new one. */
  read() {
    this.line?.setAttribute("data-read", "");
  }

  remove() {
    this.line?.remove();
  }

  /** After rows were arranged. */
  place() {
    const { line } = this;
    if (!line) return;
    const row = this.feed.rows.numbered().find((each) => seqOf(each) >= this.before);
    if (row && row.previousElementSibling !== line) row.before(line);
  }
}
