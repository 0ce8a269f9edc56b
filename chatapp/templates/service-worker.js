// Shows the offline page when a page cannot be had. The network comes first, always; nothing of what
// people write is kept here. A new version of the site brings a new cache and drops the old one.
const CACHE = {{ ('chatapp-' ~ static(''))|tojson }};
const OFFLINE = "/offline";
const KEPT = {{ ['/offline', static('css/tokens.css'), static('css/app.css'), static('css/pages.css'), static('css/messages.css'), static('img/mark.svg'), static('img/icons.svg')]|tojson }};

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
