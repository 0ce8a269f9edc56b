// Links to messages of this room: one that is on the page is shown without loading anything, and the address names it.
// From an answer to what it answers there is a way back: the browser's own, or a button that says so.

import { seqOf } from "./rows.js";
import { shape } from "../page.js";

const BACK = "chatapp:way-back";

/** @param {import("../feed.js").Feed} feed */
export function wireJumps(feed) {
  const { room, timeline } = feed;
  const foot = feed.element.querySelector(":scope > .room-foot");
  let offer = null;

  feed.element.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    const to = link && numberIn(link, room);
    if (!to || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const row = feed.rows.bySeq(to);
    const isShown = row !== null && !row.hidden;
    if (isShown) event.preventDefault();
    if (link.matches(".timeline .reply-ref")) leave(link.closest("[data-seq]"), to, isShown);
    else if (isShown) history.replaceState(history.state, "", link.href);
    if (isShown) show(to);
  });
  window.addEventListener("popstate", ({ state }) => {
    withdraw();
    if (state?.key) show(state.from, feed.rows.byKey(state.key));
    else if (state?.to) show(state.to);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && offer?.contains(document.activeElement)) withdraw();
  });

  const left = remembered();
  if (left?.room === room && location.hash === `#m-${left.to}`) {
    propose(() => location.assign(`/rooms/${room}?around=${left.from}#m-${left.from}`));
    feed.rows.bySeq(left.to)?.focus({ preventScroll: true });
  }
  remember(null);

  /** The page that the link leads to offers the way back: to a row by its key, since it may have no number yet. */
  function leave(row, to, isShown) {
    const from = seqOf(row);
    if (isShown) {
      history.replaceState({ ...history.state, from, key: row.dataset.key }, "");
      history.pushState({ to }, "", `#m-${to}`);
      propose(() => history.back());
    } else if (from) remember({ room, from, to });
  }

  function show(seq, row = feed.rows.bySeq(seq)) {
    if (!row) {
      if (seq) location.assign(`/rooms/${room}?around=${seq}#m-${seq}`);
      return;
    }
    timeline.querySelector(".is-target")?.classList.remove("is-target");
    row.classList.add("is-target");
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
  }

  /** @param {() => void} go */
  function propose(go) {
    withdraw();
    offer = shape("tpl-way-back");
    if (!offer || !foot) return;
    offer.addEventListener("click", () => {
      withdraw();
      go();
    });
    foot.prepend(offer);
  }

  function withdraw() {
    offer?.remove();
    offer = null;
  }
}

/** Which message of a room a link leads to. @param {HTMLAnchorElement} link @param {string} room @returns {number | null} */
function numberIn(link, room) {
  if (link.dataset.to) return Number(link.dataset.to);
  const url = new URL(link.href);
  const here = url.origin === location.origin && url.pathname === `/rooms/${room}`;
  return here ? Number(url.searchParams.get("around")) || null : null;
}

/** @param {{room: string, from: number, to: number} | null} way */
function remember(way) {
  try {
    if (way) sessionStorage.setItem(BACK, JSON.stringify(way));
    else sessionStorage.removeItem(BACK);
  } catch {
    // no memory: the browser's own way back is left
  }
}

function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(BACK) ?? "null");
  } catch {
    return null;
  }
}
