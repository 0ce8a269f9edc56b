// The parts beside the conversation that change with it. The server draws them; here is only when.

import { debounced } from "./page.js";

const LIST = 200;
const PANE = 500;
// In a big room everybody hears of a newcomer at once; they need not all ask at once.
const SPREAD = 1_500;

/** @param {import("./socket.js").Socket} socket */
export function wireSidebar(socket) {
  const refresh = debounced(LIST, () => document.body.dispatchEvent(new Event("refresh-sidebar")));
  socket.on("sidebar", refresh);
  // Nobody told us what changed before this line stood: since the page was drawn, or while we were away.
  socket.on("hello", refresh);
}

/** Someone came, went, or renamed the room. @param {import("./feed.js").Feed} feed */
export function wireRoomHead(feed) {
  const refresh = debounced(PANE + Math.random() * SPREAD, () => {
    document.body.dispatchEvent(new Event("refresh-members"));
    const title = feed.element.querySelector(".room-head .title");
    if (!title || !window.htmx) return;
    window.htmx
      .ajax("GET", `/rooms/${feed.room}`, { target: title, select: ".room-head .title", swap: "outerHTML" })
      .catch(() => {}); // the next event or page load brings it
  });
  feed.addEventListener("events", refresh);
}
