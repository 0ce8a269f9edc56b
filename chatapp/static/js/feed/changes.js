// Messages can be changed: the ways to edit one, to delete it and take that back, and to read what it said before. What
// opens there is fetched when it is asked for.

import { shape, words } from "../page.js";
import { seqOf } from "./rows.js";

const NOTE = 8_000;
const PATIENCE = 15_000;
const OFFERS_MOST = 3;

/**
 * @param {object} by
 * @param {import("../feed.js").Feed} by.feed
 * @param {import("../session.js").Session} by.session
 * @param {HTMLTextAreaElement | null} by.box the message box
 * @returns {Record<string, import("./tools.js").Act>} what the tools of a message do
 */
export function wireChanges({ feed, session, box }) {
  const name = `chatapp:edit:${session.me}:${feed.room}`;
  const says = words("tpl-change-words");
  const banners = feed.element.querySelector("[data-banners]");
  let editor = null;
  let noted = null;

  const edit = async (seq, kept = null) => {
    try {
      editor ??= import("../later/editor.js").then(({ Editor }) => new Editor({ feed, session, box, name, ask, note }));
      await (await editor).open(seq, kept);
    } catch {
      editor = null;
      note(says.noLine);
    }
  };

  // up in an empty box: the last thing said, where that is on the page
  box?.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowUp" || box.value !== "" || event.isComposing || event.keyCode === 229) return;
    if (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = feed.newest && feed.rows.numbered().findLast((row) => row.matches(".msg.is-own:not(.is-deleted)"));
    const age = (Date.now() - Date.parse(last ? last.querySelector("time").dateTime : "")) / 1000;
    if (!last || !(age < Number(says.within))) return;
    event.preventDefault();
    void edit(seqOf(last));
  });

  // in the room, and in the pane of a thread beside it
  feed.element.parentElement.addEventListener("click", (event) => {
    const mark = event.target instanceof Element ? event.target.closest("a.edited") : null;
    if (!mark || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void showVersions(mark.href);
  });

  feed.timeline.addEventListener("keydown", (event) => {
    const undo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z";
    const last = undo && [...(banners?.querySelectorAll("[data-undo]") ?? [])].at(-1);
    if (!last || event.target.matches("textarea, input")) return;
    event.preventDefault();
    last.querySelector("form").requestSubmit();
  });

  for (const offer of banners?.querySelectorAll("[data-undo]") ?? []) takesBack(offer);
  goOn();
  return { edit: (_row, seq) => void edit(seq), delete: (row, seq) => void remove(row, seq) };

  /** What was being edited when the page was loaded again. */
  function goOn() {
    let kept = null;
    try {
      kept = JSON.parse(session.storage.getItem(name) ?? "null");
    } catch {
      session.storage.removeItem(name);
    }
    if (kept && feed.rows.bySeq(kept.seq)) void edit(kept.seq, kept);
  }

  async function remove(row, seq) {
    row.focus({ preventScroll: true }); // and with the row's new copy it stays
    const answer = await ask(`/rooms/${feed.room}/messages/${seq}/delete`, { method: "POST" });
    const offer = answer?.ok ? shape("tpl-undo") : null;
    if (!offer) return;
    const { seconds } = await answer.json();
    offer.querySelector("form").action = `/rooms/${feed.room}/messages/${seq}/restore`;
    takesBack(offer, seq);
    for (const old of [...banners.querySelectorAll("[data-undo]")].slice(0, 1 - OFFERS_MOST)) old.remove();
    banners.append(offer);
    setTimeout(() => close(offer), seconds * 1000);
  }

  function takesBack(offer, seq) {
    const form = offer.querySelector("form");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const answer = await ask(form.action, { method: "POST" });
      if (answer === null) return; // no line: there may be time for another try
      close(offer, seq);
      if (answer.ok) note(says.back);
    });
  }

  /** The focus does not get lost with it. */
  function close(banner, seq) {
    const focused = banner.contains(document.activeElement);
    banner.remove();
    if (focused) (feed.rows.bySeq(seq) ?? feed.timeline).focus({ preventScroll: true });
  }

  async function showVersions(href) {
    const dialog = document.getElementById("versions");
    const answer = await ask(href);
    if (!answer?.ok || !dialog) return;
    dialog.querySelector("[data-versions]").innerHTML = await answer.text(); // a template of ours
    if (!dialog.open) dialog.showModal();
  }

  /**
   * Asks the server, and says what went wrong where that is not the asker's to say.
   * @param {string} href @param {RequestInit} [how] @param {(sentence: string) => void} [say]
   * @returns {Promise<Response | null>} null: nobody answered
   */
  async function ask(href, how = {}, say = note) {
    let answer = null;
    try {
      // fragments where there are some, and refusals in a word
      const headers = { "HX-Request": "true", Accept: "application/json" };
      answer = await fetch(href, { headers, signal: AbortSignal.timeout(PATIENCE), ...how });
    } catch {
      say(how.body ? says.kept : says.noLine);
      return null;
    }
    if (session.sentToSignIn(answer)) return null;
    if (!answer.ok && !isForm(answer)) {
      const { code, message } = await answer.json().catch(() => ({}));
      say(code === "message_gone" && how.body ? says.deleted : message ?? says.failed);
    }
    return answer;
  }

  function note(sentence) {
    noted?.remove();
    noted = shape("tpl-note");
    if (!noted) return;
    noted.querySelector("[data-text]").textContent = sentence ?? "";
    banners?.append(noted);
    const shown = noted;
    setTimeout(() => shown.remove(), NOTE);
  }
}

/** @param {Response} answer */
export function isForm(answer) {
  return (answer.headers.get("content-type") ?? "").startsWith("text/html") && [200, 403, 409, 422].includes(answer.status);
}
