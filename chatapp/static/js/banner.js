// Says how the line is, above the timeline. Short breaks are not worth a word.

import { Calendar } from "./time.js";
import { shape, words } from "./page.js";

const SHORT = 2_000;
const LONG = 20_000;
const BACK = 3_000;
const TICK = 500;

/**
 * @param {{state: string, online: boolean, downFor: number}} line downFor in milliseconds, 0 while live
 * @returns {null | "reconnecting" | "offline" | "protocol"}
 */
export function bannerFor({ state, online, downFor }) {
  if (state === "final") return "protocol";
  if (state === "live") return null;
  if (!online || downFor > LONG) return "offline";
  return downFor > SHORT ? "reconnecting" : null;
}

export class Banner {
  /** @type {string | null} */
  #name = null;
  /** @type {HTMLElement | null} */
  #shown = null;
  #since = new Date();
  #fixed = false;

  /** @param {HTMLElement} room main.room @param {import("./socket.js").Socket} socket */
  constructor(room, socket) {
    this.room = room;
    this.socket = socket;
    this.calendar = new Calendar(document.documentElement.lang, words());
  }

  start() {
    const look = () => this.#look();
    for (const name of ["online", "offline"]) window.addEventListener(name, look);
    this.socket.on("state", look);
    setInterval(look, TICK);
  }

  /** The room has everything again. */
  back() {
    if (this.#fixed || (this.#name !== "reconnecting" && this.#name !== "offline")) return;
    this.#show("back");
    setTimeout(() => this.#name === "back" && this.#show(null), BACK);
  }

  /** The room is no longer the reader's; nothing about the line matters here any more. @param {string} reason */
  removed(reason) {
    this.#fixed = true;
    this.#show("removed");
    for (const which of ["left", "deleted", "removed"]) {
      const words = this.#shown?.querySelector(`[data-reason-${which}]`);
      if (words) words.hidden = which !== reason;
    }
  }

  #look() {
    if (this.#fixed) return;
    const { state, downSince } = this.socket;
    const name = bannerFor({ state, online: navigator.onLine, downFor: downSince === null ? 0 : Date.now() - downSince });
    document.documentElement.dataset.line = name ?? "live";
    if (name === null) {
      // the words go when the room has caught up (`back`), not before
      if (this.#name !== null && this.#name !== "back" && state === "live") return;
      if (this.#name === "back") return;
    }
    if (name !== this.#name) this.#show(name);
  }

  #show(name) {
    if (this.#name === null && name !== null) this.#since = new Date(this.socket.downSince ?? Date.now());
    this.#name = name;
    this.#shown?.remove();
    this.#shown = name === null ? null : shape(`tpl-${name}`);
    if (!this.#shown) return;
    const since = this.#shown.querySelector("[data-since]");
    if (since) {
      since.dateTime = this.#since.toISOString();
      since.textContent = this.calendar.clock(this.#since);
    }
    this.#shown.querySelector("[data-try-now]")?.addEventListener("click", () => this.socket.now());
    this.#shown.querySelector("[data-reload]")?.addEventListener("click", (event) => {
      event.preventDefault();
      location.reload();
    });
    const place = this.room.querySelector("[data-banners]");
    if (place) place.append(this.#shown);
    else this.room.querySelector(".timeline")?.before(this.#shown);
  }
}
