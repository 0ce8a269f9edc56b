// What is behind the ways to change a message: the editor, a deletion that can be taken back, what was said before.

import { Editor, isForm } from "./editor.js";
import { shape, words } from "../page.js";
import { tell } from "../feed/ask.js";

const PATIENCE = 15_000;
const OFFERS_MOST = 3;

export class Changes {
  #editor;

  /**
   * @param {object} by
   * @param {import("../feed.js").Feed} by.feed
   * @param {import("../session.js").Session} by.session
   * @param {string} by.name under which the device keeps an edit under way
   */
  constructor({ feed, session, name }) {
    Object.assign(this, { feed, session, name });
    this.says = words("tpl-change-words");
    const ask = this.ask.bind(this);
    this.#editor = new Editor({ feed, session, name, ask });
    feed.sheet.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {number} seq @param {import("../feed.js").Home} home */
  edit(seq, home) {
    return this.#editor.open(seq, home, null);
  }

  /** What was being edited when the page was loaded again: where it was, or where that message stands now. */
  goOn() {
    let kept = null;
    try {
      kept = JSON.parse(this.session.storage.getItem(this.name) ?? "null");
    } catch {
      this.session.storage.removeItem(this.name);
    }
    if (!kept) return;
    const shown = [...this.feed.homes].filter(({ rows }) => rows.bySeq(kept.seq));
    const home = shown.find(({ rows }) => rows.prefix === kept.place) ?? shown[0];
    if (home) void this.#editor.open(kept.seq, home, kept);
  }

  /** @param {HTMLElement} row @param {number} seq @param {import("../feed.js").Home} home */
  async remove(row, seq, home) {
    row.focus({ preventScroll: true }); // and with the row's new copy it stays
    const path = `/rooms/${home.room}/messages/${seq}`;
    const answer = await this.ask(home, `${path}/delete`, { method: "POST" });
    const offer = answer?.ok ? shape("tpl-undo") : null;
    if (!offer) return;
    const { seconds } = await answer.json();
    const form = offer.querySelector("form");
    form.action = `${path}/restore`;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#takeBack(offer, form.action, seq);
    });
    for (const old of offersIn(home).slice(0, 1 - OFFERS_MOST)) old.remove();
    home.banners.append(offer);
    setTimeout(() => this.#close(offer, seq), seconds * 1000);
  }

  async #takeBack(offer, path, seq) {
    const home = this.feed.homeOf(offer) ?? this.feed; // with a pane that is closed it goes to the room
    const answer = await this.ask(home, path, { method: "POST" });
    if (answer === null) return; // no line: there may be time for another try
    this.#close(offer, seq);
    if (answer.ok) tell(home, "tpl-note", this.says.back);
  }

  /** The focus does not get lost with it. */
  #close(offer, seq) {
    const focused = offer.contains(document.activeElement);
    const home = this.feed.homeOf(offer);
    offer.remove();
    if (focused) (home.rows.bySeq(seq) ?? home.timeline).focus({ preventScroll: true });
  }

  #key(event) {
    const undo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z";
    if (!undo) return;
    const home = this.feed.homeOf(event.target);
    if (!home?.timeline.contains(event.target) || event.target.matches("textarea, input")) return;
    const last = offersIn(home).at(-1);
    if (!last) return;
    event.preventDefault();
    last.querySelector("form").requestSubmit();
  }

  /** @param {string} href @param {import("../feed.js").Home} home */
  async showVersions(href, home) {
    const dialog = document.getElementById("versions");
    const answer = await this.ask(home, href);
    if (!answer?.ok || !dialog) return;
    dialog.querySelector("[data-versions]").innerHTML = await answer.text(); // a template of ours
    if (!dialog.open) dialog.showModal();
  }

  /**
   * Asks the server, and says what went wrong where that is not the asker's to say.
   * @param {import("../feed.js").Home} home
   * @param {string} href @param {RequestInit} [how] @param {(sentence: string) => void} [say]
   * @returns {Promise<Response | null>} null: nobody answered
   */
  async ask(home, href, how = {}, say = (sentence) => tell(home, "tpl-note", sentence)) {
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

/** @param {import("../feed.js").Home} home @returns {HTMLElement[]} the deletions that can be taken back there */
function offersIn(home) {
  return [...home.banners.querySelectorAll("[data-undo]")];
}
