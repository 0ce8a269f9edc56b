// The entry. Each page gets what it has the elements for; without any of this, pages,
// forms and links still work.

import { Outbox } from "./outbox.js";
import { OutboxStore } from "./outbox-store.js";
import { Session } from "./session.js";
import { Socket, socketUrl } from "./socket.js";
import { deviceStorage } from "./storage.js";
import { Drafts } from "./drafts.js";
import { wireCalls } from "./calls.js";
import { openRoom } from "./room.js";
import { wireDialogs } from "./dialogs.js";
import { wirePresence } from "./presence.js";
import { wireShortcuts } from "./shortcuts.js";
import { Notices } from "./notices.js";
import { Unread } from "./unread.js";
import { zoneCookie } from "./time.js";

document.documentElement.classList.add("js");
const cookie = zoneCookie();
if (cookie) document.cookie = cookie;

wireDialogs(document);

const me = document.body.dataset.me ?? null;
const storage = deviceStorage();
const session = new Session(storage, me);
session.start();

if (me !== null) {
  const socket = new Socket({
    url: socketUrl(),
    sessionIsDead: () => session.isDead(),
    signIn: () => session.signIn(),
  });
  const outbox = new Outbox({ store: new OutboxStore(storage, me), socket, session });
  // another account's session in this browser's cookie: this page is not theirs
  socket.on("hello", (frame) => String(frame.user) !== me && session.reload());
  const unread = new Unread({ socket, me });
  unread.start();
  const drafts = new Drafts({ socket, session, unread });
  drafts.start();
  wirePresence(socket);
  wireShortcuts({ unread, session });
  new Notices({ socket, unread, storage }).start();
  const element = document.querySelector("main.room[data-room]");
  if (element) openRoom({ element, session, socket, outbox, unread, drafts });
  wireCalls({ socket, me });
  const call = document.querySelector("main.call[data-room]");
  if (call) (await import("./call/page.js")).openCall({ element: call, me, socket, storage });
  outbox.start();
  socket.start();
}

// What only some pages have.
const noticeSettings = document.querySelector("#notices[data-push-key]");
const has = (selector) => document.querySelector(selector) !== null;
const noLine = () => {};
if (has("[data-show-password]")) import("./later/password.js").then((part) => part.wirePasswords(document), noLine);
if (has("[data-copy-field]")) import("./later/copy-field.js").then((part) => part.wireCopyFields(document), noLine);
if (has("main[data-inbox]")) import("./later/inbox.js").then((part) => part.wireInbox(document), noLine);
if (noticeSettings) {
  import("./later/notice-settings.js").then((part) => part.wireNoticeSettings(noticeSettings, storage), noLine);
}

// Whoever types at once is ahead of htmx: what is in a field by then counts as typed now.
document.addEventListener("htmx:after:init", ({ target: field }) => {
  const isAhead = field instanceof HTMLInputElement && field.value !== field.defaultValue;
  if (isAhead) field.dispatchEvent(new Event("input", { bubbles: true }));
});

// Notices, and the offline page; where it cannot be had (plain http on a LAN address), the browser shows its own.
navigator.serviceWorker?.register("/service-worker.js").then((worker) => {
  // what was shown to who signed out is not for whoever comes next
  if (me === null) worker.active?.postMessage({ type: "read", rooms: null });
}).catch(() => {});
