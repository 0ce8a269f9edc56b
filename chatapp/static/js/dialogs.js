// Links that name a dialog open it. Without scripts, or where the dialog is missing, they
// lead to the page with the same form.

/** @param {Document} page */
export function wireDialogs(page) {
  page.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || event.defaultPrevented) return;
    const link = event.target.closest("a[data-dialog]");
    if (link) open(event, page.getElementById(link.dataset.dialog));
    // a click on the dialog itself, not on anything in it, is one on the backdrop
    else if (event.target instanceof HTMLDialogElement && outside(event, event.target)) event.target.close();
  });
}

function open(event, dialog) {
  const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0;
  if (!(dialog instanceof HTMLDialogElement) || elsewhere) return;
  event.preventDefault();
  if (!dialog.open) dialog.showModal();
}

/** Padding belongs to the dialog, so the box decides. Keyboard "clicks" have no place and never close. */
function outside({ clientX, clientY, detail }, dialog) {
  const box = dialog.getBoundingClientRect();
  const inside = clientX >= box.left && clientX <= box.right && clientY >= box.top && clientY <= box.bottom;
  return detail > 0 && !inside;
}
