// What can be done with a message: one group of buttons, which goes to the row the pointer or the focus is on.

import { shape } from "../page.js";
import { seqOf } from "./rows.js";

/**
 * @typedef {import("../feed.js").Home} Home
 * @typedef {(row: HTMLElement, seq: number, home: Home, button: HTMLElement) => void} Act
 */

/**
 * @param {Home} home
 * @param {Record<string, Act>} acts by the buttons' data-act
 * @returns {HTMLElement | null}
 */
export function wireTools(home, acts) {
  const tools = shape("tpl-tools");
  if (!tools) return null;
  const { room, rows, timeline } = home;
  const menu = tools.querySelector("[popover]");
  // one of its own in each place
  tools.querySelector("[popovertarget]").popoverTargetElement = menu;
  const all = {
    link: (row, seq) => void import("../later/copy.js").then((part) => part.copyLink(room, seq), () => {}),
    report: (row, seq) => location.assign(`/rooms/${room}/messages/${seq}/report`),
    ...acts,
  };
  const show = (event) => {
    const row = event.target instanceof Element ? event.target.closest(".msg") : null;
    // a row that changes does not take them from the one that the reader is at
    if (rows.replacing && tools.isConnected) return;
    if (!row || Number.isNaN(seqOf(row)) || tools.parentElement === row || menu?.matches(":popover-open")) return;
    fit(tools, row, home.me);
    row.append(tools);
  };
  timeline.addEventListener("pointerover", show, { passive: true });
  timeline.addEventListener("focusin", show);
  tools.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-act]") : null;
    const act = button?.dataset.act;
    const row = tools.closest(".msg");
    if (!act || !row) return;
    if (menu?.matches(":popover-open")) menu.hidePopover();
    all[act]?.(row, seqOf(row), home, button);
  });
  menu?.addEventListener("beforetoggle", () => {
    const row = tools.closest(".msg");
    if (row) fit(tools, row, home.me); // it may have changed
  });
  menu?.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...menu.querySelectorAll("button:not([hidden])")];
    items.at((items.indexOf(document.activeElement) + step) % items.length)?.focus();
  });
  return tools;
}

/** Only what this message allows. */
function fit(tools, row, me) {
  const whose = row.dataset.by === me ? "own" : "other"; // a row that has just come wears no class yet
  const deleted = row.matches(".is-deleted");
  const age = (Date.now() - Date.parse(row.querySelector("time")?.dateTime ?? "")) / 1000;
  for (const button of tools.querySelectorAll("button")) {
    const { for: author = whose, within = Infinity, needs } = button.dataset;
    const fits = author === whose && age <= Number(within) && (!needs || row.matches(needs));
    button.hidden = !fits || (deleted && !("deleted" in button.dataset));
  }
}
