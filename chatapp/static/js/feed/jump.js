// From an answer to what it answers, and back: by the browser's own history, or by a button that says so.

import { seqOf } from "./rows.js";
import { shape } from "../page.js";

const BACK = "chatapp:way-back";

/** @param {import("../feed.js").Feed} feed */
export function wireJumps(feed) {
  const { room, timeline } = feed;
  const foot = feed.element.querySelector(":scope > .room-foot");
  let offer = null;

  timeline.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a.reply-ref") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    const from = seqOf(link.closest("[data-seq]"));
    const to = Number(link.dataset.to);
    if (feed.rows.bySeq(to)) {
      event.preventDefault();
      history.replaceState({ ...history.state, from }, "");
      history.pushState({ to }, "", `#m-${to}`);
      show(to);
      propose(() => history.back());
    } else if (!Number.isNaN(from)) {
      // the page that the link leads to offers the way back
      remember({ room, from, to });
    }
  });
  window.addEventListener("popstate", ({ state }) => {
    withdraw();
    const seq = state?.from ?? state?.to;
    if (typeof seq === "number") show(seq);
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

  function show(seq) {
    const row = feed.rows.bySeq(seq);
    if (!row) {
      location.assign(`/rooms/${room}?around=${seq}#m-${seq}`);
      return;
    }
    timeline.querySelector(".is-found")?.classList.remove("is-found");
    row.classList.add("is-found");
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
