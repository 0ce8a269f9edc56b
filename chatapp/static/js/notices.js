// Notices of what comes while a window is open: a pop-up and, where wanted, a sound.
//
// 1. One tab speaks for all of a browser: the one that holds the lock; when it goes, the next gets it.
// 2. A moment passes first. Whoever reads meanwhile, in any window or on any device, hears nothing.
// 3. The server says what a notice tells, and whether it is quiet just now; the worker shows it, one for each room,
//    the same one that a push would show.
// 4. What has been read, here or elsewhere, is withdrawn.

import { chime } from "./notices/chime.js";

const HOLD = 1_500;
const LOCK = "chatapp:notices";
const TOLD = "chatapp:told";
const LETTING = 200;
export const POPUPS = "chatapp:popups"; // "off" on this device
export const SOUND = "chatapp:sound"; // "on" on this device

export class Notices {
  #elected = false;
  /** @type {Map<string, number>} rooms that wait, by timer */
  #held = new Map();
  /** @type {Map<string, number>} mentions last heard of, by room */
  #mentions = new Map();

  /**
   * @param {object} by
   * @param {import("./socket.js").Socket} by.socket
   * @param {import("./unread.js").Unread} by.unread
   * @param {Storage} by.storage
   */
  constructor({ socket, unread, storage }) {
    this.socket = socket;
    this.unread = unread;
    this.storage = storage;
  }

  start() {
    for (const row of rows()) this.#mentions.set(row.dataset.room, Number(row.dataset.mentions));
    navigator.locks?.request(LOCK, () => {
      this.#elected = true;
      this.#withdraw(rows().filter((row) => row.dataset.unread === "0").map((row) => row.dataset.room));
      return new Promise(() => {}); // for as long as the tab lives
    }).catch(() => {});
    this.socket.on("news", ({ room, rows }) => {
      const others = rows === null || rows.some((row) => row[1] !== this.unread.me);
      if (others && this.unread.of(String(room))?.notify === "all") this.#hold(String(room));
    });
    this.unread.addEventListener("unread", ({ detail: { room, unread, mentions } }) => {
      const rose = mentions > (this.#mentions.get(room) ?? 0);
      this.#mentions.set(room, mentions);
      if (rose && this.unread.of(room)?.notify === "mentions") this.#hold(room);
      if (unread === 0) this.#withdraw([room]);
    });
  }

  /** What somebody is owed in a room now. @param {string} room @returns {number} */
  #owed(room) {
    const state = this.unread.of(room);
    return state?.notify === "all" ? state.unread : state?.notify === "mentions" ? state.mentions : 0;
  }

  #hold(room) {
    if (this.#held.has(room)) return;
    this.#held.set(room, setTimeout(() => {
      this.#held.delete(room);
      if (this.#owed(room) > 0) this.#tell(room).catch(() => {}); // no line: the next one tells of it
    }, HOLD));
  }

  async #tell(room) {
    const popups = globalThis.Notification?.permission === "granted" && this.storage.getItem(POPUPS) !== "off";
    const sound = this.storage.getItem(SOUND) === "on";
    if (!(popups || sound) || !(await this.#speaks(room))) return;
    const answer = await fetch(`/rooms/${room}/notice`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { quiet, ...notice } = await answer.json();
    if (quiet || this.#owed(room) === 0) return;
    const shown = popups ? await this.#show({ ...notice, count: this.#owed(room) }) : !this.#looksAt(room);
    if (shown && sound) chime();
  }

  /** Whether it is this tab that tells. Without locks, whichever comes first: it leaves a mark for the others. */
  async #speaks(room) {
    if (navigator.locks) return this.#elected;
    await new Promise((done) => setTimeout(done, Math.random() * LETTING));
    const mark = `${room}:${this.unread.of(room)?.seq}`;
    if (this.storage.getItem(TOLD) === mark) return false;
    this.storage.setItem(TOLD, mark);
    return true;
  }

  #looksAt(room) {
    return document.hasFocus() && /^\/rooms\/(\d+)(?:\/threads\/\d+)?$/.exec(location.pathname)?.[1] === room;
  }

  /** @returns {Promise<boolean>} whether it was shown, and is a new one */
  async #show(notice) {
    const worker = (await navigator.serviceWorker?.getRegistration())?.active;
    if (!worker || this.#looksAt(String(notice.room))) return false;
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise((done) => {
      port1.onmessage = ({ data }) => done(data === true);
    });
    worker.postMessage({ type: "notice", notice }, [port2]);
    return answer;
  }

  async #withdraw(rooms) {
    if (rooms.length === 0) return;
    const worker = (await navigator.serviceWorker?.getRegistration())?.active;
    worker?.postMessage({ type: "read", rooms: rooms.map(Number) });
  }
}

/** @returns {HTMLElement[]} */
function rows() {
  return [...document.querySelectorAll("#side-rooms-list .side-row[data-room]")];
}
