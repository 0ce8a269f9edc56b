// Asks the server to change something about a message, and says so when it would not. How that is said.

import { shape } from "../page.js";

const SHOWN = 8_000;

/**
 * @param {import("../feed.js").Home} home where it is said
 * @param {import("../session.js").Session} session
 * @param {string} path below the room's address
 * @param {Record<string, string>} fields
 * @returns {Promise<any>} the answer; null when it was not done, which has been said
 */
export async function ask(home, session, path, fields) {
  let sentence = "";
  try {
    const answer = await fetch(`/rooms/${home.room}/${path}`, {
      method: "POST", body: new URLSearchParams(fields), headers: { Accept: "application/json" },
      keepalive: true, // what was tapped shows at once: leaving the page must not undo it
    });
    if (session.sentToSignIn(answer)) return null;
    const told = await answer.json();
    if (answer.ok) return told;
    sentence = told.message;
  } catch {
    // no line
  }
  tell(home, "tpl-not-done", sentence);
  return null;
}

/** Says something for a moment. @param {import("../feed.js").Home} home @param {string} id of a template @param {string} [sentence] instead of its own */
export function tell({ banners }, id, sentence) {
  const banner = shape(id);
  if (!banner || !banners) return;
  if (sentence) banner.querySelector("p").textContent = sentence;
  for (const old of banners.querySelectorAll("[data-told]")) old.remove();
  banners.append(banner);
  setTimeout(() => banner.remove(), SHOWN);
}
