// Asks the server to change something about a message, and says so when it would not.

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
  refused(home.banners, sentence);
  return null;
}

function refused(place, sentence) {
  const banner = shape("tpl-not-done");
  if (!banner || !place) return;
  if (sentence) banner.querySelector("[data-reason]").textContent = sentence;
  for (const old of place.querySelectorAll("[data-not-done]")) old.remove();
  place.append(banner);
  setTimeout(() => banner.remove(), SHOWN);
}
