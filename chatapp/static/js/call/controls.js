// The buttons of a call, and the keys that do the same.

const KEYS = { m: "mic", v: "camera", s: "screen", h: "hand", g: "grid", f: "full", i: "float" };
const ONLY_IN_CALL = new Set(["screen", "hand", "grid", "full", "float", "leave"]);

/**
 * @param {HTMLElement} element main.call
 * @param {Record<string, () => void>} actions by the name of the control
 */
export function wireControls(element, actions) {
  const act = (name) => {
    if (element.dataset.part === "on" || !ONLY_IN_CALL.has(name)) actions[name]?.();
  };
  element.addEventListener("click", ({ target }) => {
    const name = target instanceof Element && target.closest("[data-control]")?.dataset.control;
    if (name) act(name);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
    if (event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable], dialog[open]")) return;
    const name = KEYS[event.key.toLowerCase()];
    if (!name) return;
    event.preventDefault();
    act(name);
  });
}

/** Shows what a control would do next. @param {HTMLElement} element @param {string} name @param {boolean} on @param {boolean} [off] whether being off is to be seen as a warning */
export function showControl(element, name, on, off = false) {
  for (const button of element.querySelectorAll(`[data-control="${name}"]`)) {
    button.setAttribute("aria-pressed", String(off ? !on : on));
    button.classList.toggle("is-off", off && !on);
    const [said, other] = [button.querySelector("[data-on]"), button.querySelector("[data-off]")];
    if (said && other) [said.hidden, other.hidden] = [!on, on];
    const icons = button.querySelectorAll(".pad > svg");
    if (icons.length === 2) [on, !on].forEach((shown, place) => icons[place].toggleAttribute("hidden", !shown));
  }
}
