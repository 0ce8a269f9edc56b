// The button beside a field that copies what is in it.

import { copyText } from "./copy.js";

const SHOWN = 2_000;

/** @param {Document} page */
export function wireCopyFields(page) {
  for (const button of page.querySelectorAll("[data-copy-field]")) {
    const field = page.getElementById(button.dataset.copyField);
    if (!(field instanceof HTMLInputElement)) continue;
    const label = button.getAttribute("aria-label");
    button.addEventListener("click", async () => {
      if (!(await copyText(field.value))) return field.select();
      button.classList.add("is-done");
      button.setAttribute("aria-label", button.dataset.copied);
      setTimeout(() => {
        button.classList.remove("is-done");
        button.setAttribute("aria-label", label);
      }, SHOWN);
    });
  }
}
