// Tells the server what the reader has seen: rows that stood in the window of a visible, focused tab for a moment.
//
// 1. Never more than was seen: a hidden or unfocused tab reads nothing.
// 2. What could not be told, because the line was down, is told when it is back.
// 3. Who marks something as unread has the last word until they open the room anew, write, or go to the newest.

import { debounced } from "../page.js";
import { seqOf } from "./rows.js";

const DWELL = 400;
const PLACE = 1_000;
const SLACK = 8; // pixels of a row that may be out of sight

export class Reading {
  #told = 0;
  #place = 0;
  #toldPlace = -1;
  #held = false;
  #look = debounced(DWELL, () => this.#tell());
  #keepPlace = debounced(PLACE, () => this.#tellPlace());

  /**
   * @param {object} by
   * @param {import("../feed.js").Feed} by.feed
   * @param {import("../unread.js").Unread} by.unread
   */
  constructor({ feed, unread }) {
    this.feed = feed;
    this.unread = unread;
  }

  start() {
    const { feed } = this;
    const look = () => this.#look();
    feed.timeline.addEventListener("scroll", () => {
      this.#look();
      this.#keepPlace();
    }, { passive: true });
    feed.addEventListener("arranged", look);
    feed.addEventListener("caughtup", () => {
      this.#told = Math.min(this.#told, this.unread.of(feed.room)?.read ?? 0);
      this.#look();
    });
    window.addEventListener("focus", look);
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#tellPlace() : look()));
    window.addEventListener("pagehide", () => this.#tellPlace());
    this.#look();
  }

  /** The reader wants a row, and all behind it, to be unread again. @param {number} seq @returns {() => void} undo */
  back(seq) {
    const before = Math.max(this.#told, this.unread.of(this.feed.room)?.read ?? 0);
    this.#held = true;
    this.#told = seq - 1;
    this.feed.socket.send({ type: "read", room: Number(this.feed.room), seq: seq - 1, back: true });
    return () => {
      this.go();
      this.#send(before);
    };
  }

  /** Reading counts again. */
  go() {
    if (!this.#held) return;
    this.#held = false;
    this.#look();
  }

  #tell() {
    if (this.#held || document.hidden || !document.hasFocus()) return;
    // a pane may lie over the room
    if (!this.feed.timeline.checkVisibility({ visibilityProperty: true })) return;
    const seq = this.#seen();
    if (seq > this.#told) this.#send(seq);
  }

  #send(seq) {
    const { socket, room } = this.feed;
    this.unread.seen(room, seq);
    if (socket.send({ type: "read", room: Number(room), seq })) this.#told = seq;
  }

  #tellPlace() {
    const { feed } = this;
    this.#place = feed.newest && feed.place.atEnd ? 0 : this.#top();
    if (this.#place === this.#toldPlace) return;
    const told = feed.socket.send({ type: "read", room: Number(feed.room), seq: 0, place: this.#place });
    if (told) this.#toldPlace = this.#place;
  }

  /** @returns {number} the largest number whose row has been wholly in the window, or above it */
  #seen() {
    const { feed } = this;
    if (feed.newest && feed.place.atEnd && feed.timeline.scrollTop > -SLACK) return Math.max(feed.rows.last(), feed.log.seq);
    const bottom = feed.timeline.getBoundingClientRect().bottom + SLACK;
    const row = feed.rows.numbered().findLast((each) => !each.hidden && each.getBoundingClientRect().bottom <= bottom);
    return row ? seqOf(row) : 0;
  }

  /** @returns {number} the row at the top of the window */
  #top() {
    const mark = this.feed.place.mark().find(({ row }) => !Number.isNaN(seqOf(row)));
    return mark ? seqOf(mark.row) : 0;
  }
}
