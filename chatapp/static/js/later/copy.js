// Copying text, on pages that may use the clipboard and on those that may not.

import { words } from "../page.js";

const SHOWN = 2_000;

/** @param {HTMLElement} button of a card of code */
export async function copyCode(button) {
  const code = button.closest(".code-card")?.querySelector("code");
  if (!code || !(await copy(code))) return;
  const label = button.getAttribute("aria-label");
  button.classList.add("is-done");
  button.setAttribute("aria-label", words().copied ?? "");
  setTimeout(() => {
    button.classList.remove("is-done");
    button.setAttribute("aria-label", label);
  }, SHOWN);
}

/** The address of a message, which opens its room there. @param {string} room @param {number} seq */
export function copyLink(room, seq) {
  return copyText(new URL(`/rooms/${room}?around=${seq}#m-${seq}`, location.href).href);
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
