// What is unread in all rooms of the reader, as the sidebar, the title, the tab's icon and the app's badge show it.
//
// 1. The server counts. What came since is added by the rooms' numbers; what does not fit together is asked for again.
// 2. Of two states of a room the one with the higher number is newer; of the same number, the server's.
// 3. Reading here shows at once; the server's word follows.

import { debounced, shape } from "./page.js";

const MOST = 99; // more is shown as 99+
const KEPT = 200; // rows of news kept for each room, for counts that are older than they
const REFRESH = 300;
const SPREAD = 2_000;

/**
 * @typedef {object} State
 * @property {number} seq the number up to which this is whole
 * @property {number} base the number from which on `rows` is whole
 * @property {number} read
 * @property {number} unread
 * @property {number} mentions
 * @property {number} threads
 * @property {string} notify
 * @property {boolean} direct every message counts as a mention
 * @property {[number, number][]} rows news since the last count: number and author
 */

/** "unread" after a count came from the server, with the frame; "changed" after every change. */
export class Unread extends EventTarget {
  /** @type {Map<string, State>} */
  #rooms = new Map();
  #refresh = debounced(REFRESH, () => document.body.dispatchEvent(new Event("refresh-sidebar")));
  #refreshLater = debounced(REFRESH + Math.random() * SPREAD, () => document.body.dispatchEvent(new Event("refresh-sidebar")));

  /** @param {object} by @param {import("./socket.js").Socket} by.socket @param {string} by.me */
  constructor({ socket, me }) {
    super();
    this.socket = socket;
    this.me = Number(me);
    this.icon = document.querySelector("link[rel=icon]");
    this.plainIcon = this.icon?.getAttribute("href") ?? "";
  }

