// The pane of a thread beside its room: the first message, its answers, and a box of its own.
//
// 1. What comes for the room comes here too: copies of the rows, under other ids.
// 2. What is written here goes by the outbox, as all messages do.
// 3. Shown in a visible window counts as read.
// 4. Its messages have the tools that those of the room have, and what is done with them shows in both: for all of that
//    it is a home (feed.js) beside the room.

import { Calendar } from "../time.js";
import { Composer } from "../composer.js";
import { Place } from "../feed/place.js";
import { Rows, seqOf } from "../feed/rows.js";
import { arrange } from "../feed/days.js";
import { debounced, words } from "../page.js";
import { draft, failedState } from "../outbox-view.js";
import { patch } from "../feed/patch.js";
import { quoting } from "../answering.js";
import { wireKeys } from "../feed/keys.js";
import { wireTools } from "../feed/tools.js";

const READ_AFTER = 500;

/** @type {Thread | null} */
let open = null;

/**
 * @param {object} by
 * @param {import("../feed.js").Feed} by.feed
 * @param {import("../session.js").Session} by.session
 * @param {import("../outbox.js").Outbox} by.outbox
 * @param {Record<string, import("../feed/tools.js").Act>} by.acts what the tools of a message do; `up` and `goOn`: see
 *   feed/changes.js
 * @param {HTMLElement | null} by.opener where the focus goes when it is closed
 * @param {number} seq of any message of the thread
 */
