// A room's page: who tells whom.

import { Answering } from "./answering.js";
import { Banner } from "./banner.js";
import { Composer } from "./composer.js";
import { Feed } from "./feed.js";
import { Members } from "./presence.js";
import { OutboxView } from "./outbox-view.js";
import { Reactions } from "./feed/reactions.js";
import { Typing } from "./typing.js";
import { wireCompletion } from "./completing.js";
import { wireComposerTools } from "./composer-tools.js";
import { wireChanges } from "./feed/changes.js";
import { wireCopy } from "./feed/copy.js";
import { wireJumps } from "./feed/jump.js";
import { wireKeys } from "./feed/keys.js";
import { wireRoomHead } from "./sidebar.js";
import { Bookmarks } from "./feed/bookmarks.js";
import { pinning } from "./feed/pins.js";
import { wireThreads } from "./feed/threads.js";
import { wireTools } from "./feed/tools.js";
import { wireUnread } from "./feed/unread.js";

const RELOADED = "chatapp:reloaded";
const RELOAD_APART = 10_000;
const LEAVE_AFTER = 1_500;
const REMOVED = 4403;

/**
 * @param {object} by
 * @param {HTMLElement} by.element main.room
 * @param {import("./session.js").Session} by.session
 * @param {import("./socket.js").Socket} by.socket
 * @param {import("./outbox.js").Outbox} by.outbox
 * @param {import("./unread.js").Unread} by.unread
 * @param {import("./drafts.js").Drafts} by.drafts
 */
export function openRoom({ element, session, socket, outbox, unread, drafts }) {
  const feed = new Feed({ element, me: session.me, socket, reload: () => reloadSoon(session) });
  const { room } = feed;
  const form = element.querySelector("form[data-composer]");
  const composer = form && new Composer({
    form, room, drafts,
    send: (body, files) => {
      const taken = outbox.add(room, body, { reply: answering?.quote, files });
      if (taken) answering?.sent();
      // an old window cannot show it; the newest page draws it from the outbox
      if (taken && !feed.newest) location.assign(`/rooms/${room}`);
      return taken;
    },
  });
  const answering = composer && new Answering({ form, box: composer.box, room, session });
  const banner = new Banner(element, socket);

  feed.addEventListener("caughtup", () => banner.back());
  feed.addEventListener("gone", ({ detail }) => leave(detail));
  socket.on("closed", (code) => code === REMOVED && leave("removed"));
  outbox.addEventListener("flow", () => composer?.hintWaiting(!outbox.flows));

  const reactions = new Reactions({ feed, session }).start();
  const bookmarks = new Bookmarks({ feed, session }).start();
  const markUnread = wireUnread({ feed, unread, outbox }); // before rows are moved
  feed.start();
  composer?.start();
  answering?.start();
  if (composer) wireCompletion({ box: composer.box, list: element.querySelector("[data-completion]"), room });
  if (composer) wireComposerTools({ form, box: composer.box, session });
  banner.start();
  new OutboxView({ outbox, feed, focus: () => composer?.focus() }).start();
  wireRoomHead(feed, session);
  new Members({ element, room, socket }).start();
  new Typing({ element, room, socket, box: composer?.box ?? null }).start();
  const answer = (row) => answering?.answer(row);
  const changes = wireChanges({ feed, session });
  const acts = { unread: markUnread, answer, ...changes, ...reactions, ...pinning(session), ...bookmarks };
  const thread = wireThreads({ feed, session, outbox, drafts, acts });
  wireTools(feed, { ...acts, thread });
  wireJumps(feed);
  wireCopy(feed.sheet);
  feed.sheet.addEventListener("click", openInPage);
  wireKeys(feed.timeline, composer?.box ?? null, { r: answer, t: thread });

  function leave(reason) {
    banner.removed(reason);
    composer?.close();
    // who still has words here may take them along first
    const unsent = composer?.text.trim() || outbox.store.inRoom(room).length > 0;
    if (!unsent) setTimeout(() => location.assign("/rooms"), LEAVE_AFTER);
  }
}

/** Pictures and texts; without what shows them here they open by their addresses. */
function openInPage(event) {
  const link = event.target.closest("a[data-view]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  import("./later/gallery.js").then((gallery) => gallery.open(link), () => location.assign(link.href));
}

/** The server asks for a fresh page. A page that comes stale from somewhere must not make a loop. */
function reloadSoon(session) {
  let last = 0;
  try {
    last = Number(sessionStorage.getItem(RELOADED)) || 0;
    sessionStorage.setItem(RELOADED, String(Date.now()));
  } catch {
    // no memory: then the wait is always the long one
    last = Date.now();
  }
  setTimeout(() => session.reload(), Math.max(0, last + RELOAD_APART - Date.now()));
}