  start() {
    const { socket } = this;
    socket.on("hello", () => socket.send({ type: "follow" }));
    // nobody told us what came before
    socket.on("following", () => this.#refresh());
    socket.on("sidebar", () => this.#refresh());
    socket.on("news", (frame) => this.#news(frame));
    socket.on("unread", (frame) => this.#count(frame));
    const list = document.getElementById("side-rooms-list")?.parentElement;
    if (list) new MutationObserver(() => this.#read()).observe(list, { childList: true });
    new MutationObserver(() => this.#title()).observe(document.querySelector("title"), { childList: true });
    this.#read();
  }

  /** @param {string} room @returns {State | undefined} */
  of(room) {
    return this.#rooms.get(room);
  }

  /** Everything that is unread, as the title counts it. */
  get total() {
    let total = 0;
    for (const state of this.#rooms.values()) total += counted(state);
    return total;
  }

  /** The reader has seen a room up to a number. @param {string} room @param {number} seq */
  seen(room, seq) {
    const state = this.#rooms.get(room);
    if (!state || seq <= state.read) return;
    state.read = seq;
    if (seq >= state.seq) state.unread = state.mentions = state.threads = 0;
    else if (state.rows.length > 0 && state.rows[0][0] <= seq) {
      state.unread = Math.min(state.unread, this.#above(state, seq));
      if (state.direct) state.mentions = state.unread;
    }
    this.#show();
  }

  /** From the sidebar as the server drew it. */
  #read() {
    const found = new Map();
    for (const row of rowsOf()) {
      const { room, last, read, unread, mentions, threads, notify, direct } = row.dataset;
      const fresh = {
        seq: Number(last), base: Number(last), read: Number(read), unread: Number(unread), mentions: Number(mentions),
        threads: Number(threads), notify, direct: direct !== undefined, rows: [],
      };
      const known = this.#rooms.get(room);
      const newer = known && (known.seq > fresh.seq || (known.seq === fresh.seq && known.read > fresh.read));
      found.set(room, newer ? { ...known, notify } : fresh);
    }
    this.#rooms = found;
    this.#show();
  }

  #news({ room, from, seq, rows }) {
    const state = this.#rooms.get(String(room));
    if (!state) {
      this.#refresh();
      return;
    }
    if (seq <= state.seq) return;
    if (from > state.seq || rows === null) {
      this.#refreshLater();
      return;
    }
    for (const row of rows) {
      if (row[0] <= state.seq) continue;
      state.rows.push(row);
      if (row[1] === this.me || row[0] <= state.read) continue;
      state.unread += 1;
      if (state.direct) state.mentions += 1;
    }
    for (const [trimmed] of state.rows.splice(0, Math.max(0, state.rows.length - KEPT))) state.base = trimmed;
    state.seq = seq;
    this.#show();
  }

  #count({ room, seq, read, unread, mentions, threads = 0 }) {
    const state = this.#rooms.get(String(room));
    if (!state || seq < state.base) return; // it was counted before what we know already
    state.rows = state.rows.filter((row) => row[0] > seq);
    if (seq < state.seq) unread += this.#above(state, read);
    if (state.direct) mentions = unread;
    Object.assign(state, { seq: Math.max(seq, state.seq), base: seq, read, unread, mentions, threads });
    this.#show();
    this.dispatchEvent(new CustomEvent("unread", { detail: { room: String(room), seq, read, unread, mentions } }));
  }

  #above(state, seq) {
    return state.rows.filter((row) => row[0] > seq && row[1] !== this.me).length;
  }

  #show() {
    for (const row of rowsOf()) this.#dress(row, this.#rooms.get(row.dataset.room));
    const inbox = document.querySelector(".side-row[data-mentions]");
    if (inbox) badge(inbox, { total: [...this.#rooms.values()].reduce((sum, state) => sum + (state.direct ? 0 : state.mentions), 0) });
    const threads = document.querySelector(".side-row[data-threads-row]");
    if (threads) badge(threads, { threads: [...this.#rooms.values()].reduce((sum, state) => sum + state.threads, 0) });
    this.#title();
    const { total } = this;
    const badged = this.plainIcon.replace("mark.svg", "mark-unread.svg");
    const href = total > 0 ? badged : this.plainIcon;
    if (this.icon && this.icon.getAttribute("href") !== href) this.icon.setAttribute("href", href);
    if (total > 0) navigator.setAppBadge?.(total).catch(() => {});
    else navigator.clearAppBadge?.().catch(() => {});
    this.dispatchEvent(new Event("changed"));
  }

  #dress(row, state) {
    if (!state) return;
    const { notify, mentions, unread, direct } = state;
    // a hidden room shows itself while it is open or names the reader
    row.parentElement.hidden = notify === "hidden" && mentions === 0 && !row.hasAttribute("aria-current");
    badge(row, { mentions, unread: notify === "all" && !direct ? unread : 0 });
  }

  /** Whoever sets the title sets it without a number. */
  #title() {
    const { total } = this;
    const plain = document.title.replace(/^\(\d+\+?\) /, "");
    const title = total > 0 ? `(${total > MOST ? `${MOST}+` : total}) ${plain}` : plain;
    if (document.title !== title) document.title = title;
  }
}

/** What of a room the title counts. @param {State} state */
function counted({ notify, unread, mentions, threads }) {
  if (notify === "all") return unread;
  return mentions + (notify === "mentions" ? threads : 0);
}

/** @returns {NodeListOf<HTMLElement>} */
function rowsOf() {
  return document.querySelectorAll("#side-rooms-list .side-row[data-room]");
}

/** @param {Element} row @param {Record<string, number>} counts by the kind of badge */
function badge(row, counts) {
  row.classList.toggle("is-unread", Object.values(counts).some((count) => count > 0));
  for (const [kind, count] of Object.entries(counts)) {
    const old = row.querySelector(`[data-badge="${kind}"]`);
    if (count === 0) {
      old?.remove();
      continue;
    }
    const mark = old ?? shape(`tpl-badge-${kind}`);
    if (!mark?.firstChild) continue;
    const text = (kind === "unread" || kind === "threads" ? "" : "@") + (count > MOST ? `${MOST}+` : String(count));
    if (mark.firstChild.nodeValue !== text) mark.firstChild.nodeValue = text;
    if (!old) row.append(mark);
  }
}
