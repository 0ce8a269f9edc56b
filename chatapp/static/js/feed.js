// The room on the page. Applies what the socket says to the timeline.
//
// 1. What is shown after any absence is what a fresh page would show, as far as the window reaches.
// 2. A row is never shown twice: the same number replaces, and so does the same key.
// 3. The reader's place does not move, except when they are at the end.
// 4. An old window takes no live rows at its end: between them and it there would be a hole.
//
// Events: "arranged" after every change of rows; "rows" with all that came, before they are shown; "came" with live rows that are new; "caughtup"; "stored" with {key, seq}; "events" when someone came, went or renamed the room;
// "gone" with the reason.

import { Calendar, dayKey, untilMidnight } from "./time.js";
import { History } from "./feed/history.js";
import { Log } from "./log.js";
import { Pill } from "./feed/pill.js";
import { Place } from "./feed/place.js";
import { patch } from "./feed/patch.js";
import { Rows, parseRows, seqOf } from "./feed/rows.js";
import { arrange, relabel } from "./feed/days.js";
import { words } from "./page.js";

// An answer that does not come in time is asked for again; one that was refused (the server is
// busy), somewhat sooner.
const ANSWER = 15_000;
const REFUSED = 2_000;

/**
 * A home: where rows of this room are, with what belongs to the place. The room itself, and the pane of a thread.
 * @typedef {object} Home
 * @property {HTMLElement} element
 * @property {HTMLElement} timeline
 * @property {HTMLElement} inner what the rows are in
 * @property {Rows} rows
 * @property {string} room
 * @property {string} me
 * @property {boolean} newest whether the end of the list is the end of what there is
 * @property {HTMLTextAreaElement | null} box where answers are written
 * @property {HTMLElement | null} banners
 * @property {(change: () => void) => void} part
 */

export class Feed extends EventTarget {
  #asking = 0;
  /** The largest number that came while an old window was showing. */
  #held = 0;
  #today = dayKey(new Date());

  /**
   * @param {object} by
   * @param {HTMLElement} by.element main.room
   * @param {string} by.me
   * @param {import("./socket.js").Socket} by.socket
   * @param {() => void} by.reload load the room afresh
   */
  constructor({ element, me, socket, reload }) {
    super();
    this.element = element;
    this.sheet = element.parentElement; // with the pane of a thread
    this.room = element.dataset.room;
    this.me = me;
    this.socket = socket;
    this.reload = reload;
    this.log = new Log(element.dataset.cursor);
    this.timeline = element.querySelector(".timeline");
    this.inner = element.querySelector(".timeline-inner");
    this.banners = element.querySelector("[data-banners]");
    this.box = element.querySelector("#composer");
    /** @type {Set<Home>} the room, and the pane of a thread while one is open */
    this.homes = new Set([this]);
    this.rows = new Rows(this.inner);
    this.place = new Place(this.timeline, () => this.rows.all().filter((row) => !row.hidden));
    this.calendar = new Calendar(document.documentElement.lang, words());
    this.pill = new Pill(element, {
      atEnd: () => this.place.atEnd,
      newest: () => this.newest,
      toEnd: () => this.place.toEnd(),
    });
    this.history = new History({
      timeline: this.timeline,
      rows: this.rows,
      place: this.place,
      changed: () => this.#changed(),
      reachedNewest: () => this.#closeHole(),
    });
  }

  /** Whether the end of the list is the end of the room. */
  get newest() {
    return this.element.dataset.newest !== "false";
  }

  /** @param {Node} node @returns {Home | undefined} */
  homeOf(node) {
    return [...this.homes].find(({ element }) => element.contains(node));
  }

  /** A message here and in a pane. @param {number} seq @returns {HTMLElement[]} */
  copies(seq) {
    return [...this.homes].map(({ rows }) => rows.bySeq(seq)).filter(Boolean);
  }

