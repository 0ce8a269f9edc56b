// Words that the message box completes: a list over it while one of them is typed. What can be completed
// (names, emoji) comes from sources.
//
// 1. While the list is open Enter and Tab choose, arrows move, Escape closes; nothing is sent.
// 2. Words that an input method is still making are left alone.
// 3. A list that was closed or chosen from stays away until another word is begun.
// 4. The focus stays in the box. It is a combobox only while the list is open.

import { insert } from "../insert.js";

const WAIT = 120;
const COMBOBOX = ["role", "aria-autocomplete", "aria-haspopup", "aria-controls", "aria-expanded", "aria-activedescendant"];

/**
 * @typedef {{start: number, typed: string}} Place where a word begins, and what there is of it
 * @typedef {object} Source
 * @property {string} name the list's label is its data-label-NAME
 * @property {(text: string) => Place | null} find the word at the end of the text up to the caret
 * @property {(place: Place) => Promise<Element[] | null>} ask the options; null: nobody could be asked
 * @property {(option: HTMLElement, typed: string) => boolean} fits whether an option still does, in lower case
 * @property {(option: HTMLElement) => string} text what it puts into the box
 */

export class Completion {
  #place = null;
  #source = null;
  #timer = 0;
  #asked = 0;
  #active = -1;
  /** Where a list was closed, or nothing was found: what was typed there. @type {Place | null} */
  #done = null;

  /**
   * @param {object} by
   * @param {HTMLTextAreaElement} by.box
   * @param {HTMLElement} by.list role=listbox
   * @param {Source[]} by.sources
   */
  constructor({ box, list, sources }) {
    this.box = box;
    this.list = list;
    this.sources = sources;
  }

  start() {
    const { box, list } = this;
    // before the message box hears of them
    box.parentElement.addEventListener("keydown", (event) => event.target === box && this.#key(event), { capture: true });
    box.addEventListener("input", (event) => !event.isComposing && this.#look());
    box.addEventListener("compositionend", () => this.#look());
    box.addEventListener("click", () => this.#look());
    box.addEventListener("blur", () => this.#close());
    box.addEventListener("keyup", (event) => /^(Arrow(Left|Right)|Home|End)$/.test(event.key) && this.#look());
    // the box keeps the focus
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
      if (option) this.#choose(option);
    });
    this.#look(); // the first of its words has begun before it came
  }

  get isOpen() {
    return !this.list.hidden;
  }

  get #options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  #key(event) {
    if (!this.isOpen || event.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const options = this.#options;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#activate((this.#active + step + options.length) % options.length);
    else if (event.key === "Escape") this.#dismiss();
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) this.#choose(options[this.#active]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** After every change of the text or the caret. */
  #look() {
    const { box } = this;
    const { place, source } = box.selectionStart === box.selectionEnd ? this.#word() : { place: null, source: null };
    if (source !== this.#source) this.#close();
    this.#place = place;
    this.#source = source;
    if (!place) this.#done = null;
    const done = this.#done;
    if (!place || (done && done.start === place.start && place.typed.startsWith(done.typed))) {
      this.#close();
      return;
    }
    this.#done = null;
    this.#narrow(place.typed.toLowerCase());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(place), this.isOpen || place.typed ? WAIT : 0);
  }

  /** The word before the caret that begins last. */
  #word() {
    const text = this.box.value.slice(0, this.box.selectionStart);
    const found = this.sources
      .map((source) => ({ source, place: source.find(text) }))
      .filter(({ place }) => place !== null)
      .sort((a, b) => b.place.start - a.place.start);
    return found[0] ?? { place: null, source: null };
  }

  async #ask(place) {
    this.#asked += 1;
    const asked = this.#asked;
    let options = null;
    try {
      options = await this.#source.ask(place);
    } catch {
      // no line: it can be typed
    }
    const still = asked === this.#asked && this.#place?.start === place.start && this.#place.typed === place.typed;
    if (still) this.#show(options, place);
  }

  #show(found, place) {
    this.list.replaceChildren(...(found ?? []));
    const options = this.#options;
    if (options.length === 0) {
      this.#done = found === null ? null : place;
      this.#close();
      return;
    }
    for (const [n, option] of options.entries()) option.id = `${this.list.id}-${n}`;
    this.list.setAttribute("aria-label", this.list.getAttribute(`data-label-${this.#source.name}`) ?? "");
    this.list.hidden = false;
    const { box } = this;
    box.setAttribute("role", "combobox");
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-haspopup", "listbox");
    box.setAttribute("aria-controls", this.list.id);
    box.setAttribute("aria-expanded", "true");
    this.#activate(0);
  }

  /** What is shown fits what is typed at every moment, also before there is an answer. @param {string} typed */
  #narrow(typed) {
    if (!this.isOpen) return;
    for (const option of this.#options) if (!this.#source.fits(option, typed)) option.remove();
    if (this.#options.length > 0) this.#activate(0);
    else this.#close();
  }

  #activate(index) {
    this.#active = index;
    for (const [n, option] of this.#options.entries()) {
      option.classList.toggle("is-active", n === index);
      option.setAttribute("aria-selected", String(n === index));
      if (n !== index) continue;
      this.box.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    }
  }

  #choose(option) {
    const place = this.#place;
    if (!option || !place) return;
    const { box } = this;
    const text = this.#source.text(option);
    this.#done = { start: place.start, typed: text.slice(1) };
    box.focus();
    box.setSelectionRange(place.start, box.selectionStart);
    insert(box, `${text}${/^\s/u.test(box.value.slice(box.selectionEnd)) ? "" : " "}`);
    this.#close();
  }

  #dismiss() {
    this.#done = this.#place;
    this.#close();
  }

  #close() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    if (!this.isOpen) return;
    this.list.hidden = true;
    this.list.replaceChildren();
    for (const name of COMBOBOX) this.box.removeAttribute(name);
  }
}
