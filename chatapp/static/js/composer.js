// The message box. What is in it is never lost: it is cleared only once the outbox has it,
// and it is kept on the device while it is being written.

import { MAX_POINTS, judge } from "./limits.js";
import { counted, debounced, shape, words } from "./page.js";

const KEEP_AFTER = 300;
const DRAFT_MOST = 100_000; // a pasted book stays in the box, not on the device
const ROWS_MOST = 8;
const HINT_AFTER = 1000; // a page that has just come has no line yet

export class Composer {
  #keep = debounced(KEEP_AFTER, () => this.keep());
  #closed = false;
  #hinting = undefined;

  /**
   * @param {object} by
   * @param {HTMLFormElement} by.form
   * @param {string} by.room
   * @param {import("./session.js").Session} by.session
   * @param {(body: string) => boolean} by.send false: not taken, the text stays
   */
  constructor({ form, room, session, send }) {
    this.form = form;
    this.session = session;
    this.send = send;
    this.name = `chatapp:draft:${session.me}:${room}`;
    this.box = form.querySelector("textarea");
    this.button = form.querySelector(".send-button");
    this.state = form.querySelector("[data-state]");
    this.hint = form.querySelector(".hint");
  }

  start() {
    // a refused form post comes back with its text, which is newer than any draft
    if (this.box.value === "") this.box.value = this.session.storage.getItem(this.name) ?? "";
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("input", () => {
      this.#look();
      this.#keep();
    });
    window.addEventListener("pagehide", () => this.keep());
    document.addEventListener("visibilitychange", () => document.hidden && this.keep());
    this.#look();
  }

  get text() {
    return this.box.value;
  }

  focus() {
    this.box.focus();
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
    this.#say(words().roomGone);
    this.#look();
  }

  /** Not after this account has signed out in another tab: then nothing of it may stay. */
  keep() {
    if (!this.session.isOwner()) return;
    const text = this.box.value;
    try {
      if (text === "" || text.length > DRAFT_MOST) this.session.storage.removeItem(this.name);
      else this.session.storage.setItem(this.name, text);
    } catch {
      // a full device: the text is still in the box
    }
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.altKey) return;
    // Enter that ends an input method's word is not ours; Safari says so by 229 only
    if (event.isComposing || event.keyCode === 229) return;
    const asked = event.ctrlKey || event.metaKey;
    // on glass there is no Shift: Enter breaks the line and the button sends
    if (!asked && matchMedia("(hover: none) and (pointer: coarse)").matches) return;
    event.preventDefault();
    if (!event.repeat) this.#submit();
  }

  #submit() {
    const { text, fault } = judge(this.box.value);
    if (this.#closed || fault === "empty") return;
    if (fault === "over") {
      this.#look();
      this.focus();
      return;
    }
    if (!this.send(text)) {
      this.#say(words().full);
      this.focus();
      return;
    }
    this.box.value = "";
    this.box.dispatchEvent(new Event("cleared"));
    this.keep();
    this.#look();
    this.focus();
  }

  /** After every change of the text: the button, the count, the height. */
  #look() {
    const { fault, points } = judge(this.box.value);
    if (this.button) this.button.disabled = this.#closed || fault === "empty";
    const over = fault === "over";
    if (over) this.#tooLong(points - MAX_POINTS);
    else if (!this.#closed) this.#say("");
    if (over) this.box.setAttribute("aria-invalid", "true");
    else this.box.removeAttribute("aria-invalid");
    this.#grow();
  }

  #tooLong(excess) {
    const { overOne, over, tooBig } = words();
    this.#say(excess > 0 ? counted(overOne, over, excess) : tooBig);
  }

  #say(sentence) {
    if (!this.state || this.state.textContent === (sentence ?? "")) return;
    const line = sentence ? shape("tpl-too-long") : null;
    if (line) (line.querySelector("[data-count]") ?? line).textContent = sentence;
    this.state.replaceChildren(...(line ? [line] : []));
  }

  /** CSS lets the box grow (field-sizing); where it cannot, the rows attribute does. */
  #grow() {
    if (CSS.supports("field-sizing", "content")) return;
    this.box.rows = 1;
    while (this.box.rows < ROWS_MOST && this.box.scrollHeight > this.box.clientHeight) this.box.rows += 1;
  }
}
