// Draws this room's unsent messages: at once when written, again after a reload, and those
// that another tab wrote. "Sending…" appears only when it takes longer than a second.

import { TOO_LONG } from "./outbox.js";
import { isOutboxItem } from "./outbox-store.js";
import { shape, words } from "./page.js";

const PATIENCE = 1_000;
const CATCH_UP = 1_500;
// A message another tab has sent is replaced by the server's own row; if that never comes, it goes.
const LINGER = 15_000;

export class OutboxView {
  /** @type {Map<string, HTMLElement>} by key */
  #rows = new Map();
  #ready = false;

  /**
   * @param {object} by
   * @param {import("./outbox.js").Outbox} by.outbox
   * @param {import("./feed.js").Feed} by.feed
   * @param {() => void} by.focus where the reader goes on after a decision
   */
  constructor({ outbox, feed, focus }) {
    this.outbox = outbox;
    this.feed = feed;
    this.focus = focus;
  }

  start() {
    const { outbox, feed } = this;
    outbox.addEventListener("added", ({ detail }) => detail.room === feed.room && this.#draw(detail, true));
    outbox.addEventListener("stored", ({ detail }) => this.#stored(detail.key, detail.seq));
    outbox.addEventListener("failed", ({ detail }) => this.#failed(detail));
    outbox.addEventListener("removed", ({ detail }) => this.#remove(detail));
    outbox.addEventListener("flow", () => this.#refresh());
    feed.addEventListener("stored", ({ detail }) => {
      this.#rows.delete(detail.key);
      outbox.seen(detail.key, detail.seq);
    });
    window.addEventListener("storage", ({ key }) => (key === null || isOutboxItem(key)) && this.#sync());
    // what is stored already comes with the rows, so those first; without a line, after a moment
    feed.addEventListener("caughtup", () => this.#open());
    setTimeout(() => this.#open(), CATCH_UP);
  }

  #open() {
    if (this.#ready || !this.feed.newest) return;
    this.#ready = true;
    this.#sync();
  }

  /** The store may have been changed by another tab. */
  #sync() {
    if (!this.#ready) return;
    const entries = new Map(this.outbox.store.inRoom(this.feed.room).map((entry) => [entry.key, entry]));
    for (const [key, row] of [...this.#rows]) {
      if (entries.has(key)) continue;
      if (row.matches(".is-failed")) this.#remove(key);
      else this.#letGo(key, row);
    }
    for (const entry of entries.values()) {
      if (!this.#rows.has(entry.key)) this.#draw(entry, false);
      else if (entry.failed) this.#failed(entry);
    }
  }

  /** @param {import("./outbox-store.js").Entry} entry @param {boolean} toEnd */
  #draw(entry, toEnd) {
    const shown = this.feed.rows.byKey(entry.key);
    if (shown) {
      // already among the rows: the answer was lost, not the message
      this.outbox.seen(entry.key, Number(shown.dataset.seq));
      return;
    }
    const row = draft(entry);
    if (!row || !this.feed.newest) return;
    this.#rows.set(entry.key, row);
    this.feed.addUnsent(row, { toEnd });
    if (entry.failed) this.#failed(entry);
    else setTimeout(() => this.#refresh(), PATIENCE);
  }

  #refresh() {
    for (const [key, row] of this.#rows) {
      const old = Date.now() - Number(row.dataset.drawn) >= PATIENCE;
      if (old && !row.matches(".is-failed") && this.outbox.store.get(key)) {
        this.#state(row, this.outbox.flows ? "sending" : "waiting");
      }
    }
  }

  #stored(key, seq) {
    const row = this.#rows.get(key);
    if (!row) return;
    this.#rows.delete(key);
    this.#state(row, null);
    row.classList.remove("is-pending");
    this.feed.number(row, seq);
  }

  #failed(entry) {
    const row = entry && this.#rows.get(entry.key);
    if (!row || row.matches(".is-failed")) return;
    this.feed.place.keep(() => failedState(row, entry, this.outbox, this.focus), { follow: true });
  }

  #remove(key) {
    const row = this.#rows.get(key);
    this.#rows.delete(key);
    if (row) this.feed.remove(row);
  }

  #letGo(key, row) {
    this.#rows.delete(key);
    this.#state(row, null);
    row.classList.remove("is-pending");
    setTimeout(() => row.isConnected && !row.dataset.seq && this.feed.remove(row), LINGER);
  }

  /** @param {HTMLElement} row @param {"sending" | "waiting" | null} name @returns {HTMLElement | null} */
  #state(row, name) {
    const old = row.querySelector(".send-state");
    if ((old?.dataset.name ?? null) === name) return old;
    const fresh = name === null ? null : shape(`tpl-${name}`);
    this.feed.place.keep(() => {
      old?.remove();
      if (!fresh) return;
      fresh.dataset.name = name;
      row.querySelector(".msg-main")?.append(fresh);
    }, { follow: true });
    return fresh;
  }
}

/** The server's own partial, filled in. @param {import("./outbox-store.js").Entry} entry */
export function draft(entry) {
  const row = shape("tpl-draft");
  if (!row) return null;
  row.id = `m-${entry.key}`;
  row.dataset.seq = "";
  row.dataset.key = entry.key;
  row.dataset.drawn = String(Date.now());
  row.classList.add("is-pending", "is-own");
  for (const label of row.querySelectorAll("#b-draft")) label.id = `b-${entry.key}`;
  row.setAttribute("aria-labelledby", `b-${entry.key}`);
  for (const link of row.querySelectorAll("a.msg-time")) link.href = `#${row.id}`;
  for (const time of row.querySelectorAll("time")) time.dateTime = new Date(entry.at).toISOString();
  if (entry.reply) quote(row, entry.reply);
  const text = document.createElement("p");
  text.textContent = entry.body;
  row.querySelector(".msg-body")?.replaceChildren(...(entry.body ? [text] : []));
  if (entry.files) import("./later/attachments.js").then((files) => files.show(row, entry.files), () => {});
  return row;
}

/**
 * Says why a message was not stored, and what can be done.
 * @param {HTMLElement} row
 * @param {import("./outbox-store.js").Entry} entry
 * @param {import("./outbox.js").Outbox} outbox
 * @param {() => void} focus where the reader goes on after a decision
 */
export function failedState(row, entry, outbox, focus) {
  row.classList.replace("is-pending", "is-failed");
  row.querySelector(".send-state")?.remove();
  const state = shape("tpl-failed");
  if (!state) return;
  state.dataset.name = "failed";
  const reason = state.querySelector("[data-reason]");
  const { code, message } = entry.failed;
  if (reason) reason.textContent = message || (code === TOO_LONG ? words().tooBig : "");
  const decide = (act) => () => {
    outbox[act](entry.key);
    focus();
  };
  state.querySelector("[data-retry]")?.addEventListener("click", decide("retry"));
  state.querySelector("[data-discard]")?.addEventListener("click", decide("discard"));
  row.querySelector(".msg-main")?.append(state);
}

/** @param {HTMLElement} row @param {import("./answering.js").Quote} reply */
function quote(row, { seq, by, name, text }) {
  row.dataset.reply = String(seq);
  const shown = shape("tpl-quote");
  if (!shown) return;
  shown.href = `?around=${seq}#m-${seq}`;
  Object.assign(shown.dataset, { to: String(seq), by });
  shown.querySelector("bdi").textContent = name;
  const said = shown.querySelector("span");
  said.textContent = text || words().gone;
  said.classList.toggle("is-gone", !text);
  row.querySelector(".msg-main")?.prepend(shown);
}
