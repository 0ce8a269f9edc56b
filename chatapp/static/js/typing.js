// Who writes just now: tells it of this tab, and shows the others above the message box.

import { words } from "./page.js";

const APART = 1_000;
const LAST = 5_000;
const NAMED = 3;
const SAID_APART = 5_000; // for screen readers

/**
 * What the line says. Its parts in order: text, or the place of a name as its index.
 * @param {number} count @param {DOMStringMap} said @returns {(string | number)[]}
 */
export function sentence(count, said) {
  if (count === 0) return [];
  const forms = [said.writesOne, said.writesTwo, said.writesThree];
  const form = (count > NAMED ? said.writesMany : forms[count - 1]) ?? "";
  return form.split(/(%\d)/).filter(Boolean).map((part) => (/^%\d$/.test(part) ? Number(part[1]) - 1 : part));
}

export class Typing {
  /** By id. @type {Map<string, {name: string, timer: number}>} */
  #writers = new Map();
  #toldAt = -Infinity;
  #telling = 0;
  #saidAt = -Infinity;
  #saying = 0;

  /**
   * @param {object} by
   * @param {HTMLElement} by.element main.room
   * @param {string} by.room
   * @param {import("./socket.js").Socket} by.socket
   * @param {HTMLTextAreaElement | null} by.box
   */
  constructor({ element, room, socket, box }) {
    this.line = element.querySelector("[data-typing]");
    this.room = room;
    this.socket = socket;
    this.box = box;
  }

  start() {
    this.box?.addEventListener("input", () => this.#tell());
    const here = (act) => (frame) => String(frame.room) === this.room && act(frame);
    this.socket.on("typing", here((frame) => this.#writes(String(frame.user), frame.name)));
    this.socket.on("changes", here((frame) => this.#wrote(frame.html)));
    this.socket.on("presence", here((frame) => {
      for (const [id, state] of Object.entries(frame.people)) if (state === "offline") this.#stops(id);
    }));
  }

  /** After each key; one that comes too soon is told of later, if there is text then. */
  #tell() {
    clearTimeout(this.#telling);
    if (this.box.value.trim() === "") return;
    const wait = this.#toldAt + APART - Date.now();
    if (wait > 0) this.#telling = setTimeout(() => this.#tell(), wait);
    else if (this.socket.send({ type: "typing", room: Number(this.room) })) this.#toldAt = Date.now();
  }

  #writes(id, name) {
    clearTimeout(this.#writers.get(id)?.timer);
    this.#writers.set(id, { name, timer: setTimeout(() => this.#stops(id), LAST) });
    this.#draw();
  }

  /** A message of theirs is here. */
  #wrote(html) {
    for (const id of [...this.#writers.keys()]) if (html.includes(`data-by="${id}"`)) this.#stops(id);
  }

  #stops(id) {
    clearTimeout(this.#writers.get(id)?.timer);
    if (this.#writers.delete(id)) this.#draw();
  }

  #draw() {
    const names = [...this.#writers.values()].map((writer) => writer.name);
    const parts = sentence(names.length, words("tpl-presence"));
    const dots = this.line?.querySelector(".dots");
    if (dots) dots.hidden = parts.length === 0;
    this.line?.querySelector("[data-names]")?.replaceChildren(...parts.map((part) => (typeof part === "number" ? bold(names[part]) : part)));
    clearTimeout(this.#saying);
    this.#saying = setTimeout(() => this.#say(), Math.max(0, this.#saidAt + SAID_APART - Date.now()));
  }

  /** The same in words only, seldom enough not to disturb. */
  #say() {
    const said = this.line?.querySelector("[data-said]");
    const text = this.line?.querySelector("[data-names]")?.textContent ?? "";
    if (!said || said.textContent === text) return;
    this.#saidAt = Date.now();
    said.textContent = text;
  }
}

/** @param {string} name */
function bold(name) {
  const b = document.createElement("b");
  b.append(document.createElement("bdi"));
  b.firstElementChild.textContent = name;
  return b;
}
