// The reader's bookmarks on rows: from the page, from a tap here, and from their other windows.

import { ask } from "./ask.js";
import { debounced, words } from "../page.js";
import { seqOf } from "./rows.js";

const ASK = 300;
const SPREAD = 2_000; // everybody comes back at once

export class Bookmarks {
  /** @type {Set<number>} */
  #marked = new Set();
  /** @type {WeakSet<Element>} rows that came over the line: nothing of the reader's is on them yet */
  #live = new WeakSet();
  /** @type {WeakSet<Element>} */
  #known = new WeakSet();
  #came = false;
  #renewSoon = debounced(ASK + Math.random() * SPREAD, () => void this.#renew());

  /** @param {Parameters<typeof ask>[0]} by */
  constructor(by) {
    this.by = by;
  }

  /** @returns {Record<string, import("./tools.js").Act>} */
  start() {
    const { feed } = this.by;
    feed.addEventListener("rows", ({ detail }) => {
      for (const row of detail) this.#live.add(row);
    });
    feed.addEventListener("arranged", () => this.#dress());
    feed.addEventListener("caughtup", () => {
      if (this.#came) this.#renewSoon(); // what other windows did meanwhile
      this.#came = true;
    });
    feed.socket.on("mine", (frame) => String(frame.room) === feed.room && this.#set(frame.seq, frame.bookmarked));
    this.#dress();
    return {
      bookmark: (_row, seq) => void this.#want(seq, true),
      unbookmark: (_row, seq) => void this.#want(seq, false),
    };
  }

  async #want(seq, on) {
    this.#set(seq, on);
    const done = await ask(this.by, `messages/${seq}/bookmark`, { on: String(on) });
    if (!done) this.#set(seq, !on);
  }

  #dress() {
    for (const row of this.by.feed.inner.querySelectorAll(".msg[data-seq]")) {
      if (this.#known.has(row)) continue;
      this.#known.add(row);
      const seq = seqOf(row);
      if (this.#live.has(row)) this.#show(row, this.#marked.has(seq));
      else if (row.matches(".is-bookmarked")) this.#marked.add(seq);
      else this.#marked.delete(seq);
    }
  }

  #set(seq, on) {
    if (on) this.#marked.add(seq);
    else this.#marked.delete(seq);
    const row = this.by.feed.rows.bySeq(seq);
    if (row) this.#show(row, on);
  }

  #show(row, on) {
    row.classList.toggle("is-bookmarked", on);
    if (on) row.setAttribute("aria-description", words("tpl-own").bookmarked ?? "");
    else row.removeAttribute("aria-description");
  }

  async #renew() {
    const { feed } = this.by;
    const rows = feed.rows.numbered();
    if (rows.length === 0) return;
    const [from, to] = [feed.rows.first(), feed.rows.last()];
    try {
      const answer = await fetch(`/rooms/${feed.room}/mine?from=${from}&to=${to}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const marked = new Set((await answer.json()).bookmarks);
      for (const row of rows) this.#set(seqOf(row), marked.has(seqOf(row)));
    } catch {
      // the line is down again; once it is back this is asked again
    }
  }
}
