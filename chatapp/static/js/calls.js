// Calls as pages other than the call's own show them: which rooms have one, and who rings.

import { chime } from "./notices/chime.js";
import { shape } from "./page.js";

const RINGS = 30_000;
const CHIMES = 3_000;
const NAMED = 3;

/**
 * @param {object} by
 * @param {import("./socket.js").Socket} by.socket
 * @param {string} by.me
 */
export function wireCalls({ socket, me }) {
  /** @type {Map<string, number>} how many are in the calls that were told of */
  const sizes = new Map();
  const draw = () => {
    for (const [room, count] of sizes) drawRow(room, count);
  };
  const list = document.getElementById("side-rooms-list")?.parentElement;
  if (list) new MutationObserver(draw).observe(list, { childList: true });

  const ring = new Ringing(socket);
  const take = ({ room, people }) => {
    sizes.set(String(room), people.length);
    drawRow(String(room), people.length);
    drawRoom(String(room), people);
    if (people.length === 0 || people.some((person) => String(person.user) === me)) ring.end(room);
  };
  socket.on("call", take);
  socket.on("changes", ({ room, html }) => hasEnded(html) && take({ room, people: [] }));
  socket.on("ring", (frame) => ring.begin(frame));
  socket.on("ring_over", ({ room, user }) => String(user) === me && ring.end(room));
}

/** Who is in a call, in few words; the macro call_names writes the same. @param {{name: string}[]} people @returns {string} */
export function namesOf(people) {
  const names = people.slice(0, NAMED).map((person) => person.name).join(", ");
  return people.length > NAMED ? `${names} +${people.length - NAMED}` : names;
}

/** Whether the last word of some rows about a call is that it has ended. @param {string} html @returns {boolean} */
export function hasEnded(html) {
  const last = html.lastIndexOf('data-kind="call_ended"');
  return last >= 0 && html.indexOf('data-kind="call"', last) < 0;
}

function drawRow(room, count) {
  const live = document.querySelector(`#side-rooms-list .side-row[data-room="${CSS.escape(room)}"] [data-live]`);
  if (!live) return;
  live.toggleAttribute("hidden", count === 0);
  live.querySelector("[data-count]").textContent = String(count);
}

function drawRoom(room, people) {
  const page = document.querySelector(`main.room[data-room="${CSS.escape(room)}"]`);
  if (!page) return;
  const is = people.length > 0;
  const link = page.querySelector("[data-call-link]");
  link?.querySelector("[data-start]").toggleAttribute("hidden", is);
  link?.querySelector("[data-join]").toggleAttribute("hidden", !is);
  const old = page.querySelector("[data-call-banner]");
  if (!is) {
    old?.remove();
    return;
  }
  const banner = old ?? shape("tpl-call-banner");
  const text = namesOf(people);
  const place = banner?.querySelector("[data-people]");
  if (place && place.textContent !== text) place.textContent = text;
  if (banner && !old) page.querySelector("[data-banners]")?.prepend(banner);
}

class Ringing {
  #room = 0;
  #timer = 0;
  #sound = 0;

  constructor(socket) {
    this.dialog = document.getElementById("ring");
    this.socket = socket;
    this.dialog?.querySelector("[data-decline]").addEventListener("click", () => this.#decline());
    this.dialog?.querySelector("[data-accept]").addEventListener("click", () => this.end(this.#room));
    this.dialog?.addEventListener("cancel", () => this.#decline());
  }

  begin({ room, room_name: roomName, name }) {
    if (!this.dialog || this.dialog.open) return; // one at a time: the other sees that nobody comes
    this.#room = room;
    this.dialog.querySelector("[data-name]").textContent = name;
    this.dialog.querySelector("[data-room-name]").textContent = roomName;
    const accept = this.dialog.querySelector("[data-accept]");
    accept.href = `/rooms/${room}/call`;
    accept.target = `call-${room}`;
    this.dialog.showModal();
    this.#timer = setTimeout(() => this.end(room), RINGS);
    const sound = () => document.hidden || chime();
    sound();
    this.#sound = setInterval(sound, CHIMES);
  }

  end(room) {
    if (room !== this.#room) return;
    clearTimeout(this.#timer);
    clearInterval(this.#sound);
    this.#room = 0;
    if (this.dialog?.open) this.dialog.close();
  }

  #decline() {
    this.socket.send({ type: "ring_over", room: this.#room });
    this.end(this.#room);
  }
}
