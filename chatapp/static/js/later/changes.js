// What is behind the ways to change a message: the editor, a deletion that can be taken back, what was said before.

import { Editor, isForm } from "./editor.js";
import { shape, words } from "../page.js";

const PATIENCE = 15_000;
const OFFERS_MOST = 3;

export class Changes {
  #editor;

  /**
   * @param {object} by
   * @param {import("../feed.js").Feed} by.feed
   * @param {import("../session.js").Session} by.session
   * @param {HTMLTextAreaElement | null} by.box the message box
   * @param {string} by.name under which the device keeps an edit under way
   * @param {(sentence: string | undefined) => void} by.note
   */
  constructor({ feed, session, box, name, note }) {
    Object.assign(this, { feed, session, name, note });
    this.says = words("tpl-change-words");
    this.banners = feed.element.querySelector("[data-banners]");
    const ask = this.ask.bind(this);
    this.#editor = new Editor({ feed, session, box, name, ask });
    feed.timeline.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {number} seq */
  edit(seq) {
    return this.#editor.open(seq, null);
  }

  /** What was being edited when the page was loaded again. */
  goOn() {
    let kept = null;
    try {
      kept = JSON.parse(this.session.storage.getItem(this.name) ?? "null");
    } catch {
      this.session.storage.removeItem(this.name);
    }
    if (kept && this.feed.rows.bySeq(kept.seq)) void this.#editor.open(kept.seq, kept);
  }

  /** @param {HTMLElement} row @param {number} seq */
  async remove(row, seq) {
    row.focus({ preventScroll: true }); // and with the row's new copy it stays
    const path = `/rooms/${this.feed.room}/messages/${seq}`;
    const answer = await this.ask(`${path}/delete`, { method: "POST" });
    const offer = answer?.ok ? shape("tpl-undo") : null;
    if (!offer) return;
    const { seconds } = await answer.json();
    const form = offer.querySelector("form");
    form.action = `${path}/restore`;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#takeBack(offer, form.action, seq);
    });
    for (const old of this.#offers().slice(0, 1 - OFFERS_MOST)) old.remove();
    this.banners.append(offer);
    setTimeout(() => this.#close(offer, seq), seconds * 1000);
  }

  async #takeBack(offer, path, seq) {
    const answer = await this.ask(path, { method: "POST" });
    if (answer === null) return; // no line: there may be time for another try
    this.#close(offer, seq);
    if (answer.ok) this.note(this.says.back);
  }

  #offers() {
    return [...this.banners.querySelectorAll("[data-undo]")];
  }

  /** The focus does not get lost with it. */
  #close(offer, seq) {
    const focused = offer.contains(document.activeElement);
    offer.remove();
    if (focused) (this.feed.rows.bySeq(seq) ?? this.feed.timeline).focus({ preventScroll: true });
  }

  #key(event) {
    const undo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z";
    const last = undo && this.#offers().at(-1);
    if (!last || event.target.matches("textarea, input")) return;
    event.preventDefault();
    last.querySelector("form").requestSubmit();
  }

  /** @param {string} href */
  async showVersions(href) {
    const dialog = document.getElementById("versions");
    const answer = await this.ask(href);
    if (!answer?.ok || !dialog) return;
    dialog.querySelector("[data-versions]").innerHTML = await answer.text(); // a template of ours
    if (!dialog.open) dialog.showModal();
  }

  /**
   * Asks the server, and says what went wrong where that is not the asker's to say.
   * @param {string} href @param {RequestInit} [how] @param {(sentence: string) => void} [say]
   * @returns {Promise<Response | null>} null: nobody answered
   */
  async ask(href, how = {}, say = this.note) {
    const { says, session } = this;
    let answer = null;
    try {
      // fragments where there are some, and refusals in a word
      const headers = { "HX-Request": "true", Accept: "application/json" };
      answer = await fetch(href, { headers, signal: AbortSignal.timeout(PATIENCE), ...how });
    } catch {
      say(how.body ? says.kept : says.noLine);
      return null;
    }
    if (session.sentToSignIn(answer)) return null;
    if (!answer.ok && !isForm(answer)) {
      const { code, message } = await answer.json().catch(() => ({}));
      say(code === "message_gone" && how.body ? says.deleted : message ?? says.failed);
    }
    return answer;
  }
}
