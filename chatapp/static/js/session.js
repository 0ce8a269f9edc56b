// Whose browser this is. What people wrote stays on the device only for the account
// that wrote it: it survives an expired session, not a sign-out, and not the next person.

import { removeWhere } from "./storage.js";

const OWNER = "chatapp:me";
const LEAVING = "chatapp:leaving";
const ANSWER = 5_000;
const PRIVATE = /^chatapp:(?:outbox|draft|answering|edit|emoji):([^:]*):/;

export class Session {
  #leaving = false;
  #submittedAt = -Infinity;

  /** @param {Storage} storage @param {string | null} me account id, null on signed-out pages */
  constructor(storage, me) {
    this.storage = storage;
    this.me = me;
  }

  start() {
    if (this.me !== null) {
      // whoever was here before: gone from the device before anything of theirs could be shown
      removeWhere(this.storage, (name) => name !== OWNER && PRIVATE.test(name) && PRIVATE.exec(name)[1] !== this.me);
      this.storage.setItem(OWNER, this.me);
    } else if (tab(LEAVING)) this.#wipe();
    tab(LEAVING, "");
    window.addEventListener("submit", (event) => {
      if (!event.defaultPrevented) this.#submittedAt = Date.now();
      const path = event.target instanceof HTMLFormElement ? new URL(event.target.action).pathname : "";
      if (path === "/sign-out" || path === "/sign-out-everywhere") this.#wipe();
      // a wrong password keeps the account, so this waits for the page that comes after
      if (path === "/settings/delete-account") tab(LEAVING, "1");
    });
    document.addEventListener("htmx:before:response", (event) => {
      // the sign-in page must never land inside an element of this one
      if (this.sentToSignIn(event.detail.ctx.response.raw)) event.preventDefault();
    });
    window.addEventListener("storage", (event) => {
      if (event.key === OWNER && event.newValue !== this.me && this.me !== null) this.#ownerChanged(event.newValue);
    });
    window.addEventListener("pageshow", (event) => {
      if (event.persisted && !this.isOwner() && this.me !== null) this.reload();
    });
  }

  /** Nothing may be stored or sent for an account that has signed out in another tab. */
  isOwner() {
    return this.storage.getItem(OWNER) === this.me;
  }

  /** The server does not know us any more. Comes back to this page afterwards. */
  signIn() {
    if (this.#leaving) return;
    // A form is on its way, and it may be what ended the session (sign-out, a new password).
    // Going elsewhere now would throw away the answer, and with it the new cookie.
    if (Date.now() - this.#submittedAt < ANSWER) {
      setTimeout(() => this.signIn(), ANSWER);
      return;
    }
    this.#leaving = true;
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  }

  /** @param {Response} answer @returns {boolean} whether it says that the session is over; if so the page goes */
  sentToSignIn(answer) {
    const over = isSignIn(answer);
    if (over) this.signIn();
    return over;
  }

  reload() {
    if (this.#leaving) return;
    this.#leaving = true;
    location.reload();
  }

  /** Whether the session is dead, asked the cheapest way. @returns {Promise<boolean>} */
  async isDead() {
    try {
      const signal = AbortSignal.timeout(ANSWER);
      return isSignIn(await fetch("/sidebar", { method: "HEAD", cache: "no-store", credentials: "same-origin", signal }));
    } catch {
      return false; // no line, or one that swallows, says nothing about the session
    }
  }

  #ownerChanged(owner) {
    if (owner === null) this.signIn();
    else this.reload();
  }

  #wipe() {
    this.storage.removeItem(OWNER);
    removeWhere(this.storage, (name) => PRIVATE.test(name));
  }
}

/** This tab's own memory, which browsers may forbid. @param {string} name @param {string} [value] */
function tab(name, value) {
  try {
    if (value) sessionStorage.setItem(name, value);
    else if (value === "") sessionStorage.removeItem(name);
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

/** @param {Response} answer @returns {boolean} */
function isSignIn(answer) {
  return answer.status === 401 || (answer.redirected && new URL(answer.url).pathname === "/sign-in");
}
