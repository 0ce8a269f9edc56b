// The unsent words of all rooms: those that an earlier page could not store are told to the server, those of the open
// room are its composer's, and the list of rooms shows where there are some.

import { Draft } from "./draft.js";
import { shape } from "./page.js";

const MOST = 100_000; // a pasted book stays in the box, not on the device

export class Drafts {
  /** By room: the open one, and those that wait to be stored. @type {Map<string, Draft>} */
  #drafts = new Map();
  #tab = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  /**
   * @param {object} by
   * @param {import("./socket.js").Socket} by.socket
   * @param {import("./session.js").Session} by.session
   * @param {import("./unread.js").Unread} by.unread
   */
  constructor({ socket, session, unread }) {
    this.socket = socket;
    this.session = session;
    this.unread = unread;
    this.prefix = `chatapp:draft:${session.me}:`;
  }

  start() {
    this.socket.on("hello", () => this.#tellAll());
    this.socket.on("draft", ({ room, ...stored }) => this.#heard(String(room), stored));
    this.socket.on("removed", ({ room }) => this.#drop(String(room)));
    // the list was drawn afresh: what only this device knows is not in it
    this.unread.addEventListener("changed", () => {
      for (const [room, draft] of this.#drafts) if (!draft.isSaved) mark(room, draft.text);
    });
  }

  /**
   * The draft of a room; of the open one, with the box it stands in.
   * @param {string} room
   * @param {{show: (text: string) => void, quiet: () => number}} [box]
   * @returns {Draft}
   */
  of(room, box) {
    const draft = new Draft({
      tab: this.#tab,
      send: (frame) => this.session.isOwner() && this.socket.send({ type: "draft", room: Number(room), ...frame }),
      record: this.#record(room),
      ...box,
    });
    draft.addEventListener("changed", () => mark(room, draft.text));
    this.#drafts.set(room, draft);
    return draft;
  }

  /** Words that stay on this device: of a box that has no draft at the server. */
  onDevice(name, box) {
    return new Draft({ tab: this.#tab, send: () => false, record: this.#record(name), ...box });
  }

  #tellAll() {
    const { storage } = this.session;
    const names = Array.from({ length: storage.length }, (_, index) => storage.key(index));
    for (const name of names) {
      const room = name?.startsWith(this.prefix) ? name.slice(this.prefix.length) : "";
      if (/^\d+$/.test(room) && !this.#drafts.has(room)) this.of(room).start(null, null);
    }
    for (const draft of this.#drafts.values()) draft.back();
  }

  #heard(room, stored) {
    mark(room, stored.body);
    this.#drafts.get(room)?.heard(stored);
  }

  /** Whoever is no member any more has no draft there. What is in an open box may be copied. */
  #drop(room) {
    this.#drafts.get(room)?.end();
    this.#drafts.delete(room);
    this.#record(room).remove();
  }

  #record(room) {
    const { session } = this;
    const { storage } = session;
    const name = this.prefix + room;
    return {
      get: () => read(storage.getItem(name)),
      // not after this account has signed out in another tab: then nothing of it may stay
      put(record) {
        if (!session.isOwner()) return;
        if (record.text.length > MOST) storage.removeItem(name);
        else {
          try {
            storage.setItem(name, JSON.stringify(record));
          } catch {
            // a full device: the text is still in the box
          }
        }
      },
      remove: () => storage.removeItem(name),
    };
  }
}

/** @param {string | null} kept also as an earlier version kept it: the text alone */
function read(kept) {
  if (kept === null) return null;
  try {
    const { text, base, tabs } = JSON.parse(kept);
    if (typeof text === "string" && Number.isSafeInteger(base) && Array.isArray(tabs)) return { text, base, tabs };
  } catch {
    // text
  }
  return { text: kept, base: 0, tabs: [] };
}

/** The list of rooms shows where there is a draft. @param {string} room @param {string} text */
function mark(room, text) {
  const row = document.querySelector(`#side-rooms-list .side-row[data-room="${CSS.escape(room)}"]`);
  const old = row?.querySelector("[data-draft-mark]");
  if (text === "") old?.remove();
  else if (row && !old) row.querySelector(".label")?.after(shape("tpl-draft-mark") ?? "");
}
