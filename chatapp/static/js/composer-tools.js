// The tools under the message box: emoji, and how the message will look. What is seldom used is fetched when it is
// asked for; until then, and without a line, codes can be typed.

import { insert } from "./insert.js";

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

/** How the message will look comes when it is asked for. */
function wirePreview(form, box) {
  const button = form.querySelector("[data-preview-toggle]");
  if (!button) return;
  button.type = "button"; // without scripts it is a form of its own
  button.ariaPressed = "false";
  let preview = null;
  const toggle = async () => {
    preview ??= import("./later/preview.js").then((made) => made.wirePreview(form, box, button));
    try {
      (await preview)();
    } catch {
      preview = null; // no line
    }
  };
  button.addEventListener("click", toggle);
  box.addEventListener("keydown", (event) => {
    // AltGr counts as Ctrl and Alt, and writes letters
    const both = (event.ctrlKey || event.metaKey) && event.altKey && !event.getModifierState("AltGraph");
    if (!both || event.code !== "KeyP") return;
    event.preventDefault();
    void toggle();
  });
}
