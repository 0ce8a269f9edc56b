// The message box. What is in it is never lost: it is cleared only once the outbox has it,
// and it is kept on the device while it is being written.

import { MAX_POINTS, judge } from "./limits.js";
import { counted, shape, words } from "./page.js";

const QUIET_AFTER = 3_000; // since the last key: then another device's words may come in
const ROWS_MOST = 8;
const HINT_AFTER = 1000; // a page that has just come has no line yet

export class Composer {
  #closed = false;
  #hinting = undefined;
  #composing = false;
  #typedAt = -Infinity;

  /**
   * @param {object} by
   * @param {HTMLFormElement} by.form
   * @param {string} by.room
   * @param {import("./drafts.js").Drafts} by.drafts
   * @param {(body: string, files?: object[]) => boolean} by.send false: not taken, the text stays
   */
  constructor({ form, room, drafts, send }) {
    this.form = form;
    this.send = send;
    this.box = form.querySelector("textarea");
    this.button = form.querySelector(".send-button");
    this.state = form.querySelector("[data-state]");
    this.hint = form.querySelector(".hint");
    this.enterSends = form.dataset.enter !== "breaks";
    this.draft = drafts.of(room, { show: (text) => this.#replace(text), quiet: () => this.#quietIn() });
  }

  start() {
    const { box, draft, form } = this;
    const { at, tab, typed } = box.dataset;
    // a refused form comes back with its text, which is newer than any draft
    if (typed === undefined) draft.start({ at: Number(at), body: box.value, tab }, null);
    else draft.start({ at: Number(at), body: typed, tab }, box.value);
    if (typed === undefined && box.value !== draft.text) box.value = draft.text;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    box.addEventListener("keydown", (event) => this.#key(event));
    box.addEventListener("compositionstart", () => (this.#composing = true));
    box.addEventListener("compositionend", () => {
      this.#composing = false;
      draft.type(box.value);
    });
    box.addEventListener("input", () => {
      this.#typedAt = Date.now();
      this.look();
      if (!this.#composing) draft.type(box.value); // half a word is worth nothing elsewhere
    });
    window.addEventListener("pagehide", () => this.keep());
    document.addEventListener("visibilitychange", () => document.hidden && this.keep());
    this.#takeFiles(form.closest("main") ?? form);
    this.look();
  }

  get text() {
    return this.box.value;
  }

  focus() {
    this.box.focus();
  }

  /** The words are not lost if the box is gone a moment later. */
  keep() {
    this.draft.type(this.box.value);
    this.draft.flush();
  }

  /** @param {boolean} waiting whether messages would wait for the line */
  hintWaiting(waiting) {
    const { hint, hintWaiting } = words();
    if (!this.hint || !hint || !hintWaiting) return;
    if (waiting) {
      this.#hinting ??= setTimeout(() => (this.hint.textContent = hintWaiting), HINT_AFTER);
    } else {
      clearTimeout(this.#hinting);
      this.#hinting = undefined;
      this.hint.textContent = hint;
    }
  }

  /** The room is gone. The text stays, to be copied. */
  close() {
    this.#closed = true;
    this.box.readOnly = true;
    this.say(words().roomGone);
    this.look();
  }

  /** What files need comes when the box is used, or something is dragged here. @param {HTMLElement} place */
  #takeFiles(place) {
    const bring = () => {
      if (this.files || !this.form.dataset.files) return;
      import("./later/attachments.js").then((later) => (this.files ??= new later.Attachments(this, place)), () => {});
    };
    this.form.addEventListener("focusin", bring);
    if (kept(this.form)) bring();
    place.addEventListener("dragenter", bring);
    // a file that is dropped meanwhile must not open in place of the page
    place.ondragover = place.ondrop = (event) => {
      if (event.dataTransfer.types.includes("Files")) event.preventDefault();
    };
  }

  /** Milliseconds until nobody is typing here. */
  #quietIn() {
    if (this.#composing) return QUIET_AFTER;
    const away = document.activeElement !== this.box || !document.hasFocus();
    return away ? 0 : Math.max(0, this.#typedAt + QUIET_AFTER - Date.now());
  }

  /** What the person has written on another device. */
  #replace(text) {
    if (this.#closed) return;
    this.box.value = text;
    this.box.dispatchEvent(new Event("replaced"));
    this.look();
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.altKey) return;
    // Enter that ends an input method's word is not ours; Safari says so by 229 only
    if (event.isComposing || event.keyCode === 229) return;
    const asked = event.ctrlKey || event.metaKey;
    if (!asked && !this.enterSends) return;
    // on glass there is no Shift: Enter breaks the line and the button sends
    if (!asked && matchMedia("(hover: none) and (pointer: coarse)").matches) return;
    event.preventDefault();
    if (!event.repeat) this.#submit();
  }

  #submit() {
    const { text, fault } = judge(this.box.value);
    const { files } = this;
    if (this.#closed || (fault === "empty" && !files?.count)) return;
    if (fault === "over") {
      this.look();
      this.focus();
      return;
    }
    if (files?.hold(() => this.#submit())) return;
    if (!this.send(text, files?.ready)) {
      this.say(words().full);
      this.focus();
      return;
    }
    files?.clear();
    this.box.value = "";
    this.box.dispatchEvent(new Event("cleared"));
    this.draft.type("");
    this.draft.flush();
    this.look();
    this.focus();
  }

  /** After every change of the text: the button, the count, the height. */
  look() {
    const { fault, points } = judge(this.box.value);
    if (this.button) this.button.disabled = this.#closed || (fault === "empty" && !this.files?.count);
    const over = fault === "over";
    if (over) this.#tooLong(points - MAX_POINTS);
    else if (!this.#closed) this.say("");
    if (over) this.box.setAttribute("aria-invalid", "true");
    else this.box.removeAttribute("aria-invalid");
    grow(this.box);
  }

  #tooLong(excess) {
    const { overOne, over, tooBig } = words();
    this.say(excess > 0 ? counted(overOne, over, excess) : tooBig);
  }

  say(sentence) {
    if (!this.state || this.state.textContent === (sentence ?? "")) return;
    const line = sentence ? shape("tpl-too-long") : null;
    if (line) (line.querySelector("[data-count]") ?? line).textContent = sentence;
    this.state.replaceChildren(...(line ? [line] : []));
  }
}

/** The files that were here before a reload, as this tab keeps them. @param {HTMLFormElement} form @param {string} [files] */
export function kept(form, files) {
  try {
    const name = ["files", document.body.dataset.me, form.action, form.elements.body.id].join();
    if (files !== undefined) sessionStorage[name] = files;
    return sessionStorage[name];
  } catch {
    return ""; // browsers may forbid it
  }
}

/** CSS lets a box grow (field-sizing); where it cannot, the rows attribute does. @param {HTMLTextAreaElement} box */
export function grow(box) {
  if (CSS.supports("field-sizing", "content")) return;
  box.rows = 1;
  while (box.rows < ROWS_MOST && box.scrollHeight > box.clientHeight) box.rows += 1;
}
