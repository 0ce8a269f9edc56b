// The way into a thread; what its pane does is loaded when the first one is opened.

/** @param {object} by what later/thread.js needs: feed, session, outbox, drafts, acts @returns {(row: HTMLElement) => void} opens the thread of a message */
export function wireThreads(by) {
  const { feed } = by;
  const open = (seq, opener) => {
    import("../later/thread.js")
      .then((part) => part.openThread({ ...by, opener }, seq))
      .catch(() => location.assign(`/rooms/${feed.room}/threads/${seq}`)); // the page says what is wrong
  };
  feed.timeline.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a.thread-link") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    open(link.closest("[data-seq]").dataset.seq, link);
  });
  const pane = document.getElementById("thread");
  if (pane) import("../later/thread.js").then((part) => part.adoptThread({ ...by, opener: null }, pane), () => {});
  return (row) => open(row.dataset.seq, row);
}
