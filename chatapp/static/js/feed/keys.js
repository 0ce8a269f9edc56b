// The timeline by keyboard: up and down go from message to message, End to the newest, Esc to the message box; letters
// do something with the message they are pressed on.

/**
 * @param {HTMLElement} timeline
 * @param {HTMLElement | null} composer
 * @param {Record<string, (row: HTMLElement) => void>} [acts] by key
 */
export function wireKeys(timeline, composer, acts = {}) {
  let current = null;

  const go = (row) => {
    if (!row) return;
    if (current && current !== row) current.tabIndex = -1;
    current = row;
    // one message is in the tab order, the one last visited
    row.tabIndex = 0;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };

  timeline.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (document.querySelector("[popover]:popover-open")) return; // what is open has the keys first
    if (event.key === "Escape" && composer) {
      event.preventDefault();
      composer.focus();
      return;
    }
    if (event.key === "End") {
      // an old window's link loads the newest page; a pane has none and scrolls
      const latest = timeline.closest(".room")?.querySelector("[data-to-latest]");
      if (latest) event.preventDefault();
      latest?.click();
      return;
    }
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const onRow = event.target instanceof Element && event.target.matches(".msg");
    if (onRow && acts[event.key] && event.target.dataset.seq && !event.target.matches(".is-deleted")) {
      event.preventDefault();
      acts[event.key](event.target);
      return;
    }
    // links and buttons inside a message keep their own keys
    if (!step || !(onRow || event.target === timeline)) return;
    event.preventDefault();
    const messages = [...timeline.querySelectorAll(".msg")];
    const at = onRow ? messages.indexOf(event.target) : messages.length;
    go(messages[at + step]);
  });
}
