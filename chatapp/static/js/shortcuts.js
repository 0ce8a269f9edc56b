// Keys that work on every page with the list of rooms; templates/switch/_shortcuts.html lists them.
//
// 1. A key without Ctrl, Cmd or Alt does nothing while a text field has the focus.
// 2. Keys of an input method, and those that write letters by AltGr, are not ours.
// 3. Whatever is open (a dialog, a menu) has the keys first.

const LETTER = /^[a-z]$/i;
const MAC = /^(?:Mac|iP)/.test(navigator.platform);
const FIELD = "input, textarea, select, [contenteditable]";

/**
 * @param {object} by
 * @param {import("./unread.js").Unread} by.unread
 * @param {import("./session.js").Session} by.session
 */
export function wireShortcuts({ unread, session }) {
  let switcher = null;

  const acts = {
    "Mod+k": openSwitcher,
    "Alt+ArrowUp": () => go(-1, rows()),
    "Alt+ArrowDown": () => go(1, rows()),
    "Alt+Shift+ArrowUp": () => go(-1, unreadRows()),
    "Alt+Shift+ArrowDown": () => go(1, unreadRows()),
    "Mod+Shift+f": search,
    "/": search,
    "?": () => show(document.getElementById("shortcuts")),
    Escape: () => markRead(unread, session),
  };

  document.addEventListener("keydown", (event) => {
    // browsers that fill in forms tell of keys without saying which
    if (!(event instanceof KeyboardEvent) || event.defaultPrevented) return;
    if (event.isComposing || event.keyCode === 229 || event.getModifierState("AltGraph")) return;
    const name = nameOf(event);
    const field = event.target instanceof Element ? event.target.closest(FIELD) : null;
    const isFree = !field || /^(?:Mod|Alt)\+/.test(name) || (name === "Escape" && field.id === "composer");
    if (!acts[name] || !isFree) return;
    const open = document.querySelector("dialog[open], [popover]:popover-open");
    if (open && (name !== "Mod+k" || open.id !== "switcher") && !(open.id === "rooms" && name !== "Escape")) return;
    if (acts[name]() !== false) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-switcher]") : null;
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0;
    if (!link || elsewhere || event.defaultPrevented) return;
    event.preventDefault();
    document.getElementById("rooms")?.hidePopover?.();
    openSwitcher();
  });

  function openSwitcher() {
    switcher ??= import("./later/switcher.js").then(({ Switcher }) => new Switcher({ session }));
    switcher.then((made) => made.toggle(), () => {
      switcher = null; // no line; the next key tries again
    });
  }
}

/** As the table names it: Mod is Ctrl, on a Mac Cmd. Of the shift that a sign needs nothing is said. */
function nameOf({ key, code, ctrlKey, metaKey, altKey, shiftKey }) {
  if (MAC ? ctrlKey : metaKey) return "";
  const mod = MAC ? metaKey : ctrlKey;
  // with a keyboard of other letters, by the place of the key
  const letter = LETTER.test(key) ? key : mod && /^Key[A-Z]$/.test(code) ? code.slice(3) : null;
  const sign = key.length === 1 && letter === null;
  const name = letter?.toLowerCase() ?? key;
  return `${mod ? "Mod+" : ""}${altKey ? "Alt+" : ""}${shiftKey && !sign ? "Shift+" : ""}${name}`;
}

/** @returns {HTMLAnchorElement[]} the rooms of the list, as far as they are shown */
function rows() {
  return [...document.querySelectorAll("#side-rooms-list li:not([hidden]) > .side-row[data-room]")];
}

function unreadRows() {
  return rows().filter((row) => row.matches(".is-unread, [aria-current]"));
}

/** To the next or the one before, and from one end to the other. */
function go(step, list) {
  const at = list.findIndex((row) => row.hasAttribute("aria-current"));
  const next = at < 0 ? list.at(step > 0 ? 0 : -1) : list[(at + step + list.length) % list.length];
  if (!next) return false;
  if (!next.hasAttribute("aria-current")) next.click();
  return true;
}

/** @returns {boolean} false where there is nothing to search with */
function search() {
  const found = document.querySelector("input#search") ?? document.querySelector("#search, a[href='/search']");
  if (!found) return false;
  if (found instanceof HTMLInputElement) found.focus();
  else found.click();
  return true;
}

/** @param {HTMLElement | null} dialog */
function show(dialog) {
  if (!(dialog instanceof HTMLDialogElement)) return false;
  dialog.showModal();
  return true;
}

/** Everything in the open room, wherever it is scrolled to; the windows hear of it from the server. */
function markRead(unread, session) {
  const room = document.querySelector("main.room[data-room]")?.dataset.room;
  if (!room || !unread.of(room)?.unread) return false;
  fetch(`/rooms/${room}/read`, { method: "POST", headers: { "HX-Request": "true" }, credentials: "same-origin" })
    .then((answer) => session.sentToSignIn(answer), () => {}); // no line: still unread, as is shown
  return true;
}
