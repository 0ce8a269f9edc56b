// Editing a message in its row.
//
// 1. What is being written is never lost: a new copy of the row waits until the edit is over (rows.js), a page that is
//    loaded again goes on where it was, a save that fails or comes late leaves the text in the box.
// 2. One message at a time. To edit another, the one that has been changed must be saved or given up first.
// 3. The focus goes back to where it came from: the message box, or the row.
// 4. It is where somebody asked for it: in the room, or in the pane of a thread. When the pane goes, the edit goes on in
//    the room; where the room does not show that message, it waits until some place does.

import { Completion } from "./completion.js";
import { MAX_POINTS, judge, normalise } from "../limits.js";
import { counted, debounced, words } from "../page.js";
import { emoji } from "./emoji.js";
import { grow } from "../composer.js";
import { mentions } from "./mention.js";
import { tell } from "../feed/ask.js";

const KEEP_AFTER = 300;
const MINE = new Set(["Escape", "End", "ArrowUp", "ArrowDown"]); // keys that mean something else in the timeline

export class Editor {
  #seq = 0;
  #row = null;
  #form = null;
  #home = null;
  #back = null;
  #before = "";
  #saving = false;
  #keep = debounced(KEEP_AFTER, () => this.#store());

  /**
   * @param {object} by
   * @param {import("../feed.js").Feed} by.feed
   * @param {import("../session.js").Session} by.session
   * @param {string} by.name under which the device keeps an edit under way
   * @param {(home: import("../feed.js").Home, href: string, how?: RequestInit, say?: (sentence: string) => void) => Promise<Response | null>} by.ask
   */
  constructor({ feed, session, name, ask }) {
    Object.assign(this, { feed, session, name, ask });
    feed.addEventListener("arranged", () => this.#stay());
    feed.addEventListener("closed", (event) => this.#left(event));
    window.addEventListener("pagehide", () => this.#store());
  }

  get #text() {
    return this.#form?.querySelector("textarea");
  }

  /**
   * @param {number} seq
   * @param {import("../feed.js").Home} home
   * @param {{base: string, body: string} | null} kept from before the page was loaded again
   */
  async open(seq, home, kept) {
    if (this.#form) {
      if (kept) return;
      if (this.#seq === seq) this.#move(home);
      if (this.#seq === seq || this.#changed()) {
        this.#goBack(home);
        return;
      }
      this.#close({ focus: false });
    }
    const back = document.activeElement === home.box ? home.box : null;
    const answer = await this.ask(home, `/rooms/${home.room}/messages/${seq}/edit`);
    const row = home.rows.bySeq(seq);
    if (!answer?.ok || !row || this.#form || !this.feed.homes.has(home)) return;
    this.#seq = seq;
    this.#home = home;
    this.#back = back;
    this.#mount(row, await answer.text());
    this.#before = this.#text.value;
    if (kept) {
      this.#text.value = kept.body;
      this.#form.elements.base.value = kept.base;
      this.#look();
    } else this.#focus();
    grow(this.#text);
  }

  #mount(row, html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    const form = document.importNode(template.content, true).querySelector("form");
    this.#home.part(() => {
      this.#form?.remove();
      this.#form = form;
      this.#put(row);
    });
    const box = this.#text;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save();
    });
    form.querySelector("[data-cancel]").addEventListener("click", (event) => {
      event.preventDefault();
      this.#close({ focus: true });
    });
    const list = form.querySelector("[role=listbox]");
    new Completion({ box, list, sources: [mentions(this.#home.room), emoji()] }).start();
    form.addEventListener("keydown", (event) => this.#key(event));
    box.addEventListener("input", () => {
      this.#look();
      this.#keep();
    });
  }

  #put(row) {
    this.#row = row;
    if (row.matches(".is-deleted")) this.#say(words("tpl-change-words").deleted);
    row.classList.add("is-editing");
    row.querySelector(".msg-body").after(this.#form);
    row.addEventListener("outdated", ({ detail }) => {
      if (detail.matches(".is-deleted")) this.#say(words("tpl-change-words").deleted);
    });
  }

  /** The row may have been taken away with its page or its pane, and be back. */
  #stay() {
    if (!this.#form || this.#form.isConnected) return;
    const { homes } = this.feed;
    const home = [this.#home, ...homes].find((each) => homes.has(each) && each.rows.bySeq(this.#seq));
    if (!home) return;
    this.#home = home;
    this.#put(home.rows.bySeq(this.#seq));
  }

  /** The form goes to another copy of the same message. */
  #move(home) {
    const row = home.rows.bySeq(this.#seq);
    if (!row || (home === this.#home && this.#form.isConnected)) return;
    const [old, left] = [this.#home, this.#row];
    this.#home = home;
    home.part(() => this.#put(row));
    old.part(() => old.rows.settle(left));
  }

  /** A pane was closed. What was written there goes on in the room, and the focus with it, or it is told of. */
  #left(event) {
    if (event.detail !== this.#home || !this.#form) return;
    if (!this.#changed()) {
      this.#close({ focus: false });
      return;
    }
    this.#back = null;
    this.#store();
    this.feed.part(() => this.#stay());
    if (!this.#form.isConnected) {
      tell(this.feed, "tpl-note", words("tpl-change-words").waits);
      return;
    }
    this.#focus();
    event.preventDefault();
  }

  /** To what is being edited, from where somebody would edit something else. */
  #goBack(home) {
    if (!this.#form.isConnected) {
      this.#store(); // a page that shows it goes on with it
      location.assign(`/rooms/${home.room}?around=${this.#seq}#m-${this.#seq}`);
      return;
    }
    this.#text.focus();
    // the room may lie under a pane
    if (document.activeElement !== this.#text) tell(home, "tpl-note", words("tpl-change-words").other);
  }

  #key(event) {
    if (MINE.has(event.key)) event.stopPropagation();
    if (event.isComposing || event.keyCode === 229 || event.target !== this.#text) return;
    if (event.key === "Escape") {
      event.preventDefault();
      this.#close({ focus: true });
    }
    if (event.key !== "Enter" || event.shiftKey || event.altKey) return;
    const asked = event.ctrlKey || event.metaKey;
    // on glass there is no Shift: Enter breaks the line and the button saves
    if (!asked && matchMedia("(hover: none) and (pointer: coarse)").matches) return;
    event.preventDefault();
    if (!event.repeat) void this.#save();
  }

  #changed() {
    return normalise(this.#text.value) !== normalise(this.#before);
  }

  async #save() {
    if (this.#saving || judge(this.#text.value).fault) return;
    if (!this.#changed()) {
      this.#close({ focus: true });
      return;
    }
    this.#saving = true;
    const form = this.#form;
    const body = new URLSearchParams([...new FormData(form)]);
    const answer = await this.ask(this.#home, form.action, { method: "POST", body }, (sentence) => this.#say(sentence));
    this.#saving = false;
    if (this.#form !== form || !answer) return; // given up meanwhile, or nobody answered
    if (answer.status === 204) this.#close({ focus: true });
    else if (isForm(answer)) {
      this.#mount(this.#row, await answer.text());
      this.#store();
      this.#focus();
    }
  }

  #close({ focus }) {
    const row = this.#row;
    const had = this.#form.contains(document.activeElement);
    this.#form.remove();
    this.#form = this.#row = null;
    this.session.storage.removeItem(this.name);
    const { rows } = this.#home;
    this.#home.part(() => rows.settle(row));
    if (focus && had) (this.#back ?? rows.bySeq(this.#seq))?.focus({ preventScroll: true });
  }

  /** Not after this account has signed out in another tab. */
  #store() {
    if (!this.#form || !this.session.isOwner()) return;
    const kept = { seq: this.#seq, place: this.#home.rows.prefix, base: this.#form.elements.base.value, body: this.#text.value };
    try {
      if (this.#changed()) this.session.storage.setItem(this.name, JSON.stringify(kept));
      else this.session.storage.removeItem(this.name);
    } catch {
      // a full device: the text is still in the box
    }
  }

  #focus() {
    const box = this.#text;
    box.focus({ preventScroll: true });
    box.setSelectionRange(box.value.length, box.value.length);
    this.#row.scrollIntoView({ block: "nearest" });
  }

  #look() {
    const { fault, points } = judge(this.#text.value);
    const { overOne, over, tooBig } = words();
    const sentence = points > MAX_POINTS ? counted(overOne, over, points - MAX_POINTS) : tooBig;
    this.#say(fault === "over" ? sentence : "");
    this.#text.setAttribute("aria-invalid", String(fault === "over"));
    this.#form.querySelector("[type=submit]").disabled = fault !== null;
    grow(this.#text);
  }

  #say(sentence) {
    const place = this.#form?.querySelector("[data-error]");
    if (place && place.textContent !== sentence) place.textContent = sentence ?? "";
  }
}

/** Whether it is the form, perhaps with what is wrong. @param {Response} answer */
export function isForm(answer) {
  const { headers, status } = answer;
  return (headers.get("content-type") ?? "").startsWith("text/html") && [200, 403, 409, 422].includes(status);
}
