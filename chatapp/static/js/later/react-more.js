// What belongs to reactions and is seldom asked for: the picker that adds one, and who reacted.

import { Emoji } from "./emoji-list.js";
import { EmojiPicker } from "./emoji-picker.js";
import { debounced, shape } from "../page.js";
import { seqOf } from "../feed/rows.js";

const HOVER = 300;

export class ReactMore {
  #picker = null;
  #row = null;
  #hovered = null;
  #nameSoon = debounced(HOVER, () => void this.#fetchNames(this.#hovered));

  /**
   * @param {object} by
   * @param {import("../feed.js").Feed} by.feed
   * @param {import("../session.js").Session} by.session
   * @param {(row: HTMLElement, sign: string) => void} by.want
   */
  constructor({ feed, session, want }) {
    this.feed = feed;
    this.session = session;
    this.want = want;
  }

  /** An emoji for a message. @param {HTMLElement} row @param {HTMLElement} button what opened it */
  async pick(row, button) {
    this.#picker ??= await this.#makePicker(button);
    this.#row = row;
    // beside the rows it is for: what a pane covers is not to be seen, and a pane that was closed took it along
    const { timeline } = this.feed.homeOf(row) ?? this.feed;
    if (timeline.nextElementSibling !== this.#picker.element) timeline.after(this.#picker.element);
    this.#picker.openFrom(button);
  }

  async #makePicker(button) {
    const choose = (sign) => this.want(this.#row, sign);
    const { session, feed } = this;
    const host = feed.timeline;
    const picker = new EmojiPicker({ emoji: await Emoji.load(), button, session, choose, host, name: "reaction-picker" });
    picker.start();
    return picker;
  }

  /** A chip is hovered over or has the focus: who chose it. */
  name(chip) {
    this.#hovered = chip;
    this.#nameSoon();
  }

  async #fetchNames(chip) {
    if (!chip.isConnected || chip.title || !chip.matches(":hover, :focus")) return;
    const list = chip.closest(".reactions");
    const answer = await fetch(this.#address(seqOf(chip.closest(".msg"))), { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return;
    const { said } = await answer.json();
    for (const each of list.querySelectorAll("[data-sign]")) each.title = said[each.dataset.sign] ?? "";
  }

  /** A dialog with everybody who reacted. @param {number} seq @param {import("../feed.js").Home} home */
  async who(seq, home) {
    const answer = await fetch(this.#address(seq), { headers: { "HX-Request": "true" } });
    if (!answer.ok || this.session.sentToSignIn(answer)) throw new Error(String(answer.status));
    const dialog = shape("tpl-who");
    const content = document.createElement("template");
    content.innerHTML = await answer.text(); // rendered by our server
    dialog.querySelector("[data-content]").append(content.content);
    document.body.append(dialog);
    window.htmx?.process(dialog);
    dialog.addEventListener("close", () => {
      dialog.remove();
      home.rows.bySeq(seq)?.focus({ preventScroll: true });
    });
    dialog.showModal();
  }

  #address(seq) {
    return `/rooms/${this.feed.room}/messages/${seq}/reactions`;
  }
}
