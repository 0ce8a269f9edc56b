// Names and emoji are completed by a part that comes when the first of them may have begun.

const BEGINS = /[@:]/;

/**
 * @param {object} by
 * @param {HTMLTextAreaElement} by.box
 * @param {HTMLElement | null} by.list role=listbox
 * @param {string} by.room
 */
export function wireCompletion({ box, list, room }) {
  const begun = () => {
    if (!list || !BEGINS.test(box.value)) return;
    box.removeEventListener("input", begun);
    Promise.all([import("./later/completion.js"), import("./later/mention.js"), import("./later/emoji.js")]).then(
      ([{ Completion }, { mentions }, { emoji }]) => new Completion({ box, list, sources: [mentions(room), emoji()] }).start(),
      () => box.addEventListener("input", begun), // no line; the next sign tries again
    );
  };
  box.addEventListener("input", begun);
  begun();
}
