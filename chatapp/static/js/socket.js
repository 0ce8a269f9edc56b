// The page's one line to the server.
//
// 1. At most one socket at a time; a given-up one is deaf, whatever it still says.
// 2. It never closes because the tab is hidden: the reader wants the news when back.
// 3. A handshake may hang and an open line may be dead without a word. Both are given up by the clock.
// 4. Attempts are never closer than a second apart, and spread by chance (backoff.js).
// 5. Final close codes end it. 4401 ends it too, unless the session turns out to be alive:
//    a changed password gives this browser a new one while old lines are cut.
//
// Events: "state" after every change of `state`; the type of each frame, with the frame
// as detail; "closed" with the close code; "probe" when the line should prove itself.

import { Backoff } from "./backoff.js";

const HANDSHAKE = 10_000;
const SILENCE = 35_000; // the server beats every 20 s
const STALE = 25_000;
const HIDDEN_LONG = 60_000;
const PROBE = 5_000;
const TICK = 1_000;
const PROTOCOL = 4400;
const NO_SESSION = 4401;
const REMOVED = 4403;

/** @typedef {"connecting" | "live" | "down" | "final"} LineState */

export class Socket extends EventTarget {
  /** @type {WebSocket | null} */
  #line = null;
  #timer = 0;
  #heardAt = 0;
  #startedAt = 0;
  #probedAt = 0;
  #hiddenAt = 0;
  #failedHandshakes = 0;

  /** @type {LineState} */
  state = "connecting";
  /** Since when there is no live line, null while there is one. */
  downSince = Date.now();

  /**
   * @param {object} by
   * @param {string} by.url
   * @param {() => Promise<boolean>} by.sessionIsDead
   * @param {() => void} by.signIn
   * @param {Backoff} [by.backoff]
   */
  constructor({ url, sessionIsDead, signIn, backoff = new Backoff() }) {
    super();
    this.url = url;
    this.sessionIsDead = sessionIsDead;
    this.signIn = signIn;
    this.backoff = backoff;
  }

  get live() {
    return this.state === "live";
  }

  /** Handshakes that failed one after another: three mean that sockets do not work here, or not now. */
  get failedHandshakes() {
    return this.#failedHandshakes;
  }

  start() {
    setInterval(() => this.#watchClock(), TICK);
    window.addEventListener("online", () => this.now());
    // not proof: this machine itself may be the server. The line is asked instead
    window.addEventListener("offline", () => this.live && this.#wake(true));
    window.addEventListener("pageshow", (event) => event.persisted && this.#wake(true));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.#hiddenAt = Date.now();
      else this.#wake(Date.now() - this.#hiddenAt > HIDDEN_LONG);
    });
    this.#connect();
  }

  /** @param {string} type @param {(frame: any) => void} listener */
  on(type, listener) {
    this.addEventListener(type, (event) => listener(event.detail));
  }

  /** @param {object} frame @returns {boolean} whether it went onto a live line */
  send(frame) {
    if (!this.live || this.#line?.readyState !== WebSocket.OPEN) return false;
    this.#line.send(JSON.stringify(frame));
    return true;
  }

  /** Try at once, as far as the second between attempts allows. */
  now() {
    if (this.state !== "down") return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), this.backoff.soonest());
  }

  #connect() {
    clearTimeout(this.#timer);
    this.backoff.tried();
    this.#startedAt = Date.now();
    this.#probedAt = 0;
    const line = new WebSocket(this.url);
    this.#line = line;
    this.#become("connecting");
    line.onmessage = (event) => this.#hear(event.data);
    line.onclose = (event) => this.#lost(event.code);
  }

  #hear(text) {
    this.#heardAt = Date.now();
    this.#probedAt = 0;
    const frame = JSON.parse(text);
    if (frame.type === "hello") {
      this.#failedHandshakes = 0;
      this.downSince = null;
      this.backoff.opened();
      this.#become("live");
    }
    this.dispatchEvent(new CustomEvent(frame.type, { detail: frame }));
  }

  #lost(code) {
    const wasLive = this.live;
    const line = this.#line;
    this.#line = null;
    if (line) line.onmessage = line.onclose = null;
    line?.close();
    if (!wasLive) this.#failedHandshakes += 1;
    if (this.downSince === null) this.downSince = Date.now();
    const wait = this.backoff.closed();
    this.#become(code === PROTOCOL || code === REMOVED ? "final" : "down");
    this.dispatchEvent(new CustomEvent("closed", { detail: code }));
    if (this.state === "final") return;
    // a refused handshake tells a script nothing, so at every third one the session is asked for by plain HTTP
    const doubt = code === NO_SESSION || (!wasLive && this.#failedHandshakes % 3 === 0);
    this.#timer = setTimeout(() => this.#retry(doubt), wait);
  }

  /** @param {boolean} doubt whether the session may be over */
  async #retry(doubt) {
    if (doubt && (await this.sessionIsDead())) this.signIn();
    else if (this.state === "down") this.#connect();
  }

  /** Timers rest in hidden and frozen tabs, so this compares with the clock instead of trusting one long timer. */
  #watchClock() {
    const now = Date.now();
    if (this.state === "connecting" && now - this.#startedAt > HANDSHAKE) this.#lost(1006);
    else if (this.live && now - this.#heardAt > SILENCE) this.#giveUp();
    else if (this.live && this.#probedAt && now - this.#probedAt > PROBE) this.#giveUp();
  }

  /** Back from sleep or from behind other tabs. @param {boolean} long */
  #wake(long) {
    const now = Date.now();
    if (this.state === "down") this.now();
    else if (this.state === "connecting" && now - this.#startedAt > HANDSHAKE) this.#giveUp();
    else if (this.live && (this.#line?.readyState !== WebSocket.OPEN || now - this.#heardAt > STALE)) this.#giveUp();
    else if (this.live && long) {
      this.#probedAt = now;
      this.dispatchEvent(new CustomEvent("probe"));
    }
  }

  /** The line is dead, though nobody said so: nothing to be polite about, the next one starts at once. */
  #giveUp() {
    this.#lost(1006);
    this.now();
  }

  #become(state) {
    if (this.state === state && state !== "connecting") return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}

/** @returns {string} the socket's address beside this page */
export function socketUrl() {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/ws`;
}
