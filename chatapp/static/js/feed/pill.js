// The way back to the newest message, with the number of those that came meanwhile.

import { counted, words } from "../page.js";

export class Pill {
  #count = 0;

  /** @param {HTMLElement} room main.room @param {{atEnd: () => boolean, newest: () => boolean, toEnd: () => void}} view */
  constructor(room, view) {
    this.room = room;
    this.view = view;
    this.link = room.querySelector("[data-to-latest]");
  }

  start() {
    // an old window's link loads the newest page, as it does without scripts
    this.link?.addEventListener("click", (event) => {
      if (!this.view.newest()) return;
      event.preventDefault();
      this.view.toEnd();
      this.refresh();
    });
    this.refresh();
  }

  /** @param {number} count new messages the reader does not see */
  add(count) {
    this.#count += count;
    this.refresh();
  }

  /** After scrolling and after every change of the list. */
  refresh() {
    const seen = this.view.newest() && this.view.atEnd();
    if (seen) this.#count = 0;
    if (this.room.dataset.atEnd !== String(seen)) this.room.dataset.atEnd = String(seen);
    const label = this.link?.querySelector("[data-label]");
    if (!label) return;
    const { newOne, newMany, newest } = words();
    const text = this.#count > 0 ? counted(newOne, newMany, this.#count) : newest;
    if (label.textContent !== text) label.textContent = text;
    this.link.classList.toggle("plain", this.#count === 0);
  }
}
