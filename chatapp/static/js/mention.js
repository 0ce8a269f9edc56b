// Whom to mention: a list over the message box after an '@', as the server offers it.
//
// 1. While the list is open Enter and Tab choose, arrows move, Escape closes; nothing is sent.
// 2. Words that an input method is still making are left alone.
// 3. A list that was closed or chosen from stays away until another '@' is typed.
// 4. The focus stays in the box. It is a combobox only while the list is open.

const WAIT = 120;
const LETTERS_MOST = 64;
// An '@' after a letter or digit begins no name, but for scripts written without spaces; the server's mentions.py has the same.
const WORD = /[\p{L}\p{N}\p{M}_]/u;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/**
 * @param {string} text up to the caret
 * @returns {{start: number, typed: string} | null} the name that is being typed
 */
export function typing(text) {
  const start = text.lastIndexOf("@");
  if (start < 0) return null;
  const typed = text.slice(start + 1);
  if (/^\s|\n/u.test(typed) || typed.length > LETTERS_MOST) return null;
  const before = [...text.slice(Math.max(0, start - 2), start)].at(-1) ?? "";
  return WORD.test(before) && !UNSPACED.test(before) ? null : { start, typed };
}

export class Mention {
  #place = null;
  #timer = 0;
  #asked = 0;
  #active = -1;
  /** Where a list was closed, or nobody was found: what was typed there. @type {{start: number, typed: string} | null} */
  #done = null;

  /**
   * @param {object} by
   * @param {HTMLTextAreaElement} by.box
   * @param {HTMLElement} by.list role=listbox
   * @param {string} by.room
   */
  constructor({ box, list, room }) {
    this.box = box;
    this.list = list;
    this.room = room;
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
    const place = box.selectionStart === box.selectionEnd ? typing(box.value.slice(0, box.selectionStart)) : null;
    this.#place = place;
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

  async #ask(place) {
    this.#asked += 1;
    const asked = this.#asked;
    let html = null;
    try {
      const answer = await fetch(`/rooms/${this.room}/members/suggest?q=${encodeURIComponent(place.typed)}`, {
        credentials: "same-origin",
        redirect: "error",
      });
      if (answer.ok) html = await answer.text();
    } catch {
      // no line: names can be typed
    }
    const still = asked === this.#asked && this.#place?.start === place.start && this.#place.typed === place.typed;
    if (still) this.#show(html ?? "", place);
  }

  #show(html, place) {
    this.list.innerHTML = html;
    const options = this.#options;
    if (options.length === 0) {
      this.#done = html === "" ? null : place;
      this.#close();
      return;
    }
    for (const [n, option] of options.entries()) option.id = `mention-${n}`;
    this.list.hidden = false;
    const { box } = this;
    box.setAttribute("role", "combobox");
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-haspopup", "listbox");
    box.setAttribute("aria-controls", this.list.id);
    box.setAttribute("aria-expanded", "true");
    this.#activate(0);
  }

  /** What is shown fits what is typed at every moment, also before the server has answered. @param {string} typed */
  #narrow(typed) {
    if (!this.isOpen) return;
    for (const option of this.#options) {
      const name = option.dataset.name.toLowerCase();
      if (!name.startsWith(typed) && !name.includes(` ${typed}`)) option.remove();
    }
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
    const name = option.dataset.name;
    this.#done = { start: place.start, typed: name };
    box.focus();
    box.setSelectionRange(place.start, box.selectionStart);
    const text = `@${name}${/^\s/u.test(box.value.slice(box.selectionEnd)) ? "" : " "}`;
    // so that it can be undone; where the browser has no such command, without
    if (!document.execCommand("insertText", false, text)) {
      box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
      box.dispatchEvent(new Event("input", { bubbles: true }));
    }
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
    for (const name of ["role", "aria-autocomplete", "aria-haspopup", "aria-controls", "aria-expanded", "aria-activedescendant"]) {
      this.box.removeAttribute(name);
    }
  }
}
