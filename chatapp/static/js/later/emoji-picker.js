// The picker: search, what was chosen lately, all emoji by groups, skin tones. Whole by keyboard: arrows move among
// the emoji, from the search field down into them and up out of them; Enter in the field takes the first;
// Escape closes and gives the focus back.

import { Emoji } from "./emoji-list.js";
import { shape } from "../page.js";

const RECENT_MOST = 24;
const FOUND_MOST = 120;

export class EmojiPicker {
  #tone = 0;
  #recent = [];

  /**
   * @param {object} by
   * @param {Emoji} by.emoji
   * @param {HTMLElement} by.button what opens it
   * @param {import("../session.js").Session} by.session
   * @param {(sign: string) => void} by.choose
   * @param {HTMLElement} [by.host] what it is put behind; else the button's form
   * @param {string} [by.name] its id, where the page has more than one
   */
  constructor({ emoji, button, session, choose, host, name }) {
    this.host = host ?? button.closest("form");
    this.emoji = emoji;
    this.button = button;
    this.storage = session.storage;
    this.name = `chatapp:emoji:${session.me}:`;
    this.choose = choose;
    this.element = shape("tpl-emoji");
    this.field = this.element.querySelector("input[type=search]");
    this.shelf = this.element.querySelector("[data-shelf]");
    this.none = this.element.querySelector("[data-none]");
    if (!name) return;
    this.element.id = name;
    this.element.classList.add("for-reactions");
    for (const tone of this.element.querySelectorAll("input[type=radio]")) tone.name = name;
  }

