// What the message that is being written answers: a strip above the box. Kept on the device with the draft, and shown
// again after a reload; sent with the message.

import { shape, words } from "./page.js";

const TEXT_MOST = 140;

/** @typedef {{seq: number, by: string, name: string, text: string}} Quote */

export class Answering {
  /** @type {HTMLElement | null} */
  #strip = null;
  /** @type {Quote | null} */
  #quote = null;

  /**
   * @param {object} by
   * @param {HTMLFormElement} by.form
   * @param {HTMLTextAreaElement} by.box
   * @param {string} by.room
   * @param {import("./session.js").Session} by.session
   */
  constructor({ form, box, room, session }) {
    this.form = form;
    this.box = box;
    this.session = session;
    this.name = `chatapp:answering:${session.me}:${room}`;
  }

  start() {
    const { form } = this;
    // what the server drew was asked for by an address or a form, which is newer than what was kept
    const drawn = form.querySelector("[data-answering]");
    this.#show(drawn ? quoteOf(drawn) : kept(this.session.storage.getItem(this.name)));
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#quote || event.defaultPrevented) return;
      event.preventDefault();
      this.stop();
    });
    form.addEventListener("click", (event) => {
      if (!(event.target instanceof Element) || !event.target.closest("[data-stop]")) return;
      event.preventDefault();
      this.stop();
    });
  }

  /** @returns {Quote | null} */
  get quote() {
    return this.#quote;
  }

  /** @param {HTMLElement} row the message to answer */
  answer(row) {
    this.#show(quoting(row));
    this.box.focus();
  }

  /** The words stay; they answer nothing any more. */
  stop() {
    this.#show(null);
    this.box.focus();
  }

  /** It was sent. */
  sent() {
    this.#show(null);
  }

  /** @param {Quote | null} quote */
  #show(quote) {
    this.#quote = quote;
    this.form.querySelector("[data-answering]")?.remove();
    this.#keep();
    const strip = quote && shape("tpl-answering");
    if (!strip) return;
    strip.querySelector("[name=reply]").value = String(quote.seq);
    strip.querySelector("[data-name]").textContent = quote.name;
    strip.querySelector("[data-text]").textContent = quote.text || words().gone;
    this.form.prepend(strip);
  }

  #keep() {
    const { storage } = this.session;
    if (!this.session.isOwner()) return;
    try {
      if (this.#quote) storage.setItem(this.name, JSON.stringify(this.#quote));
      else storage.removeItem(this.name);
    } catch {
      // a full device: the strip lasts as long as the page
    }
  }
}

/** A message as an answer to it quotes it, until the server's own words come. @param {HTMLElement} row @returns {Quote} */
export function quoting(row) {
  const text = row.dataset.quotable ?? row.querySelector(".msg-body")?.textContent.replace(/\s+/g, " ").trim() ?? "";
  return {
    seq: Number(row.dataset.seq),
    by: row.dataset.by ?? "",
    name: row.querySelector(".msg-author")?.textContent ?? "",
    text: text.length > TEXT_MOST ? `${text.slice(0, TEXT_MOST - 1).trimEnd()}…` : text,
  };
}

/** @param {HTMLElement} strip as the server drew it @returns {Quote} */
function quoteOf(strip) {
  return {
    seq: Number(strip.querySelector("[name=reply]").value),
    by: strip.dataset.by ?? "",
    name: strip.querySelector("[data-name]").textContent,
    text: strip.querySelector("[data-text]").textContent,
  };
}

/** @param {string | null} text @returns {Quote | null} */
function kept(text) {
  try {
    const quote = JSON.parse(text ?? "null");
    return Number.isSafeInteger(quote?.seq) && typeof quote.name === "string" && typeof quote.text === "string" ? quote : null;
  } catch {
    return null;
  }
}
