// Sends what the store holds, and knows nothing of how it looks.
//
// 1. A message leaves the store only when the server has answered: stored, or refused for good.
// 2. Per room one at a time, in the order written; the next one waits for the answer.
// 3. One tab drains a room (Web Locks). Where there are no locks (plain http on a LAN
//    address) every tab may: the same key sent twice is stored once, and since each of
//    them waits for the answer to the first before the second, the order holds too.
// 4. Nothing is sent for an account that is not the one signed in.
// 5. What waited for hours is not sent unasked.
//
// Events: "added" with the entry; "stored" with {key, seq}; "failed" with the entry;
// "removed" with the key; "way" when another way to the server opened or closed; "flow" when
// `flows` may have changed.

import { Backoff } from "./backoff.js";
import { bytes } from "./limits.js";
import { Pace } from "./pace.js";

const ANSWER = 15_000;
const TOO_OLD = 2 * 60 * 60_000;
const MESSAGE_TOO_BIG = 1009;
const FRAME_BYTES = 64 * 1024;
export const TOO_LONG = "too_long";
const FAILED_HANDSHAKES = 3;
const UNREADABLE = "frame_invalid";
const LATE = "late";
const REPLY_GONE = "reply_gone";
const NOT_NOW = [401, 408, 425, 429];

/** @typedef {{outcome: "ack", seq: number} | {outcome: "refused", code: string, message: string}
 *   | {outcome: "busy", retryAfter: number} | {outcome: "later"}} Outcome */

export class Outbox extends EventTarget {
  /** @type {Map<string, (outcome: Outcome) => void>} who waits for the answer to which key */
  #asking = new Map();
  #draining = new Set();
  #pace = new Pace();
  #httpFails = false;

  /**
   * @param {object} by
   * @param {import("./outbox-store.js").OutboxStore} by.store
   * @param {import("./socket.js").Socket} by.socket
   * @param {import("./session.js").Session} by.session
   */
  constructor({ store, socket, session }) {
    super();
    this.store = store;
    this.socket = socket;
    this.session = session;
  }

