// Shows the offline page when a page cannot be had, and notices of what came. The network comes first, always; nothing
// of what people write is kept here. A new version of the site brings a new cache and drops the old one.
const CACHE = {{ ('chatapp-' ~ static(''))|tojson }};
const OFFLINE = "/offline";
const KEPT = {{ ['/offline', static('css/tokens.css'), static('css/app.css'), static('css/pages.css'), static('css/messages.css'), static('img/mark.svg'), static('img/icons.svg')]|tojson }};
const SITE = {{ site_name|tojson }};
const WORDS = {
  something: "There are new messages.",
  many: "%n new messages",
  test: "Notices reach this device.",
};
const COUNTED = 99;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const drop = (names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(drop).then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(() => caches.match(OFFLINE)));
  else if (KEPT.includes(new URL(request.url).pathname)) {
    event.respondWith(fetch(request).catch(() => caches.match(request)));
  }
});

// -- notices: one for each room, which grows ------------------------------------------

self.addEventListener("push", (event) => {
  let notice = {};
  try {
    notice = event.data?.json() ?? {};
  } catch {
    // from nobody we know: browsers want something to be shown all the same
  }
  event.waitUntil(show(notice));
});

// Pages tell what came while they were open, and what was read, here or elsewhere.
self.addEventListener("message", (event) => {
  const { type, notice, rooms } = event.data ?? {};
  if (type === "notice") event.waitUntil(show(notice).then((shown) => event.ports[0]?.postMessage(shown)));
  else if (type === "read") event.waitUntil(withdraw(rooms));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.url ?? "/"));
});

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));

/** Not while its room lies open under the reader's eyes: Chromium and Firefox allow that for a focused window of ours.
 * @returns {Promise<boolean>} whether it is a new one */
async function show({ room, name, author, text, count = 1, seq = 0, url = "/", test = false }) {
  const options = { icon: {{ static('img/icon-192.png')|tojson }}, badge: {{ static('img/badge-96.png')|tojson }} };
  if (!room) {
    const body = test ? WORDS.test : WORDS.something;
    await self.registration.showNotification(SITE, { ...options, body, tag: test ? "test" : "something", data: { url } });
    return true;
  }
  if ((await windows()).some((each) => each.focused && roomOf(each.url) === String(room))) return false;
  const tag = `room-${room}`;
  const [known] = await self.registration.getNotifications({ tag });
  // told already, by a page or by the push: shown again without a sound
  const again = known !== undefined && known.data.seq >= seq;
  const many = count > COUNTED ? `${COUNTED}+` : String(count);
  const lines = [...(count > 1 ? [WORDS.many.replace("%n", many)] : []), `${author}: ${text}`];
  if (!again) {
    const data = { url, room, seq, count };
    await self.registration.showNotification(name, { ...options, body: lines.join("\n"), tag, data, renotify: true });
  } else {
    const { title, body, data } = known;
    await self.registration.showNotification(title, { ...options, body, tag, data, silent: true });
  }
  return !again;
}

/** @param {number[] | null} rooms null: all */
async function withdraw(rooms) {
  for (const notice of await self.registration.getNotifications()) {
    if (rooms === null || rooms.includes(notice.data?.room)) notice.close();
  }
}

/** In the window that shows the room, else in any of ours, else in a new one. */
async function open(url) {
  const room = roomOf(new URL(url, self.location.origin).href);
  const ours = await windows();
  const best = ours.find((each) => room && roomOf(each.url) === room) ?? ours.find((each) => each.focused) ?? ours[0];
  try {
    const window = await best?.focus();
    if (window && (await window.navigate(url))) return;
  } catch {
    // a window that we do not control
  }
  await self.clients.openWindow(url);
}

function windows() {
  return self.clients.matchAll({ type: "window", includeUncontrolled: true });
}

function roomOf(url) {
  return /^\/rooms\/(\d+)(?:\/threads\/\d+)?$/.exec(new URL(url).pathname)?.[1];
}

/** The browser has a new address for pushes. */
async function renew({ newSubscription }) {
  const answer = await fetch("/push/key", { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const { key } = await answer.json();
  const fresh = newSubscription
    ?? (await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  const { endpoint, keys } = fresh.toJSON();
  await fetch("/push/subscribe", { method: "POST", body: new URLSearchParams({ endpoint, ...keys }) });
}
