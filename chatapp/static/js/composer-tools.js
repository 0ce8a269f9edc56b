// The tools under the message box: emoji, and how the message will look. What is seldom used is fetched when it is
// asked for; until then, and without a line, codes can be typed.

import { debounced } from "./page.js";
import { insert } from "./insert.js";

const PREVIEW_AFTER = 250;

/**
 * @param {object} by
 * @param {HTMLFormElement} by.form
 * @param {HTMLTextAreaElement} by.box
 * @param {import("./session.js").Session} by.session
 */
export function wireComposerTools({ form, box, session }) {
  wireEmoji(form.querySelector("[data-emoji]"), box, session);
  wirePreview(form, box);
}

function wireEmoji(button, box, session) {
  let picker = null;
  button?.addEventListener("click", async () => {
    picker ??= make();
    try {
      (await picker).toggle();
    } catch {
      picker = null; // no line; the next click tries again
    }
  });

  async function make() {
    const [{ EmojiPicker }, { Emoji }] = await Promise.all([import("./later/emoji-picker.js"), import("./later/emoji-list.js")]);
    const choose = (sign) => {
      box.focus();
      insert(box, sign);
    };
    const made = new EmojiPicker({ emoji: await Emoji.load(), button, session, choose });
    made.start();
    return made;
  }
}

/** The server draws it: what is shown is what will be shown. */
function wirePreview(form, box) {
  const button = form.querySelector("[data-preview-toggle]");
  const pane = form.querySelector("[data-preview]");
  if (!button || !pane) return;
  button.type = "button"; // without scripts it is a form of its own
  button.setAttribute("aria-pressed", String(!pane.hidden));
  const ask = debounced(PREVIEW_AFTER, () => !pane.hidden && show());
  button.addEventListener("click", toggle);
  box.addEventListener("input", () => !pane.hidden && (box.value.trim() === "" ? show() : ask()));
  box.addEventListener("cleared", () => pane.replaceChildren());
  box.addEventListener("replaced", () => !pane.hidden && show());
  box.addEventListener("keydown", (event) => {
    // AltGr counts as Ctrl and Alt, and writes letters
    const both = (event.ctrlKey || event.metaKey) && event.altKey && !event.getModifierState("AltGraph");
    if (!both || event.code !== "KeyP") return;
    event.preventDefault();
    toggle();
  });

  function toggle() {
    pane.hidden = !pane.hidden;
    button.setAttribute("aria-pressed", String(!pane.hidden));
    if (!pane.hidden) show();
    box.focus();
  }

  function show() {
    if (box.value.trim() === "") pane.replaceChildren();
    else pane.dispatchEvent(new Event("preview"));
  }
}
