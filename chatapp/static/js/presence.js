// Who is here. Tells the server whether somebody is before this tab, and shows what it says of the others.
//
// The frames of a room are enough to know everybody in it: a whole one first, then what is other than before.
// Of a huge room they name only some; then the server's list is asked for, now and then.

import { words } from "./page.js";

const IDLE = 5 * 60_000;
const HIDDEN = 5_000; // a quick look elsewhere is not absence
const TICK = 1_000;
const ASK_APART = 30_000;
const SPREAD = 3_000; // everybody in the room hears at once; they need not all ask at once
const INPUT = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "focus"];

/** @typedef {"online" | "away" | "offline"} State */

/**
 * Whether somebody is before a tab.
 * @param {{now: number, inputAt: number, hiddenAt: number | null}} seen milliseconds
 * @returns {"here" | "away"}
 */
export function stateOf({ now, inputAt, hiddenAt }) {
  const hidden = hiddenAt !== null && now - hiddenAt > HIDDEN;
  return hidden || now - inputAt > IDLE ? "away" : "here";
}

/** Tells the server, and the footer of the sidebar. @param {import("./socket.js").Socket} socket */
export function wirePresence(socket) {
  let inputAt = Date.now();
  let hiddenAt = document.hidden ? Date.now() : null;
  let said = "";
  const look = () => {
    const state = stateOf({ now: Date.now(), inputAt, hiddenAt });
    if (state !== said && socket.send({ type: "presence", state })) said = state;
    showOwn(socket.live ? said : "");
  };
  for (const name of INPUT) {
    window.addEventListener(name, () => {
      inputAt = Date.now();
      if (said === "away") look();
    }, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => {
    hiddenAt = document.hidden ? Date.now() : null;
    if (!document.hidden) inputAt = Date.now();
    look();
  });
  socket.on("hello", () => {
    said = "";
    look();
  });
  socket.on("closed", look);
  setInterval(look, TICK);
}

/** @param {string} said here, away, or nothing when nobody hears of it */
function showOwn(said) {
  const footer = document.querySelector(".side-me[data-online]");
  if (!(footer instanceof HTMLElement)) return;
  const state = { here: "online", away: "away" }[said] ?? "";
  mark(footer, state, footer.dataset[state] ?? "");
}

/** @param {Element} row of somebody @param {string} state "" for unknown @param {string} word for who does not see it */
function mark(row, state, word) {
  const avatar = row.querySelector(".avatar");
  if (avatar instanceof HTMLElement && (avatar.dataset.presence ?? "") !== state) {
    if (state) avatar.dataset.presence = state;
    else delete avatar.dataset.presence;
  }
  write(row.querySelector("[data-word]"), word);
}

/** Nothing is touched that says it already: what watches for changes would never rest. */
function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** @param {Element} element @param {boolean} hidden */
function hide(element, hidden) {
  if (element instanceof HTMLElement && element.hidden !== hidden) element.hidden = hidden;
}

/** The pane and the button of a room's members. */
export class Members {
  /** Who is not offline. @type {Map<string, State>} */
  #states = new Map();
  /** @type {number | null} null: nobody can tell */
  #here = null;
  #away = 0;
  #heard = false;
  /** Whether people are present of whom no frame spoke. */
  #partial = false;
  #askedAt = Date.now(); // the page has just been drawn
  #asking = 0;

  /** @param {{element: HTMLElement, room: string, socket: import("./socket.js").Socket}} by */
  constructor({ element, room, socket }) {
    this.button = element.querySelector(".members-button");
    this.pane = document.getElementById("details");
    this.room = room;
    this.socket = socket;
  }

  start() {
    this.socket.on("presence", (frame) => String(frame.room) === this.room && this.#take(frame));
    // the server draws the list anew when somebody joins, and for a search: what it drew may be older than what we know
    if (this.pane) new MutationObserver(() => this.#draw()).observe(this.pane, { childList: true, subtree: true });
  }

  #take(frame) {
    const wasKnown = this.#here !== null || !this.#heard;
    if (frame.whole) {
      this.#states.clear();
      this.#partial = false;
    }
    for (const [id, state] of Object.entries(frame.people)) {
      if (state === "offline") this.#states.delete(id);
      else this.#states.set(id, state);
    }
    this.#here = frame.here;
    this.#away = frame.away ?? 0;
    this.#heard = true;
    if (frame.more) this.#partial = true;
    this.#draw();
    const list = this.#list();
    const isOther = list !== null && (list.querySelector("[data-group=unknown]") === null) !== (frame.here !== null);
    if (isOther || wasKnown !== (frame.here !== null)) this.#askSoon(0);
    else if (this.#here !== null && this.#misses(list)) this.#askSoon(this.#askedAt + ASK_APART - Date.now());
  }

  #list() {
    return this.pane?.querySelector("#members-list") ?? null;
  }

  /** Whether somebody who is present should be on the first page of the list, and is not. */
  #misses(list) {
    if (!(list instanceof HTMLElement) || list.dataset.q || list.dataset.page !== "1") return false;
    if (this.#partial) return true;
    const shown = (id) => list.querySelector(`#person-${CSS.escape(id)}`) !== null;
    return [...this.#states.keys()].some((id) => !shown(id));
  }

  /** @param {number} wait milliseconds, at least */
  #askSoon(wait) {
    if (this.#asking) return;
    this.#asking = setTimeout(() => {
      this.#asking = 0;
      this.#askedAt = Date.now();
      // a pane that nobody sees is drawn when it is opened or the page is loaded
      if (!document.hidden && this.pane?.checkVisibility()) document.body.dispatchEvent(new Event("refresh-members"));
    }, Math.max(0, wait) + Math.random() * SPREAD);
  }

  #draw() {
    if (!this.#heard) return;
    const here = this.button?.querySelector("[data-here]");
    if (here) {
      hide(here, this.#here === null);
      write(here.querySelector("[data-count]"), this.#here === null ? "" : this.#number(this.#here));
    }
    const list = this.#list();
    if (!(list instanceof HTMLElement)) return;
    write(this.button?.querySelector("[data-total]") ?? null, this.#number(Number(list.dataset.total)));
    for (const row of list.querySelectorAll("[data-person]")) this.#drawPerson(list, row);
    for (const group of list.querySelectorAll("[data-group]")) this.#drawGroup(list, group);
  }

  #drawPerson(list, row) {
    const group = row.closest("[data-group]");
    const drawn = group.dataset.group === "unknown" ? "" : group.dataset.group;
    const silent = this.#partial && drawn ? drawn : "offline";
    const state = this.#here === null ? "" : (this.#states.get(row.dataset.person) ?? silent);
    mark(row, state, words("tpl-presence")[state] ?? "");
    row.classList.toggle("is-away", state === "away" || state === "offline");
    const target = list.querySelector(`[data-group="${state}"] ul`);
    if (state && state !== drawn && target) target.insertBefore(row, this.#place(target, nameOf(row)));
  }

  #place(target, name) {
    return [...target.children].find((other) => nameOf(other) > name) ?? null;
  }

  #drawGroup(list, group) {
    const counts = { online: this.#here ?? 0, away: this.#away };
    counts.offline = Math.max(0, Number(list.dataset.total) - counts.online - counts.away);
    const count = counts[group.dataset.group];
    if (count === undefined) return;
    hide(group, group.querySelector("[data-person]") === null);
    hide(group.querySelector("h3"), this.#here === null); // then it is one list
    const said = this.#here === null || list.dataset.q ? "" : `, ${count}`;
    write(group.querySelector("[data-count]"), said);
  }

  #number(count) {
    return count.toLocaleString(document.documentElement.lang);
  }
}

/** What the server sorts by, nearly. @param {Element} row @returns {string} */
function nameOf(row) {
  return (row.querySelector("bdi")?.textContent ?? "").toLowerCase();
}
