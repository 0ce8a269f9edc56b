// Messages can be changed: the ways to edit one, to delete it, and to what it said before. What is behind them is
// fetched when somebody goes there.

import { shape, words } from "../page.js";
import { seqOf } from "./rows.js";

const NOTE = 8_000;

/**
 * @param {object} by
 * @param {import("../feed.js").Feed} by.feed
 * @param {import("../session.js").Session} by.session
 * @param {HTMLTextAreaElement | null} by.box the message box
 * @returns {Record<string, import("./tools.js").Act>} what the tools of a message do
 */
export function wireChanges({ feed, session, box }) {
  const name = `chatapp:edit:${session.me}:${feed.room}`;
  const says = words("tpl-change-words");
  const note = noteIn(feed.element.querySelector("[data-banners]"));
  let changes = null;

  /** @param {(changes: import("../later/changes.js").Changes) => void} act */
  const go = async (act) => {
    changes ??= import("../later/changes.js").then((part) => new part.Changes({ feed, session, box, name, note }));
    let there;
    try {
      there = await changes;
    } catch {
      changes = null; // the next click tries again
      note(says.noLine);
      return;
    }
    act(there);
  };

  // up in an empty box: the last thing said, where that is on the page
  box?.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" || box.value !== "" || event.isComposing || event.keyCode === 229) return;
    if (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = feed.newest && feed.rows.numbered().findLast((row) => row.matches(".msg.is-own:not(.is-deleted)"));
    const age = (Date.now() - Date.parse(last ? last.querySelector("time").dateTime : "")) / 1000;
    if (!last || !(age < Number(says.within))) return;
    event.preventDefault();
    void go((there) => there.edit(seqOf(last)));
  });

  // in the room, and in the pane of a thread beside it
  feed.element.parentElement.addEventListener("click", (event) => {
    const mark = event.target instanceof Element ? event.target.closest("a.edited") : null;
    if (!mark || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void go((there) => there.showVersions(mark.href));
  });

  if (session.storage.getItem(name) !== null) void go((there) => there.goOn());
  return {
    edit: (_row, seq) => void go((there) => there.edit(seq)),
    delete: (row, seq) => void go((there) => there.remove(row, seq)),
  };
}

/** Says something for a moment. @param {HTMLElement | null} place */
function noteIn(place) {
  let shown = null;
  return (sentence) => {
    shown?.remove();
    const fresh = shape("tpl-note");
    if (!fresh) return;
    fresh.querySelector("[data-text]").textContent = sentence ?? "";
    place?.append(fresh);
    shown = fresh;
    setTimeout(() => fresh.remove(), NOTE);
  };
}
