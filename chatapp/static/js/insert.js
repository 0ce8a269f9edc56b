// Putting text into a box as if it were typed.

/**
 * In the place of what is selected, so that it can be undone; where the browser has no such command, without.
 * @param {HTMLTextAreaElement} box with the focus @param {string} text
 */
export function insert(box, text) {
  if (document.execCommand("insertText", false, text)) return;
  box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
}
