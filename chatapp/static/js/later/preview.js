// How a message will look, before it is sent. The server draws it: what is shown is what will be shown.

import { debounced } from "../page.js";

const PREVIEW_AFTER = 250;

/**
 * @param {HTMLFormElement} form @param {HTMLTextAreaElement} box @param {HTMLButtonElement} button
 * @returns {() => void} shows it, or hides it
 */
export function wirePreview(form, box, button) {
  const pane = form.querySelector("[data-preview]");
  const ask = debounced(PREVIEW_AFTER, () => !pane.hidden && show());
  box.addEventListener("input", () => !pane.hidden && (box.value.trim() === "" ? show() : ask()));
  box.addEventListener("cleared", () => pane.replaceChildren());
  box.addEventListener("replaced", () => !pane.hidden && show());
  return () => {
    pane.hidden = !pane.hidden;
    button.ariaPressed = String(!pane.hidden);
    if (!pane.hidden) show();
    box.focus();
  };

  function show() {
    if (box.value.trim() === "") pane.replaceChildren();
    else pane.dispatchEvent(new Event("preview"));
  }
}
