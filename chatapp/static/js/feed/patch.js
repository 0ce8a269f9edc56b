// A message that comes again and differs only in what hangs on it is not put anew: the focus stays where it is, and a
// screen reader does not hear all of it once more.

const LIST = ":scope > .msg-main > .reactions";
const HANGS = ".reactions, .pin-mark, .msg-tools, [data-copy]";

/** @param {HTMLElement} old as it is shown @param {HTMLElement} row as it came @returns {boolean} whether it was enough */
export function patch(old, row) {
  if (!old.matches(".msg") || old.dataset.seq !== row.dataset.seq || essence(old) !== essence(row)) return false;
  const mark = ":scope > .msg-main > .pin-mark";
  const [marked, fresh] = [old.querySelector(mark), row.querySelector(mark)];
  if (fresh && !marked) old.querySelector(".msg-body").before(fresh);
  else if (!fresh) marked?.remove();
  old.toggleAttribute("data-pinned", row.hasAttribute("data-pinned"));
  patchList(old, row);
  return true;
}

/** What both would say without what this reader's browser added, and without what may be patched. */
function essence(row) {
  const copy = row.cloneNode(true);
  for (const part of copy.querySelectorAll(HANGS)) part.remove();
  for (const mention of copy.querySelectorAll(".mention.me")) mention.classList.remove("me");
  for (const time of copy.querySelectorAll("time")) {
    time.textContent = "";
    time.removeAttribute("title");
  }
  return copy.innerHTML;
}

function patchList(old, row) {
  const [list, fresh] = [old.querySelector(LIST), row.querySelector(LIST)];
  if (!fresh) {
    const focused = list?.contains(document.activeElement);
    list?.remove();
    if (focused) old.focus({ preventScroll: true });
    return;
  }
  delete fresh.dataset.dressed;
  if (!list) {
    old.querySelector(".msg-body").after(fresh);
    return;
  }
  const known = new Map(chips(list).map((chip) => [chip.dataset.sign, chip]));
  const wanted = chips(fresh).map((chip) => {
    const same = known.get(chip.dataset.sign);
    if (!same) return chip.closest("li");
    known.delete(chip.dataset.sign);
    const count = chip.querySelector("[data-count]").textContent;
    if (same.dataset.total !== count) same.removeAttribute("title");
    Object.assign(same.dataset, { by: chip.dataset.by, total: count });
    return same.closest("li");
  });
  for (const gone of known.values()) drop(gone.closest("li"), old);
  for (const [place, item] of wanted.entries()) {
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  }
  delete list.dataset.dressed;
  list.dataset.came = "";
}

/** Whoever was on it goes on at its neighbour. */
function drop(item, row) {
  const focused = item.contains(document.activeElement);
  const next = (item.nextElementSibling ?? item.previousElementSibling)?.querySelector(".reaction");
  item.remove();
  if (focused) (next ?? row).focus({ preventScroll: true });
}

/** @param {Element} list @returns {HTMLElement[]} */
export function chips(list) {
  return [...list.querySelectorAll(".reaction[data-sign]")];
}
