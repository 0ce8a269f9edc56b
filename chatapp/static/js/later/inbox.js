// The page of mentions: whoever clears a row by keyboard goes on at the next one.

/** @param {Document} root */
export function wireInbox(root) {
  const page = root.querySelector("main[data-inbox]");
  if (!page) return;
  /** The row that is being cleared, and where the focus goes then. */
  let leaving = null;
  page.addEventListener("submit", (event) => {
    const row = event.target instanceof Element ? event.target.closest("li") : null;
    if (!row || !row.contains(root.activeElement)) return;
    const near = row.nextElementSibling ?? row.previousElementSibling;
    leaving = { row, next: near?.querySelector("button") ?? page };
  });
  new MutationObserver(() => {
    if (!leaving || leaving.row.isConnected) return;
    // not from where somebody has gone in the meantime
    if (root.activeElement === root.body) leaving.next?.focus({ preventScroll: true });
    leaving = null;
  }).observe(page, { childList: true, subtree: true });
}
