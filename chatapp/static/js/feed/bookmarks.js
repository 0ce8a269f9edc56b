// The reader's bookmarks on rows: from the page, from a tap here, and from their other windows.

import { ask } from "./ask.js";
import { debounced, words } from "../page.js";
import { seqOf } from "./rows.js";

const ASK = 300;
const SPREAD = 2_000; // everybody comes back at once

export class Bookmarks {
  /** @type {Set<number>} */
  #marked = new Set();
  /** @type {WeakSet<Element>} */
  #known = new WeakSet();
  #came = false;
  #renewSoon = debounced(ASK + Math.random() * SPREAD, () => this.#renew());

  /** @param {object} by @param {import("../feed.js").Feed} by.feed @param {import("../session.js").Session} by.session */
  constructor({ feed, session }) {
    this.feed = feed;
    this.session = session;
  }

  /** @returns {Record<string, import("./tools.js").Act>} */
  start() {
    const { feed } = this;
    feed.addEventListener("rows", ({ detail }) => {
      // over the line: nothing of the reader's is on them yet, nor on the copies in a pane
      for (const row of detail) row.dataset.live = "";
    });
    feed.addEventListener("arranged", () => this.#dress());
    feed.addEventListener("caughtup", () => {
      if (this.#came) this.#renewSoon(); // what other windows did meanwhile
      this.#came = true;
    });
    feed.socket.on("mine", (frame) => String(frame.room) === feed.room && this.#set(frame.seq, frame.bookmarked));
    this.#dress();
    return {
      bookmark: (_row, seq, home) => void this.#want(seq, true, home),
      unbookmark: (_row, seq, home) => void this.#want(seq, false, home),
    };
  }

  async #want(seq, on, home) {
    this.#set(seq, on);
    const done = await ask(home, this.session, `messages/${seq}/bookmark`, { on: String(on) });
    if (!done) this.#set(seq, !on);
  }

  #dress() {
    for (const row of [...this.feed.homes].flatMap(({ rows }) => rows.all())) {
      if (this.#known.has(row)) continue;
      this.#known.add(row);
      const seq = seqOf(row);
      if ("live" in row.dataset) this.#show(row, this.#marked.has(seq));
      else if (row.matches(".is-bookmarked")) this.#marked.add(seq);
      else this.#marked.delete(seq);
      delete row.dataset.live;
    }
  }

  #set(seq, on) {
    if (on) this.#marked.add(seq);
    else this.#marked.delete(seq);
    for (const row of this.feed.copies(seq)) this.#show(row, on);
  }

  #show(row, on) {
    row.classList.toggle("is-bookmarked", on);
    if (on) row.setAttribute("aria-description", words("tpl-own").bookmarked ?? "");
    else row.removeAttribute("aria-description");
  }

  #renew() {
    for (const { rows } of this.feed.homes) void this.#renewIn(rows.numbered());
  }

  async #renewIn(rows) {
    if (rows.length === 0) return;
    const [from, to] = [seqOf(rows[0]), seqOf(rows.at(-1))];
    try {
      const answer = await fetch(`/rooms/${this.feed.room}/mine?from=${from}&to=${to}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const marked = new Set((await answer.json()).bookmarks);
      for (const row of rows) this.#set(seqOf(row), marked.has(seqOf(row)));
    } catch {
      // the line is down again; once it is back this is asked again
    }
  }
}
