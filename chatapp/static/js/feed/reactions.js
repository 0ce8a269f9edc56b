// Reactions under messages. Which are pressed is the reader's own; a tap shows at once, and the row that comes has the
// last word.
//
// 1. A tap says what is wanted, on or off: two taps, or two tabs, never undo each other by mistake.
// 2. Of one message and emoji one request is on its way; what was wanted last is asked for last.
// 3. A row names the first who reacted. Whether the reader is among the others is known from the page, from their own
//    taps, from the frame `mine`, and else asked for.

import { ask } from "./ask.js";
import { chips } from "./patch.js";
import { debounced, shape } from "../page.js";
import { seqOf } from "./rows.js";

const KNOWN_MOST = 1_000;
const ASK = 300;
const SPREAD = 2_000; // everybody comes back at once

/**
 * @typedef {{on: boolean, busy: boolean, until: number, home: import("../feed.js").Home}} Wish `until`: the room's number
 * that has it; `home`: where it was wished last
 */

export class Reactions {
  /** @type {Map<number, Set<string>>} what the reader has, by message */
  #own = new Map();
  /** @type {Map<string, Wish>} by number and emoji */
  #wishes = new Map();
  /** @type {Set<number>} */
  #unknown = new Set();
  #ask = debounced(ASK + Math.random() * SPREAD, () => void this.#askMine());
  #came = false;

  /** @param {object} by @param {import("../feed.js").Feed} by.feed @param {import("../session.js").Session} by.session */
  constructor({ feed, session }) {
    this.feed = feed;
    this.session = session;
  }

  /** @returns {Record<string, import("./tools.js").Act>} */
  start() {
    const { feed } = this;
    const { sheet } = feed;
    feed.addEventListener("rows", ({ detail }) => {
      for (const row of detail) row.querySelector(".reactions")?.setAttribute("data-came", "");
    });
    feed.addEventListener("arranged", () => {
      this.#dressAll();
      queueMicrotask(() => this.#settle());
    });
    feed.addEventListener("caughtup", () => {
      if (this.#came) this.#doubt();
      this.#came = true;
      this.#settle();
    });
    feed.socket.on("mine", (frame) => String(frame.room) === feed.room && this.#told(frame.seq, frame.reactions));
    sheet.addEventListener("submit", (event) => {
      const chip = event.submitter?.closest(".reaction[data-sign]");
      if (!chip) return;
      event.preventDefault();
      this.want(chip.closest(".msg"), chip.dataset.sign, chip.getAttribute("aria-pressed") !== "true");
    });
    sheet.addEventListener("click", (event) => {
      const add = event.target instanceof Element ? event.target.closest("a.reaction.add") : null;
      if (!add || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#more((more) => more.pick(add.closest(".msg"), add)).catch(() => location.assign(add.href));
    });
    const name = (event) => {
      const chip = event.target instanceof Element ? event.target.closest(".reaction[data-sign]:not([title])") : null;
      if (chip) this.#more((more) => more.name(chip)).catch(() => {});
    };
    sheet.addEventListener("pointerover", name, { passive: true });
    sheet.addEventListener("focusin", name);
    this.#dressAll();
    return {
      react: (row, _seq, _home, button) => void this.#more((more) => more.pick(row, button)).catch(() => {}),
      who: (_row, seq, home) => void this.#more((more) => more.who(seq, home)).catch(() => {}),
    };
  }

  /** The reader wants a reaction, or not any more. @param {HTMLElement} row @param {string} sign @param {boolean} on */
  want(row, sign, on) {
    const seq = seqOf(row);
    const name = `${seq} ${sign}`;
    const wish = this.#wishes.get(name) ?? { busy: false };
    Object.assign(wish, { on, until: Infinity, home: this.feed.homeOf(row) ?? this.feed });
    this.#wishes.set(name, wish);
    this.#draw(seq);
    if (!wish.busy) void this.#send(seq, sign, wish);
  }

  async #send(seq, sign, wish) {
    const asked = wish.on;
    wish.busy = true;
    const answer = await ask(wish.home, this.session, `messages/${seq}/react`, { emoji: sign, on: String(asked) });
    wish.busy = false;
    if (answer && wish.on !== asked) {
      void this.#send(seq, sign, wish);
      return;
    }
    if (answer) wish.until = answer.seq;
    else this.#wishes.delete(`${seq} ${sign}`);
    this.#settle();
    this.#draw(seq);
  }

  /** Wishes whose change is on the page are over. */
  #settle() {
    for (const [name, wish] of this.#wishes) {
      if (wish.busy || wish.until > this.feed.log.seq) continue;
      const [seq, sign] = name.split(" ");
      this.#wishes.delete(name);
      const own = this.#of(Number(seq));
      if (wish.on) own.add(sign);
      else own.delete(sign);
      this.#draw(Number(seq));
    }
  }

  #of(seq) {
    let own = this.#own.get(seq);
    if (!own) this.#own.set(seq, (own = new Set()));
    return own;
  }

  #dressAll() {
    for (const list of this.feed.sheet.querySelectorAll(".reactions:not([data-dressed])")) this.#dress(list);
    if (this.#own.size > KNOWN_MOST) {
      for (const seq of this.#own.keys()) if (!this.feed.copies(seq).length) this.#own.delete(seq);
    }
  }

  #dress(list) {
    const seq = seqOf(list.closest(".msg"));
    const raw = "came" in list.dataset;
    const before = this.#own.get(seq);
    const own = new Set();
    for (const chip of chips(list)) {
      const { sign } = chip.dataset;
      chip.dataset.total ??= chip.querySelector("[data-count]").textContent;
      const by = chip.dataset.by.split(" ");
      const mine = by.includes(this.feed.me);
      const crowded = Number(chip.dataset.total) > by.length;
      if (!mine && crowded && raw && !before) this.#wonder(seq);
      if (mine || (crowded && (raw ? before?.has(sign) : chip.getAttribute("aria-pressed") === "true"))) own.add(sign);
    }
    this.#own.set(seq, own);
    list.dataset.dressed = "";
    this.#draw(seq);
  }

