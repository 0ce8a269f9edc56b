// Messages can be changed: the ways to edit one, to delete it, and to what it said before. What is behind them is
// fetched when somebody goes there.

import { seqOf } from "./rows.js";
import { tell } from "./ask.js";
import { words } from "../page.js";

/**
 * @param {object} by
 * @param {import("../feed.js").Feed} by.feed
 * @param {import("../session.js").Session} by.session
 * @returns what the tools of a message do; `up`: for the box of a place; `goOn`: for a place that rows have come to
 */
export function wireChanges({ feed, session }) {
  const name = `chatapp:edit:${session.me}:${feed.room}`;
  const says = words("tpl-change-words");
  let changes = null;

  /** @param {(changes: import("../later/changes.js").Changes) => void} act @param {import("../feed.js").Home} [home] */
  const go = async (act, home = feed) => {
    changes ??= import("../later/changes.js").then((part) => new part.Changes({ feed, session, name }));
    let there;
    try {
      there = await changes;
    } catch {
      changes = null; // the next click tries again
      tell(home, "tpl-note", says.noLine);
      return;
    }
    act(there);
  };

  /** Up in an empty box: the last thing said, where that is on the page. @param {import("../feed.js").Home} home */
  const up = (home) => home.box?.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" || home.box.value !== "" || event.isComposing || event.keyCode === 229) return;
    if (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = home.newest && home.rows.numbered().findLast((row) => row.matches(".msg.is-own:not(.is-deleted)"));
    const age = (Date.now() - Date.parse(last ? last.querySelector("time").dateTime : "")) / 1000;
    if (!last || !(age < Number(says.within))) return;
    event.preventDefault();
    void go((there) => there.edit(seqOf(last), home), home);
  });
  up(feed);

  // in the room, and in the pane of a thread beside it
  feed.sheet.addEventListener("click", (event) => {
    const mark = event.target instanceof Element ? event.target.closest("a.edited") : null;
    if (!mark || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const home = feed.homeOf(mark);
    void go((there) => there.showVersions(mark.href, home), home);
  });

  const goOn = () => {
    if (session.storage.getItem(name) !== null) void go((there) => there.goOn());
  };
  // a pane that came with the page asks for itself: it may be where the edit was
  if (!document.getElementById("thread")) goOn();
  return {
    edit: (_row, seq, home) => void go((there) => there.edit(seq, home), home),
    delete: (row, seq, home) => void go((there) => there.remove(row, seq, home), home),
    up,
    goOn,
  };
}
