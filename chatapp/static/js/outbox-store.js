// Messages that are written but not yet stored by the server, kept on the device.
//
// 1. Each entry is a storage item of its own: two tabs that write at once cannot
//    overwrite each other, as they would in one shared list.
// 2. Entries belong to an account. Those of another account are never read.
// 3. Per room they come out in the order they were written.
// 4. There is a bound; `add` answers false when it is reached, and the caller keeps the text.

import { bytes } from "./limits.js";

export const MAX_ENTRIES = 200;
export const MAX_BYTES = 1024 * 1024;
const KEEP_FAILED = 7 * 24 * 60 * 60_000;
const PREFIX = "chatapp:outbox:";

/**
 * @typedef {object} Entry
 * @property {string} key the message's own name: a resend with the same key is stored once
 * @property {string} user
 * @property {string} room
 * @property {string} body
 * @property {number} at when it was written; also its place in the queue
 * @property {import("./answering.js").Quote} [reply] what it answers
 * @property {{id: string, name: string, kind: string, size: number, width: number, height: number}[]} [files]
 * @property {{code: string, message: string}} [failed] why the server will not have it
 */

export class OutboxStore {
  /** @param {Storage} storage @param {string} user @param {() => number} [now] */
  constructor(storage, user, now = Date.now) {
    this.storage = storage;
    this.user = user;
    this.now = now;
  }

  #name(key) {
    return `${PREFIX}${this.user}:${key}`;
  }

  /** @returns {Entry[]} all of this account, oldest first */
  all() {
    const mine = this.#name("");
    const found = [];
    for (let index = 0; index < this.storage.length; index += 1) {
      const name = this.storage.key(index);
      const entry = name?.startsWith(mine) ? read(this.storage.getItem(name)) : null;
      if (entry && entry.user === this.user) found.push(entry);
    }
    return found.sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
  }

  /** Refused ones of rooms that nobody opens any more would fill the store unseen; after a week they go. */
  sweep() {
    for (const entry of this.all()) {
      if (entry.failed && this.now() - entry.at > KEEP_FAILED) this.remove(entry.key);
    }
  }

  /** @param {string} room @returns {Entry[]} */
  inRoom(room) {
    return this.all().filter((entry) => entry.room === room);
  }

  /** @param {string} key @returns {Entry | null} */
  get(key) {
    return read(this.storage.getItem(this.#name(key)));
  }

  /** The one to send next. A refused one waits for a decision and holds nobody up. @param {string} room @returns {Entry | null} */
  head(room) {
    return this.inRoom(room).find((entry) => !entry.failed) ?? null;
  }

  /** @returns {string[]} rooms with something to send */
  waitingRooms() {
    return [...new Set(this.all().filter((entry) => !entry.failed).map((entry) => entry.room))];
  }

  /**
   * @param {{key: string, room: string, body: string, reply?: object, files?: object[]}} message as in an entry
   * @returns {Entry | null} null: no room for it, nothing was changed
   */
  add(message) {
    const { body } = message;
    const all = this.all();
    const used = all.reduce((sum, entry) => sum + bytes(entry.body), 0);
    if (all.length >= MAX_ENTRIES || used + bytes(body) > MAX_BYTES) return null;
    // strictly growing, so that two messages of one millisecond (or a clock set back) keep their order
    const at = Math.max(this.now(), (all.at(-1)?.at ?? 0) + 1);
    const entry = { ...message, user: this.user, at };
    return this.#write(entry) ? entry : null;
  }

  /** @param {string} key @param {{code: string, message: string}} why @returns {Entry | null} */
  fail(key, why) {
    const entry = this.get(key);
    if (entry === null) return null;
    const failed = { ...entry, failed: why };
    // a device too full for two more words: without the old item there is room
    if (!this.#write(failed)) {
      this.remove(key);
      this.#write(failed);
    }
    return failed;
  }

  /** @param {string} key */
  remove(key) {
    this.storage.removeItem(this.#name(key));
  }

  #write(entry) {
    try {
      this.storage.setItem(this.#name(entry.key), JSON.stringify(entry));
      return true;
    } catch {
      return false; // the device's own limit is another way of being full
    }
  }
}

/** Whether a storage item is an outbox entry, for listeners. @param {string | null} name */
export function isOutboxItem(name) {
  return name !== null && name.startsWith(PREFIX);
}

/** @param {string | null} text @returns {Entry | null} what another version or a stranger wrote is passed over */
function read(text) {
  try {
    const entry = JSON.parse(text ?? "null");
    const whole = ["key", "user", "room", "body"].every((field) => typeof entry?.[field] === "string");
    const answers = entry?.reply === undefined || Number.isSafeInteger(entry.reply?.seq);
    return whole && answers && typeof entry.at === "number" ? entry : null;
  } catch {
    return null;
  }
}