  #wonder(seq) {
    this.#unknown.add(seq);
    this.#ask();
  }

  #doubt() {
    for (const chip of chips(this.feed.sheet)) {
      if (Number(chip.dataset.total) > chip.dataset.by.split(" ").length) this.#wonder(seqOf(chip.closest(".msg")));
    }
  }

  async #askMine() {
    const seqs = [...this.#unknown].slice(0, 100);
    this.#unknown.clear();
    try {
      const answer = await fetch(`/rooms/${this.feed.room}/mine?crowded=${seqs.join(",")}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const { reactions } = await answer.json();
      for (const [seq, signs] of Object.entries(reactions)) this.#told(Number(seq), signs);
    } catch {
      // the line is down; once it is back this is asked again
    }
  }

  #told(seq, signs) {
    this.#own.set(seq, new Set(signs));
    this.#draw(seq);
  }

  #draw(seq) {
    for (const row of this.feed.copies(seq)) this.#drawOn(row, seq);
  }

  /** The chips of a message: as the server counted, and what is wanted on top. */
  #drawOn(row, seq) {
    const wishes = [...this.#wishes].filter(([name]) => name.startsWith(`${seq} `)).map(([name, wish]) => [name.split(" ")[1], wish]);
    let list = row.querySelector(":scope > .msg-main > .reactions");
    const shown = new Map(list ? chips(list).map((chip) => [chip.dataset.sign, chip]) : []);
    const fresh = wishes.filter(([sign, wish]) => wish.on && !shown.has(sign));
    if (fresh.length > 0) list ??= this.#newList(row);
    for (const [sign] of fresh) shown.set(sign, newChip(list, sign));
    if (!list) return;
    const own = this.#own.get(seq);
    for (const [sign, chip] of shown) {
      const mine = own?.has(sign) ?? false;
      const on = wishes.find(([each]) => each === sign)?.[1].on ?? mine;
      const count = Number(chip.dataset.total) + Number(on) - Number(mine);
      chip.setAttribute("aria-pressed", String(on));
      chip.value = String(!on);
      chip.querySelector("[data-count]").textContent = String(Math.max(0, count));
      chip.closest("li").hidden = count <= 0;
    }
    list.hidden = !list.querySelector("li:not([hidden]) .reaction[data-sign]");
  }

  #newList(row) {
    const list = shape("tpl-reactions");
    list.dataset.dressed = "";
    list.querySelector("a").href = `/rooms/${this.feed.room}/messages/${row.dataset.seq}/reactions`;
    list.querySelector("form").action = `/rooms/${this.feed.room}/messages/${row.dataset.seq}/react`;
    list.firstElementChild.hidden = true;
    this.feed.homeOf(row).part(() => row.querySelector(".msg-body").after(list));
    return list;
  }

  /** What is seldom used is fetched when it is first asked for. */
  async #more(act) {
    const { ReactMore } = await import("../later/react-more.js");
    this.more ??= new ReactMore({ feed: this.feed, session: this.session, want: (row, sign) => this.want(row, sign, true) });
    return act(this.more);
  }
}

/** A chip for an emoji that nobody has chosen yet: one that is there, with another sign. */
function newChip(list, sign) {
  const item = list.firstElementChild.cloneNode(true);
  const chip = item.querySelector(".reaction");
  item.hidden = false;
  chip.removeAttribute("title");
  Object.assign(chip.dataset, { sign, by: "", total: "0" });
  item.querySelector("input").value = sign;
  chip.querySelector(".glyph").textContent = sign;
  const none = list.querySelector('[data-sign=""]')?.closest("li");
  list.lastElementChild.before(item);
  none?.remove();
  return chip;
}
