// One room's unsent words: what is in the box, what the server has, and how the two come together. Knows no page.
//
// 1. Words that the server has not said it stored stay on the device.
// 2. What is being typed is never replaced; what came meanwhile from another device waits for quiet.
// 3. Words from here that the server does not have, and words from elsewhere that build upon none of them, both stay:
//    one below the other. Until then the server keeps theirs, and the device keeps ours.

import { MAX_POINTS, isVisible, points } from "./limits.js";
import { debounced } from "./page.js";

const KEEP_AFTER = 200;
const SAVE_AFTER = 600; // with the server's tenth of a second, within one
const AGAIN_AFTER = 5_000; // no answer
const UNSENDABLE = /[\0-\x08\x0b-\x1f\x7f-\x9f]/g;

/** As the server takes it. @param {string} typed @returns {string} */
export function regular(typed) {
  const text = typed.replace(UNSENDABLE, "").replace(/\p{Cs}/gu, "\ufffd");
  return isVisible(text) ? text : "";
}

/** Words from elsewhere, and those from here that build upon none of them. @param {string} theirs @param {string} ours */
export function joined(theirs, ours) {
  if (ours.includes(theirs)) return ours;
  return theirs.includes(ours) ? theirs : `${theirs}\n\n${ours}`;
}

/** @typedef {{at: number, body: string, tab: string}} Stored what the server has; `at` 0: nothing */

export class Draft extends EventTarget {
  #base = 0;
  /** @type {string | null} what the server has, as far as is known */
  #saved = "";
  /** @type {Stored | null} what came while somebody was typing */
  #waiting = null;
  #timer = 0;
  /** Whether what is on the device is from here: another tab's is left alone. */
  #isKept = false;
  #keep = debounced(KEEP_AFTER, () => this.keep());

  text = "";

  /**
   * @param {object} by
   * @param {string} by.tab what this page calls itself
   * @param {(frame: object) => boolean} by.send
   * @param {{get(): any, put(record: object): void, remove(): void}} by.record of this room, on the device
   * @param {(text: string) => void} [by.show] the text is another one now
   * @param {() => number} [by.quiet] milliseconds until the text may be replaced
   */
  constructor({ tab, send, record, show = () => {}, quiet = () => 0 }) {
    super();
    this.tabs = [tab];
    this.send = send;
    this.record = record;
    this.show = show;
    this.quiet = quiet;
  }

  /**
   * @param {Stored | null} stored what the page came with; null: unknown
   * @param {string | null} typed what stands in the box instead
   */
  start(stored, typed) {
    const kept = this.record.get();
    this.#base = stored?.at ?? kept?.base ?? 0;
    this.#saved = stored?.body ?? null;
    this.text = this.#saved ?? "";
    if (typed !== null) this.text = regular(typed);
    else if (kept) {
      this.#isKept = true;
      this.tabs.push(...kept.tabs);
      const known = stored === null || kept.base === stored.at || kept.tabs.includes(stored.tab);
      this.text = known ? kept.text : joined(stored.body, kept.text);
    }
    if (this.isSaved) this.keep();
  }

  get isSaved() {
    return this.text === this.#saved;
  }

  /** @param {string} typed */
  type(typed) {
    const text = regular(typed);
    if (text === this.text) return;
    this.text = text;
    this.#changed();
  }

  /** There is a line again, or for the first time. */
  back() {
    if (this.isSaved) this.send({ base: this.#base, body: null });
    else this.#save();
  }

  /** Nobody may be here a moment later. */
  flush() {
    this.keep();
    this.#save();
  }

  /** The server says what it has. @param {Stored} stored */
  heard(stored) {
    this.#rest();
    const { at, body, tab } = stored;
    if (at === this.#base) {
      if (!this.isSaved) this.#later(AGAIN_AFTER);
      return;
    }
    const isOurs = this.tabs.includes(tab) || (!this.isSaved && joined(body, this.text) === this.text);
    if (body !== this.text && !isOurs) {
      this.#waiting = stored;
      this.#settle();
      return;
    }
    this.#adopt(stored);
    if (this.isSaved) this.keep();
    else this.#later(SAVE_AFTER);
  }

  /** Nobody may write here any more. */
  end() {
    this.#rest();
    this.send = () => false;
    this.record = { get: () => null, put() {}, remove() {} };
  }

  #settle() {
    const stored = this.#waiting;
    const wait = this.quiet();
    if (wait > 0) {
      this.#later(wait);
      return;
    }
    const text = this.isSaved ? stored.body : joined(stored.body, this.text);
    const isNew = text !== this.text;
    this.#adopt(stored);
    this.text = text;
    if (isNew) this.show(text);
    this.#changed();
  }

  #adopt({ at, body }) {
    this.#rest();
    this.#base = at;
    this.#saved = body;
    this.#waiting = null;
  }

  #changed() {
    this.#keep();
    if (!this.isSaved) this.#later(SAVE_AFTER);
    this.dispatchEvent(new Event("changed"));
  }

  #rest() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  /** Whoever types on and on is saved again and again, not at the end. */
  #later(wait) {
    if (!this.#timer) this.#timer = setTimeout(() => this.#save(), wait);
  }

  #save() {
    this.#rest();
    if (this.#waiting) this.#settle();
    if (this.#waiting || this.isSaved || points(this.text) > MAX_POINTS) return;
    this.#rest();
    // without a line, the next one brings it
    if (this.send({ base: this.#base, body: this.text, tab: this.tabs[0] })) this.#later(AGAIN_AFTER);
  }

  /** What the server does not have yet stays on the device. */
  keep() {
    const { text, tabs } = this;
    if (!this.isSaved) this.record.put({ text, base: this.#base, tabs: tabs.slice(0, 3) });
    else if (this.#isKept) this.record.remove();
    this.#isKept = !this.isSaved;
  }
}