  start() {
    const { socket } = this;
    socket.on("ack", (frame) => this.#answered(frame.key, { outcome: "ack", seq: frame.seq }));
    socket.on("refused", (frame) => this.#answered(frame.key, { ...frame, outcome: "refused" }));
    socket.on("busy", (frame) => this.#answered(frame.key, { outcome: "busy", retryAfter: frame.retry_after }));
    socket.on("unknown", (frame) => this.#answered(frame.key, { outcome: "later" }));
    socket.on("error", (frame) => this.#misunderstood(frame));
    socket.on("closed", (code) => this.#lineLost(code));
    socket.on("state", () => this.#wayChanged());
    window.addEventListener("online", () => this.#wayChanged());
    window.addEventListener("storage", () => this.#drainAll());
    this.store.sweep();
    this.#drainAll();
  }

  /** Whether there is anything to try. */
  get hasWay() {
    return this.socket.live || this.#byHttp;
  }

  /** Whether messages leave, as far as is known: what a person is told. */
  get flows() {
    return this.socket.live || (this.#byHttp && !this.#httpFails);
  }

  get #mayDrain() {
    return this.hasWay && this.session.isOwner();
  }

  get #byHttp() {
    return this.socket.failedHandshakes >= FAILED_HANDSHAKES && navigator.onLine && this.socket.state !== "final";
  }

  /**
   * @param {string} room @param {string} body
   * @param {{key?: string, reply?: import("./answering.js").Quote | null, files?: object[]}} [how] `reply`: what it
   *   answers; `files`: as the server told of them
   * @returns {boolean} false when the store is full: the text is the caller's
   */
  add(room, body, { key = newKey(), reply, files } = {}) {
    const entry = this.store.add({ key, room, body, reply: reply ?? undefined, files });
    if (entry === null) return false;
    this.#say("added", entry);
    this.#drainAll();
    return true;
  }

  /**
   * A refused message was not stored, so another attempt is another message. One that only
   * waited too long may have been stored before its answer was lost: it keeps its key.
   * @param {string} key
   */
  retry(key) {
    const entry = this.store.get(key);
    if (!entry) return;
    this.discard(key);
    const { code } = entry.failed ?? {};
    // what it answered is not there: the words are sent without it
    const reply = code === REPLY_GONE ? null : entry.reply;
    this.add(entry.room, entry.body, { key: code === LATE ? key : newKey(), reply, files: entry.files });
  }

  /** @param {string} key */
  discard(key) {
    this.store.remove(key);
    this.#say("removed", key);
  }

  /** The message was seen among the room's rows: as good as an answer. @param {string} key @param {number} seq */
  seen(key, seq) {
    if (this.store.get(key)) this.#answered(key, { outcome: "ack", seq });
  }

  #wayChanged() {
    this.#say("way");
    this.#say("flow");
    this.#drainAll();
  }

  #drainAll() {
    if (!this.#mayDrain) return;
    for (const room of this.store.waitingRooms()) if (!this.#draining.has(room)) this.#drain(room);
  }

  async #drain(room) {
    this.#draining.add(room);
    try {
      await this.#alone(room, () => this.#empty(room));
    } finally {
      this.#draining.delete(room);
    }
    // something may have been added between the last look and the end of the turn
    if (this.#mayDrain && this.store.head(room)) this.#drain(room);
  }

  #alone(room, work) {
    const { locks } = navigator;
    return locks ? locks.request(`chatapp-outbox:${this.store.user}:${room}`, work) : work();
  }

  async #empty(room) {
    const backoff = new Backoff();
    for (let entry; this.#mayDrain && (entry = this.store.head(room)); ) {
      if (Date.now() - entry.at > TOO_OLD) {
        this.#settle(entry.key, { outcome: "refused", code: LATE, message: "" });
        continue;
      }
      await this.#pause(this.#pace.take());
      const outcome = this.socket.live ? await this.#overSocket(entry) : await this.#overHttp(entry);
      if (outcome.outcome === "busy") await this.#pause(outcome.retryAfter * 1000 * (1 + Math.random() / 4));
      else if (outcome.outcome === "later") await this.#pause(backoff.closed());
      else this.#settle(entry.key, outcome);
    }
  }

  /** @returns {Promise<Outcome>} */
  #overSocket(entry) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer({ outcome: "later" }), ANSWER);
      const answer = (outcome) => {
        clearTimeout(timer);
        this.#asking.delete(entry.key);
        resolve(outcome);
      };
      this.#asking.set(entry.key, answer);
      const { room, key, body, reply } = entry;
      const frame = { type: "post", room: Number(room), key, body, reply: reply?.seq, files: ids(entry) };
      // the line would end, and break before its 1009 could be read: then nobody knew why
      if (bytes(JSON.stringify(frame)) > FRAME_BYTES) answer({ outcome: "refused", code: TOO_LONG, message: "" });
      else if (!this.socket.send(frame)) answer({ outcome: "later" });
    });
  }

  /** Where sockets do not get through. @returns {Promise<Outcome>} */
  async #overHttp(entry) {
    const { room, key, body, reply } = entry;
    try {
      const answer = await fetch(`/rooms/${room}/messages`, {
        method: "POST",
        headers: { Accept: "application/json" },
        body: new URLSearchParams({ key, body, reply: reply?.seq ?? "", files: ids(entry)?.join(" ") ?? "" }),
        credentials: "same-origin",
        signal: AbortSignal.timeout(ANSWER),
      });
      this.#httpTried(answer.status >= 500);
      if (this.session.sentToSignIn(answer)) return { outcome: "later" };
      const said = await answer.json().catch(() => null);
      if (said?.outcome === "busy") return { outcome: "busy", retryAfter: said.retry_after };
      if (said?.outcome === "ack" || said?.outcome === "refused") return said;
      // a proxy's refusal has no words of ours, and repeating it for ever would not change it
      const final = answer.status >= 400 && answer.status < 500 && !NOT_NOW.includes(answer.status);
      return final ? { outcome: "refused", code: String(answer.status), message: "" } : { outcome: "later" };
    } catch {
      this.#httpTried(true);
      return { outcome: "later" };
    }
  }

  #httpTried(failed) {
    this.#httpFails = failed;
    this.#say("flow");
  }

  #answered(key, outcome) {
    const asking = this.#asking.get(key);
    if (asking) asking(outcome);
    // an answer that came too late for its question is an answer all the same
    if (outcome.outcome === "ack" || (asking === undefined && outcome.outcome === "refused")) this.#settle(key, outcome);
  }

  #settle(key, outcome) {
    const entry = this.store.get(key);
    if (!entry) return;
    if (outcome.outcome === "ack") {
      this.store.remove(key);
      this.#say("stored", { key, seq: outcome.seq });
    } else {
      this.#say("failed", this.store.fail(key, { code: outcome.code, message: outcome.message }));
    }
  }

  /** A frame the server cannot read is not read better the tenth time. Without a key it can only be the one that waits. */
  #misunderstood({ code, message }) {
    if (code !== UNREADABLE || this.#asking.size !== 1) return;
    const [[key]] = this.#asking;
    this.#answered(key, { outcome: "refused", code, message });
  }

  #lineLost(code) {
    // the one thing that is too big for the line must not be sent at every reconnect
    const outcome = code === MESSAGE_TOO_BIG
      ? { outcome: "refused", code: TOO_LONG, message: "" }
      : { outcome: "later" };
    for (const answer of [...this.#asking.values()]) answer(outcome);
  }

  /** Ends early when the way changes: a new line is worth an attempt at once. */
  #pause(wait) {
    if (wait <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.removeEventListener("way", done);
        resolve();
      };
      const timer = setTimeout(done, wait);
      this.addEventListener("way", done);
    });
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @returns {string[] | undefined} */
function ids({ files }) {
  return files?.map((file) => file.id);
}

/** @returns {string} a random UUID; randomUUID itself is missing on plain http outside localhost */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
