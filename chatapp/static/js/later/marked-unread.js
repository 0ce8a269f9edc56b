// Messages were marked as unread: for a moment that can be taken back.

import { shape } from "../page.js";

const UNDO = 10_000;

/** Says that it was done, and takes it back on demand. @param {HTMLElement | null} place @param {() => void} undo */
export function offer(place, undo) {
  const banner = shape("tpl-marked-unread");
  if (!banner || !place) return;
  for (const old of place.querySelectorAll("[data-marked-unread]")) old.remove();
  const timer = setTimeout(() => banner.remove(), UNDO);
  banner.querySelector("button")?.addEventListener("click", () => {
    clearTimeout(timer);
    banner.remove();
    undo();
  });
  place.append(banner);
}
