// The call's words with the server: coming in, coming back after a broken line, going out.
//
// The room is watched like everywhere else, since only who is up to date with it may be in its call.
// Media does not need this line: it goes on while the line is away.

import { hasEnded } from "../calls.js";

const AGAIN = 3_000; // after a refusal that will pass
const RENEW = 8 * 60_000; // servers' credentials are good for ten minutes

/**
 * Events: "call" with the frame, "joined" with {id, ice, session}, "over" with why, "refused" with {code, message},
 * "away" when the line broke while in the call.
 */
export class CallLine extends EventTarget {
  #cursor;
  #watching = false;
  #wanted = false;
  #timer = 0;
  id = "";

  /**
   * @param {object} by
   * @param {HTMLElement} by.element main.call
   * @param {import("../socket.js").Socket} by.socket
   */
  constructor({ element, socket }) {
    super();
    this.room = Number(element.dataset.room);
    this.#cursor = element.dataset.cursor;
    this.socket = socket;
  }

  start() {
    const { socket } = this;
    const here = (act) => (frame) => frame.room === this.room && act(frame);
    socket.on("hello", () => this.#watch());
    socket.on("state", (state) => state !== "live" && this.#lost());
    socket.on("changes", here((frame) => this.#changes(frame)));
    socket.on("watching", here(() => this.#came()));
    socket.on("reload", here(() => this.#afresh()));
    socket.on("removed", here(() => this.#end("removed")));
    socket.on("call", here((frame) => this.#tell("call", frame)));
    socket.on("call_joined", here(({ id, ice, session }) => {
      if (!this.#wanted) {
        this.leave(); // it was on its way when we changed our mind
        return;
      }
      this.id = id;
      this.#tell("joined", { id, ice, session });
    }));
    socket.on("call_over", here(({ reason }) => reason !== "left" && this.#over(reason)));
    socket.on("call_refused", here((frame) => this.#refused(frame)));
    setInterval(() => this.id && this.#join(), RENEW);
    window.addEventListener("pagehide", () => this.leave());
  }

  join() {
    this.#wanted = true;
    this.#join();
  }

  leave() {
    this.#wanted = false;
    clearTimeout(this.#timer);
    this.id = "";
    this.socket.send({ type: "call_leave", room: this.room });
  }

  #join() {
    clearTimeout(this.#timer);
    if (this.#wanted && this.#watching) this.socket.send({ type: "call_join", room: this.room, ...(this.id ? { id: this.id } : {}) });
  }

  #watch() {
    this.#watching = false;
    this.socket.send({ type: "watch", room: this.room, cursor: this.#cursor });
  }

  #lost() {
    if (this.#watching && this.id) this.#tell("away", null);
    this.#watching = false;
  }

  #came() {
    this.#watching = true;
    this.#join();
  }

  #changes({ from, seq, html }) {
    if (!this.id && hasEnded(html)) this.#tell("call", { started: null, people: [] });
    const at = this.#cursor.lastIndexOf(":");
    const number = Number(this.#cursor.slice(at + 1));
    if (from > number) this.#watch();
    else if (seq > number) this.#cursor = `${this.#cursor.slice(0, at)}:${seq}`;
  }

  /** Too much was missed to be told: the page as it is now says where to go on. */
  async #afresh() {
    try {
      const answer = await fetch(location.pathname, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main.call")?.dataset.cursor;
      if (fresh) this.#cursor = fresh;
      if (fresh && this.socket.live) this.#watch();
      else if (answer.ok) this.#end("removed");
    } catch {
      setTimeout(() => this.socket.live && this.#afresh(), AGAIN);
    }
  }

  /** Lost places are taken again: whoever is here wants to be in the call. */
  #over(reason) {
    if (reason === "lost" && this.#wanted) {
      this.#join();
      return;
    }
    this.#end(reason);
  }

  #end(reason) {
    const was = this.#wanted || this.id;
    this.#wanted = false;
    this.id = "";
    if (was || reason === "removed") this.#tell("over", reason);
  }

  #refused({ code, message }) {
    if (!this.#wanted) return;
    if (["busy", "too_many", "unknown_outcome", "not_watching"].includes(code)) {
      this.#timer = setTimeout(() => this.#join(), AGAIN * (0.5 + Math.random()));
      return;
    }
    this.#wanted = false;
    this.id = "";
    this.#tell("refused", { code, message });
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
