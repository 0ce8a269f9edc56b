// Who is in the call, and who else of the room can be rung.

import { wear } from "../face.js";
import { shape, words } from "../page.js";

const RINGS = 30_000;
const SETTLES = 3_000; // within which everybody is told who is there: a conversation may be as new as its call

export class People {
  #ringing = new Map();
  #ringsUntil = 0;

  /**
   * @param {object} by
   * @param {HTMLElement} by.pane aside.details
   * @param {number} by.room
   * @param {string} by.me account id
   * @param {import("../socket.js").Socket} by.socket
   */
  constructor({ pane, room, me, socket }) {
    this.list = pane.querySelector("[data-in-call-list]");
    this.others = pane.querySelector("[data-others]");
    this.count = pane.querySelector("[data-in-call]");
    this.room = room;
    this.me = me;
    this.socket = socket;
    this.words = words("tpl-call-words");
    this.inside = new Set();
    this.joined = false;
    this.others.addEventListener("click", ({ target }) => {
      const row = target instanceof Element && target.closest("[data-ring]")?.closest("[data-user]");
      if (row) this.#ring(row);
    });
    socket.on("presence", (frame) => frame.room === room && this.#present(frame));
    socket.on("ring_over", (frame) => frame.room === room && this.#state(String(frame.user), this.words.declined));
  }

  /**
   * @param {import("./mesh.js").Person[]} people
   * @param {(id: string) => {mic: boolean, hand: boolean, screen: string} | undefined} stateOf
   * @param {boolean} joined whether this tab is in it, and so may ring
   */
  draw(people, stateOf, joined) {
    this.count.textContent = String(people.length);
    this.list.replaceChildren(...people.map((person) => this.#row(person, stateOf(person.id))));
    this.inside = new Set(people.map((person) => String(person.user)));
    this.joined = joined;
    this.#drawOthers();
  }

  #drawOthers() {
    for (const row of this.others.querySelectorAll("[data-user]")) {
      row.hidden = this.inside.has(row.dataset.user) || row.dataset.state === "offline";
      if (row.hidden) this.#state(row.dataset.user, "");
      row.querySelector("[data-ring]").disabled = !this.joined || this.#ringing.has(row.dataset.user);
    }
    this.others.parentElement.hidden = this.others.querySelector("[data-user]:not([hidden])") === null;
  }

  /** Only who is there can be rung; where nobody can tell, everybody. */
  #present({ here, people, whole }) {
    const before = this.#there();
    for (const row of this.others.querySelectorAll("[data-user]")) {
      const state = people[row.dataset.user] ?? (whole ? "offline" : row.dataset.state);
      row.dataset.state = here === null ? "unknown" : state;
      const avatar = row.querySelector(".avatar");
      if (here === null) delete avatar.dataset.presence;
      else avatar.dataset.presence = state;
    }
    this.#drawOthers();
    if (Date.now() > this.#ringsUntil) return;
    for (const row of this.#there()) if (!before.includes(row)) this.#ring(row);
  }

  #there() {
    return [...this.others.querySelectorAll("[data-user]:not([hidden])")];
  }

  #row({ user, name, hue, initials, avatar: face }, state) {
    const row = shape("tpl-in-call");
    const avatar = row.querySelector(".avatar");
    avatar.dataset.hue = String(hue);
    wear(avatar, initials, face);
    row.querySelector("[data-name]").textContent = String(user) === this.me ? `${name} (${this.words.you})` : name;
    const { mic = true, hand = false, screen = "" } = state ?? {};
    const said = [mic ? this.words.micOn : this.words.micOff, screen && this.words.sharing, hand && this.words.raised];
    row.querySelector("[data-words]").textContent = said.filter(Boolean).join(", ");
    row.querySelectorAll("svg")[mic ? 1 : 0].remove();
    return row;
  }

  /** Everybody who is there, or proves to be in a moment. */
  ringAll() {
    this.#ringsUntil = Date.now() + SETTLES;
    for (const row of this.#there()) this.#ring(row);
  }

  #ring(row) {
    const id = row.dataset.user;
    if (!this.socket.send({ type: "ring", room: this.room, user: Number(id) })) return;
    this.#ringing.set(id, setTimeout(() => this.#state(id, this.words.noAnswer), RINGS));
    row.querySelector("[data-ring]").disabled = true;
    row.querySelector("[data-ring-state]").textContent = this.words.ringing;
  }

  #state(id, text) {
    clearTimeout(this.#ringing.get(id));
    this.#ringing.delete(id);
    const row = this.others.querySelector(`[data-user="${CSS.escape(id)}"]`);
    if (!row) return;
    row.querySelector("[data-ring]").disabled = !this.joined;
    row.querySelector("[data-ring-state]").textContent = text;
  }
}
