// What a row looks like to this reader: its local day and time, whether it is their own,
// and whether it goes on from the row above. The server sends one HTML for everybody.

import { dayKey } from "../time.js";
import { addCopyButtons } from "./copy.js";
import { shape } from "../page.js";

const TOGETHER = 5 * 60_000;

/** @type {WeakMap<Element, number>} */
const instants = new WeakMap();
/** @type {WeakSet<Element>} */
const dressed = new WeakSet();

/** @param {HTMLElement} row @returns {number} when it was stored (or written), in milliseconds; NaN when unknown */
function instantOf(row) {
  let at = instants.get(row);
  if (at === undefined) {
    at = Date.parse(row.querySelector("time")?.dateTime ?? "");
    instants.set(row, at);
  }
  return at;
}

/**
 * Brings the whole timeline into order: one section per local day, none twice, none empty,
 * and the classes of every row. Safe to repeat; nodes that are right are not touched.
 * @param {HTMLElement} inner
 * @param {HTMLElement[]} rows in order
 * @param {{me: string, calendar: import("../time.js").Calendar, now: Date}} reader
 */
export function arrange(inner, rows, { me, calendar, now }) {
  const today = dayKey(now);
  const sections = sectionsByDay(inner);
  let section = null;
  let day = "";
  let anchor = null; // the element the next row of this section follows
  let above = null; // the row above, when it is a message of the same day
  for (const row of rows) {
    const at = instantOf(row);
    // a clock that was wrong must not tear the order: a row is never on an earlier day than the one above
    const own = Number.isNaN(at) || (row.hidden && day) ? day || today : dayKey(new Date(at));
    if (section === null || own > day) {
      day = own;
      section = sections.get(day) ?? newSection(day);
      place(inner, section, anchor?.closest(".day") ?? null, row);
      anchor = section.querySelector(":scope > .day-label") ?? null;
      above = null;
    }
    if (anchor === null) section.prepend(row);
    else if (after(anchor) !== row) anchor.after(row);
    anchor = row;
    // what is new begins with its author's name
    above = group(row, row.previousElementSibling?.matches(".new-line") ? null : above);
    dress(row, me, calendar);
  }
  for (const found of inner.querySelectorAll(":scope > .day")) {
    if (found.querySelector(":scope > [data-seq]") === null) found.remove();
    else label(found, calendar, today);
  }
}

/** What follows a row, but for the line above what is new. @param {Element} row */
function after(row) {
  const next = row.nextElementSibling;
  return next?.matches(".new-line") ? next.nextElementSibling : next;
}

/** New words for the day lines, at midnight. */
export function relabel(inner, calendar, now) {
  for (const section of inner.querySelectorAll(":scope > .day")) label(section, calendar, dayKey(now));
}

/** Of two sections of one day (at the seam of two pages) the fuller one stays, so that fewer rows move. */
function sectionsByDay(inner) {
  const found = new Map();
  for (const section of inner.querySelectorAll(":scope > .day")) {
    const rival = found.get(section.dataset.day);
    if (!rival || rival.childElementCount < section.childElementCount) found.set(section.dataset.day, section);
  }
  return found;
}

function newSection(day) {
  const section = shape("tpl-day") ?? document.createElement("section");
  section.dataset.day = day;
  return section;
}

function place(inner, section, after, row) {
  if (after !== null) {
    const follows = after.compareDocumentPosition(section) & Node.DOCUMENT_POSITION_FOLLOWING;
    if (!section.isConnected || !follows) after.after(section);
  } else if (!section.isConnected) {
    const root = row.closest(".day") ?? row;
    inner.insertBefore(section, root.parentElement === inner ? root : null);
  }
}

function label(section, calendar, today) {
  const time = section.querySelector(":scope > .day-label time");
  if (!time) return;
  const words = calendar.dayWords(section.dataset.day, today);
  if (time.textContent !== words) time.textContent = words;
  if (time.dateTime !== section.dataset.day) time.dateTime = section.dataset.day;
}

function dress(row, me, calendar) {
  if (dressed.has(row)) return;
  dressed.add(row);
  if (row.matches(".msg")) {
    row.classList.toggle("is-own", row.dataset.by === me);
    row.classList.toggle("is-mention", row.dataset.by !== me && named(row, me));
    addCopyButtons(row);
  }
  for (const time of row.querySelectorAll("time")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    time.textContent = time.dataset.long === undefined ? calendar.clock(date) : calendar.moment(date);
    time.title = calendar.title(date);
  }
}

/** Marks where a message names its reader, or everybody (0: in the room, -1: who was present). templating.py does the same. */
function named(row, me) {
  const mentions = row.querySelectorAll(`.msg-body .mention:is([data-user="${CSS.escape(me)}"], [data-user="0"], [data-user="-1"])`);
  for (const mention of mentions) mention.classList.add("me");
  return mentions.length > 0;
}

/** @returns {HTMLElement | null} the row, when the next one may go on from it */
function group(row, above) {
  if (row.hidden) return above;
  if (!row.matches(".msg")) return null;
  const follows =
    above !== null && row.dataset.reply === undefined && row.dataset.by !== "" && above.dataset.by === row.dataset.by &&
    Math.abs(instantOf(row) - instantOf(above)) <= TOGETHER;
  row.classList.toggle("is-follow", follows);
  row.classList.toggle("is-lead", !follows);
  return row;
}
