// Code can be copied: each card gets a button, and one listener serves them all. How is loaded with the first click.

import { shape } from "../page.js";

/** @param {HTMLElement} row a message */
export function addCopyButtons(row) {
  for (const caption of row.querySelectorAll(".code-card > figcaption")) {
    const button = caption.querySelector("[data-copy]") ? null : shape("tpl-copy");
    if (button) caption.append(button);
  }
}

/** @param {HTMLElement} place where they are */
export function wireCopy(place) {
  place.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    if (button) import("../later/copy.js").then((part) => part.copyCode(button), () => {});
  });
}