export async function openThread(by, seq) {
  const { room } = by.feed;
  const meanwhile = [];
  const hear = ({ detail }) => meanwhile.push(...detail.map((row) => row.cloneNode(true)));
  const pane = document.createElement("template");
  by.feed.addEventListener("rows", hear);
  try {
    const answer = await fetch(`/rooms/${room}/threads/${seq}`, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (by.session.sentToSignIn(answer)) return;
    if (!answer.ok) throw new Error(String(answer.status));
    pane.innerHTML = await answer.text();
  } finally {
    by.feed.removeEventListener("rows", hear);
  }
  const aside = document.importNode(pane.content, true).querySelector("#thread");
  if (!aside) return;
  open?.close(false);
  document.getElementById("thread")?.remove();
  by.feed.sheet.append(aside);
  window.htmx?.process(aside);
  history.replaceState(history.state, "", `/rooms/${room}/threads/${aside.dataset.thread}${location.hash}`);
  const thread = adoptThread(by, aside);
  thread.take(meanwhile);
  thread.focus();
}

/** A pane that came with the page. */
export function adoptThread(by, aside) {
  open = new Thread(by, aside);
  open.start();
  return open;
}

/** @implements {import("../feed.js").Home} */
class Thread {
  #stop = new AbortController();
  /** @type {Map<string, HTMLElement>} rows that are not stored yet, by key */
  #unsent = new Map();
  #told = 0;
  #read = debounced(READ_AFTER, () => this.#tell());

  newest = true; // older answers come above

  constructor({ feed, session, outbox, drafts, acts, opener }, aside) {
    this.feed = feed;
    this.session = session;
    this.outbox = outbox;
    this.acts = acts;
    this.opener = opener;
    this.room = feed.room;
    this.me = feed.me;
    this.element = aside;
    this.timeline = aside.querySelector(".timeline");
    this.inner = aside.querySelector(".timeline-inner");
    this.banners = aside.querySelector("[data-banners]");
    this.seq = Number(aside.dataset.thread);
    this.last = Number(aside.dataset.last);
    this.first = aside.querySelector("[data-first]");
    this.replies = aside.querySelector("[data-replies]");
    this.rows = new Rows(this.inner, "t");
    this.answers = new Rows(this.replies, "t"); // for their order
    this.place = new Place(this.timeline, () => this.rows.all());
    this.calendar = new Calendar(document.documentElement.lang, words());
    const form = aside.querySelector("form[data-composer]");
    const local = { of: (name, box) => drafts.onDevice(name, box) };
    this.composer = form && new Composer({ form, room: `${feed.room}:${this.seq}`, drafts: local, send: (...said) => this.#send(...said) });
    this.box = this.composer?.box ?? null;
  }

  start() {
    const { acts, element: aside, feed, outbox } = this;
    const { signal } = this.#stop;
    feed.addEventListener("rows", ({ detail }) => this.take(detail), { signal });
    feed.addEventListener("gone", () => this.composer?.close(), { signal });
    outbox.addEventListener("added", ({ detail }) => this.#draw(detail), { signal });
    outbox.addEventListener("failed", ({ detail }) => this.#failed(detail), { signal });
    outbox.addEventListener("removed", ({ detail }) => this.#drop(detail), { signal });
    window.addEventListener("focus", () => this.#read(), { signal });
    document.addEventListener("visibilitychange", () => this.#read(), { signal });
    aside.addEventListener("htmx:after:settle", () => this.#arrange(), { signal });
    aside.addEventListener("keydown", (event) => {
      // what is open has the key first
      const taken = event.defaultPrevented || document.querySelector("[popover]:popover-open");
      if (event.key === "Escape" && !taken) this.close();
    }, { signal });
    aside.querySelector("[data-close]")?.addEventListener("click", (event) => {
      event.preventDefault();
      this.close();
    }, { signal });
    this.composer?.start();
    this.#wire();
    feed.homes.add(this);
    this.#arrange();
    acts.goOn();
    for (const entry of outbox.store.inRoom(feed.room)) this.#draw(entry);
    this.#read();
  }

  /** What can be done with its messages. */
  #wire() {
    const { acts, timeline } = this;
    const answer = () => this.focus();
    const tools = wireTools(this, { ...acts, answer });
    // this is the thread already, and of the room's menu there may be one as well
    tools?.querySelector('[data-act="thread"]').remove();
    tools?.querySelector("[popover]").setAttribute("id", "thread-menu");
    wireKeys(timeline, null, { r: answer });
    acts.up(this);
  }

  /** @param {() => void} change */
  part(change) {
    this.place.keep(() => {
      change();
      this.#arrange();
    }, { follow: true });
  }

  focus() {
    (this.composer?.box ?? this.element.querySelector("#thread-title"))?.focus();
  }

  /** @param {boolean} [back] whether the room is on its own now */
  close(back = true) {
    const { banners, element, feed } = this;
    this.#stop.abort();
    this.composer?.keep();
    element.remove();
    open = null;
    feed.homes.delete(this);
    feed.banners?.append(...banners.children); // what can still be taken back
    // what is being edited here goes on in the room, and then the focus goes there
    const isFree = feed.dispatchEvent(new CustomEvent("closed", { detail: this, cancelable: true }));
    if (!back) return;
    feed.part(() => {}); // what it covered is seen again, and so it is read
    history.replaceState(history.state, "", `/rooms/${feed.room}${location.hash}`);
    const link = feed.rows.bySeq(this.seq)?.querySelector(".thread-link");
    if (isFree) (this.opener?.isConnected ? this.opener : link ?? feed.timeline).focus();
  }

  #send(body, files) {
    const row = this.first.querySelector("[data-seq]");
    return this.outbox.add(this.feed.room, body, { reply: { ...quoting(row), seq: this.seq }, files });
  }

  /** Rows that came for the room. @param {HTMLElement[]} rows */
  take(rows) {
    this.part(() => {
      for (const each of rows) this.#take(inPane(each.cloneNode(true), this.seq));
    });
    this.#read();
  }

  #take(row) {
    const seq = seqOf(row);
    const old = this.rows.bySeq(seq);
    this.rows.look(row);
    this.rows.requote(row);
    if (seq === this.seq) this.#count(row);
    if (old && patch(old, row)) return;
    if (seq === this.seq) this.rows.replace(old, row);
    else if (Number(row.dataset.thread) === this.seq) this.#put(row, seq, old);
  }

  #put(row, seq, old) {
    const { key } = row.dataset;
    const unsent = row.dataset.by === this.feed.me && key ? this.#unsent.get(key) : null;
    if (unsent) this.#unsent.delete(key);
    // above the part that is shown: it comes with the older replies
    if (!old && seq < this.answers.first() && this.replies.querySelector(":scope > .older")) return;
    unsent?.remove();
    if (old) this.rows.replace(old, row);
    else this.answers.insert(row);
    this.last = Math.max(this.last, seq);
  }

  /** @param {HTMLElement} row the first message */
  #count(row) {
    const count = row.querySelector(".thread-link b")?.textContent;
    if (count) this.element.querySelector("[data-count]").textContent = count;
  }

  #draw(entry) {
    if (entry.room !== this.feed.room || entry.reply?.seq !== this.seq || this.#unsent.has(entry.key)) return;
    const row = draft(entry);
    if (!row) return;
    this.#unsent.set(entry.key, inPane(row, this.seq, entry.key));
    this.answers.append(row);
    this.#arrange();
    this.place.toEnd();
    if (entry.failed) this.#failed(entry);
  }

  #failed(entry) {
    const row = entry && this.#unsent.get(entry.key);
    if (row && !row.matches(".is-failed")) failedState(row, entry, this.outbox, () => this.focus());
  }

  #drop(key) {
    this.#unsent.get(key)?.remove();
    this.#unsent.delete(key);
  }

  #arrange() {
    const reader = { me: this.feed.me, calendar: this.calendar, now: new Date() };
    arrange(this.first, [...this.first.querySelectorAll("[data-seq]")], reader);
    arrange(this.replies, this.answers.all(), reader);
    this.feed.dispatchEvent(new CustomEvent("arranged")); // what is the reader's own shows here as well
  }

  async #tell() {
    if (document.hidden || !document.hasFocus() || this.last <= this.#told) return;
    const upto = this.last;
    try {
      const answer = await fetch(`/rooms/${this.feed.room}/threads/${this.seq}/read`, {
        method: "POST", body: new URLSearchParams({ upto: String(upto) }), credentials: "same-origin",
      });
      if (answer.ok) this.#told = upto;
    } catch {
      // no line: the next look tells
    }
  }
}

/** A row with ids of the pane's own, and without a quote of what it stands under. templating.py does the same. */
function inPane(row, thread, name = row.dataset.seq) {
  row.id = `t-${name}`;
  const head = row.querySelector(".msg-head");
  if (head) head.id = `tb-${name}`;
  row.setAttribute("aria-labelledby", `tb-${name}`);
  row.querySelector(".msg-tools")?.remove();
  for (const quote of row.querySelectorAll(".reply-ref")) quote.hidden = Number(quote.dataset.to) === thread;
  return row;
}