  start() {
    const { element, field, shelf } = this;
    this.#tone = Number(this.storage.getItem(`${this.name}tone`)) || 0;
    this.#recent = (this.storage.getItem(`${this.name}recent`) ?? "").split(" ").filter(Boolean);
    this.host.after(element);
    element.addEventListener("toggle", (event) => {
      const open = event.newState === "open";
      this.button.setAttribute("aria-expanded", String(open));
      if (!open && (element.contains(document.activeElement) || document.activeElement === document.body)) this.button.focus();
    });
    field.addEventListener("input", () => this.#draw());
    shelf.addEventListener("click", (event) => {
      const glyph = event.target instanceof Element ? event.target.closest("button") : null;
      if (glyph) this.#take(glyph);
    });
    for (const tone of element.querySelectorAll("input[type=radio]")) {
      tone.checked = Number(tone.value) === this.#tone;
      tone.addEventListener("change", () => this.#setTone(Number(tone.value)));
    }
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  /** For whatever button asks. @param {HTMLElement} button */
  openFrom(button) {
    this.button.classList.remove("is-picking");
    this.button = button;
    button.classList.add("is-picking");
    this.#recent = (this.storage.getItem(`${this.name}recent`) ?? "").split(" ").filter(Boolean);
    if (!this.element.matches(":popover-open")) this.toggle();
  }

  toggle() {
    if (this.element.matches(":popover-open")) {
      this.element.hidePopover();
      return;
    }
    this.field.value = "";
    this.#draw();
    this.element.showPopover();
    this.field.focus();
  }

  #draw() {
    const asked = this.field.value.trim();
    const { emoji, shelf } = this;
    if (asked) {
      const found = emoji.search(asked).slice(0, FOUND_MOST);
      this.none.hidden = found.length > 0;
      shelf.replaceChildren(...(found.length > 0 ? this.#group("", found) : []));
    } else {
      this.none.hidden = true;
      const recent = this.#recent.map((sign) => emoji.bySign.get(sign)).filter(Boolean);
      shelf.replaceChildren(
        ...(recent.length > 0 ? this.#group(shelf.dataset.recent, recent) : []),
        ...emoji.groups.flatMap((group) => this.#group(group.name, group.entries)),
      );
    }
    shelf.scrollTop = 0;
    const first = shelf.querySelector("button");
    if (first) first.tabIndex = 0;
  }

  /** @param {string} name @param {import("./emoji-list.js").Entry[]} entries */
  #group(name, entries) {
    const glyphs = document.createElement("div");
    glyphs.className = "glyphs";
    glyphs.append(...entries.map((entry) => {
      const glyph = document.createElement("button");
      glyph.type = "button";
      glyph.tabIndex = -1;
      glyph.dataset.sign = entry.sign;
      glyph.textContent = this.emoji.toned(entry, this.#tone);
      glyph.title = entry.codes[0] ? `${entry.name} :${entry.codes[0]}:` : entry.name;
      glyph.setAttribute("aria-label", entry.name);
      return glyph;
    }));
    if (!name) return [glyphs];
    const heading = document.createElement("h3");
    heading.textContent = name;
    const group = document.createElement("section");
    group.setAttribute("aria-label", name);
    group.append(heading, glyphs);
    return [group];
  }

  #take(glyph) {
    const { sign } = glyph.dataset;
    this.#recent = [sign, ...this.#recent.filter((each) => each !== sign)].slice(0, RECENT_MOST);
    this.#keep("recent", this.#recent.join(" "));
    this.element.hidePopover();
    this.choose(glyph.textContent);
  }

  #setTone(tone) {
    this.#tone = tone;
    this.#keep("tone", String(tone));
    for (const glyph of this.shelf.querySelectorAll("button")) {
      glyph.textContent = this.emoji.toned(this.emoji.bySign.get(glyph.dataset.sign), tone);
    }
  }

  #keep(name, value) {
    try {
      this.storage.setItem(this.name + name, value);
    } catch {
      // a full device: it is remembered as long as the page
    }
  }

  #key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    const glyph = event.target instanceof Element ? event.target.closest("[data-shelf] button") : null;
    const glyphs = [...this.shelf.querySelectorAll("button")];
    if (event.key === "Escape") this.element.hidePopover(); // at once, also from a field that would be emptied by it
    else if (event.target === this.field) {
      if (event.key === "ArrowDown" && glyphs.length > 0) this.#go(glyphs[0]);
      else if (event.key === "Enter" && glyphs.length > 0) this.#take(glyphs[0]);
      else if (event.key !== "Enter") return;
    } else if (glyph) {
      const target = this.#next(glyph, glyphs, event.key);
      if (target === undefined) return;
      this.#go(target);
    } else return;
    event.preventDefault();
  }

  /** @returns {HTMLElement | undefined} where a key leads; undefined: it is none of ours */
  #next(glyph, glyphs, key) {
    const at = glyphs.indexOf(glyph);
    const forward = getComputedStyle(this.shelf).direction === "rtl" ? -1 : 1;
    if (key === "ArrowRight") return glyphs[at + forward] ?? glyph;
    if (key === "ArrowLeft") return glyphs[at - forward] ?? glyph;
    if (key === "Home") return glyphs[0];
    if (key === "End") return glyphs.at(-1);
    if (key !== "ArrowDown" && key !== "ArrowUp") return undefined;
    const down = key === "ArrowDown";
    const { offsetTop, offsetLeft } = glyph;
    const ahead = down ? glyphs.slice(at + 1) : glyphs.slice(0, at).reverse();
    const row = ahead.find((each) => each.offsetTop !== offsetTop)?.offsetTop;
    if (row === undefined) return down ? glyph : this.field;
    const there = ahead.filter((each) => each.offsetTop === row);
    return there.reduce((best, each) =>
      Math.abs(each.offsetLeft - offsetLeft) < Math.abs(best.offsetLeft - offsetLeft) ? each : best);
  }

  /** One emoji at a time can be reached by Tab. */
  #go(target) {
    if (target !== this.field) {
      for (const old of this.shelf.querySelectorAll('[tabindex="0"]')) old.tabIndex = -1;
      target.tabIndex = 0;
    }
    target.focus();
    target.scrollIntoView({ block: "nearest" });
  }
}
