// Code can be copied: each card gets a button, and one listener serves them all.

import { shape, words } from "../page.js";

const SHOWN = 2_000;

/** @param {HTMLElement} row a message */
export function addCopyButtons(row) {
  for (const caption of row.querySelectorAll(".code-card > figcaption")) {
    const button = caption.querySelector("[data-copy]") ? null : shape("tpl-copy");
    if (button) caption.append(button);
  }
}

/** @param {HTMLElement} timeline */
export function wireCopy(timeline) {
  timeline.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    const code = button?.closest(".code-card")?.querySelector("code");
    if (!button || !code || !(await copy(code))) return;
    const label = button.getAttribute("aria-label");
    button.classList.add("is-done");
    button.setAttribute("aria-label", words().copied ?? "");
    setTimeout(() => {
      button.classList.remove("is-done");
      button.setAttribute("aria-label", label);
    }, SHOWN);
  });
}

/** @param {string} text @returns {Promise<boolean>} */
export async function copyText(text) {
  const carrier = document.createElement("span");
  carrier.textContent = text;
  carrier.className = "visually-hidden";
  document.body.append(carrier);
  const done = await copy(carrier);
  carrier.remove();
  return done;
}

/** @param {HTMLElement} code @returns {Promise<boolean>} */
async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    // plain http on a LAN address has no clipboard: what is selected can be copied all the same
    getSelection()?.selectAllChildren(code);
    const done = document.execCommand("copy");
    getSelection()?.removeAllRanges();
    return done;
  }
}
