// The parts beside the conversation that change with it. The server draws them; here is only when.

import { debounced } from "./page.js";

const PANE = 500;
// In a big room everybody hears of a newcomer at once; they need not all ask at once.
const SPREAD = 1_500;

// Where a room's page shows its name and topic, and what one may do with it: elements whose content changes …
const SHOWN = [".room-head .title", ".room-menu", ".pins-link", ".room-intro", ".composer-note", "label[for=composer]"];
// … and attributes.
const NAMED = [["#composer", "placeholder"], [".timeline", "aria-label"]];

/**
 * Someone came, went, or renamed the room.
 * @param {import("./feed.js").Feed} feed
 * @param {import("./session.js").Session} session
 */
export function wireRoomHead(feed, session) {
  const refresh = debounced(PANE + Math.random() * SPREAD, () => {
    document.body.dispatchEvent(new Event("refresh-members"));
    renew(feed, session).catch(() => {}); // the next event or page load brings it
  });
  feed.addEventListener("events", refresh);
}

async function renew({ element, room, place }, session) {
  const answer = await fetch(`/rooms/${room}`, { credentials: "same-origin" });
  if (session.sentToSignIn(answer) || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector(`main[data-room="${CSS.escape(room)}"]`);
  if (!fresh) return;
  document.title = page.title;
  for (const [selector, attribute] of NAMED) {
    const value = fresh.querySelector(selector)?.getAttribute(attribute);
    if (value) element.querySelector(selector)?.setAttribute(attribute, value);
  }
  place.keep(() => {
    for (const selector of SHOWN) {
      const [now, then] = [element.querySelector(selector), fresh.querySelector(selector)];
      // the content, not the element: a menu that is open stays so
      if (now && then && now.innerHTML !== then.innerHTML) now.replaceChildren(...document.importNode(then, true).childNodes);
    }
  }, { follow: true });
}