  start() {
    this.place.keep(() => this.#changed(), { follow: this.newest });
    this.history.start();
    this.pill.start();
    this.timeline.addEventListener("scroll", () => this.pill.refresh(), { passive: true });
    this.#atMidnight();
    const { socket } = this;
    const here = (act) => (frame) => String(frame.room) === this.room && act(frame);
    socket.on("hello", () => {
      this.#ask(true);
      this.history.lineBack();
    });
    socket.on("probe", () => this.#ask(true));
    socket.on("closed", () => clearTimeout(this.#asking));
    socket.on("error", () => this.log.isAsking && this.#askIn(REFUSED * (1 + Math.random())));
    socket.on("changes", here((frame) => this.#take(frame)));
    socket.on("watching", here((frame) => this.#caughtUp(frame.seq)));
    socket.on("beat", (frame) => this.log.heard(frame.rooms?.[this.room] ?? 0) && this.#ask());
    socket.on("reload", here(() => this.reload()));
    socket.on("removed", here((frame) => this.#say("gone", frame.reason)));
  }

  /** Show a message that is not stored yet. @param {HTMLElement} row @param {{toEnd: boolean}} how */
  addUnsent(row, { toEnd }) {
    this.place.keep(() => {
      this.rows.append(row);
      this.#changed();
    }, { follow: true });
    if (toEnd) this.place.toEnd();
    this.pill.refresh();
  }

  /** The server has numbered an unsent message. Its own HTML may be here, on its way, or far above. */
  number(row, seq) {
    this.place.keep(() => {
      const shown = this.rows.bySeq(seq);
      const outside = seq <= this.log.seq && seq < this.rows.first();
      if ((shown && shown !== row) || outside) row.remove();
      else {
        row.id = `m-${seq}`;
        row.dataset.seq = String(seq);
        this.rows.insert(row);
      }
      this.#changed();
    }, { follow: true });
  }

  /** Something that parts rows was put among them, or taken away. @param {() => void} change */
  part(change) {
    this.place.keep(() => {
      change();
      this.#changed();
    }, { follow: true });
  }

  /** @param {HTMLElement} row */
  remove(row) {
    this.place.keep(() => {
      row.remove();
      this.#changed();
    }, { follow: true });
  }

  #ask(anew = false) {
    if (anew) this.log.lineChanged();
    if (!this.log.ask()) return;
    this.socket.send({ type: "watch", room: Number(this.room), cursor: this.log.cursor });
    this.#askIn(ANSWER);
  }

  #askIn(wait) {
    clearTimeout(this.#asking);
    this.#asking = setTimeout(() => this.#ask(true), wait);
  }

  #take(frame) {
    const verdict = this.log.judge(frame);
    if (verdict === "gap") this.#ask();
    if (verdict !== "apply") return;
    this.#apply(parseRows(frame.html));
    this.log.applied(frame.seq);
  }

  #caughtUp(seq) {
    clearTimeout(this.#asking);
    if (this.log.caughtUp(seq)) this.#ask();
    else this.#say("caughtup");
  }

  #apply(rows) {
    this.#say("rows", rows);
    let unseen = 0;
    const came = [];
    let events = false;
    this.place.keep(() => {
      for (const row of rows) {
        const known = this.rows.bySeq(seqOf(row));
        if (known?.hasAttribute("data-pinned") && !row.hasAttribute("data-pinned")) events = true; // deleted, perhaps
        const fresh = this.#put(row);
        if (fresh && row.isConnected) came.push(row);
        if (fresh && row.matches(".msg:not(.is-deleted)") && row.dataset.by !== this.me) unseen += 1;
        if (fresh && row.dataset.kind) events = true;
        this.rows.look(row);
        this.rows.requote(row);
      }
      this.#changed();
    }, { follow: this.newest });
    this.pill.add(unseen);
    if (came.length > 0) this.#say("came", came);
    for (const row of rows) {
      if (row.dataset.key && row.dataset.by === this.me) {
        this.#say("stored", { key: row.dataset.key, seq: seqOf(row) });
      }
      // a fragment may carry hx- attributes of its own
      if (row.isConnected) window.htmx?.process(row);
    }
    this.history.trimAbove();
    if (events) this.#say("events");
  }

  /** @param {HTMLElement} row @returns {boolean} whether it is new, not a new copy */
  #put(row) {
    const seq = seqOf(row);
    const old = this.rows.bySeq(seq) ?? (row.dataset.by === this.me && row.dataset.key ? this.rows.byKey(row.dataset.key) : null);
    if (old) {
      if (patch(old, row)) return false;
      // a row that is moved loses the focus, so only one that had no number yet
      if (this.rows.replace(old, row) && old.dataset.seq !== row.dataset.seq) this.rows.insert(row);
      return false;
    }
    // above the window: it comes with the older page
    if (seq < this.rows.first() && this.history.link("older")) return false;
    if (!this.newest && seq > this.rows.last()) {
      this.#held = Math.max(this.#held, seq);
      return true;
    }
    this.rows.insert(row);
    return true;
  }

  /** The last newer page is shown. What came while it was on its way was held back and is asked for. */
  #closeHole() {
    const last = this.rows.last();
    this.#changed();
    if (this.#held > last) {
      this.log.rewind(last);
      this.#ask(true);
    }
    this.#held = 0;
  }

  /** After every change of rows: days, groups, and the marks that depend on the window. */
  #changed() {
    arrange(this.inner, this.rows.all(), { me: this.me, calendar: this.calendar, now: new Date() });
    this.element.dataset.newest = String(this.history.link("newer") === null);
    this.pill.refresh();
    this.#say("arranged");
  }

  /** Timers stop while a device sleeps, so the calendar is looked at every minute and at midnight. */
  #atMidnight() {
    const now = new Date();
    if (dayKey(now) !== this.#today) {
      this.#today = dayKey(now);
      relabel(this.inner, this.calendar, now);
    }
    setTimeout(() => this.#atMidnight(), Math.min(untilMidnight(now) + 50, 60_000));
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
