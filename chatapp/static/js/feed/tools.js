// What can be done with a message: one group of buttons, which goes to the row the pointer or the focus is on.

import { shape } from "../page.js";
import { seqOf } from "./rows.js";

/**
 * @param {import("../feed.js").Feed} feed
 * @param {Record<string, (seq: number) => void>} acts by the buttons' data-act
 */
export function wireTools(feed, acts) {
  const tools = shape("tpl-tools");
  if (!tools) return;
  const show = (event) => {
    const row = event.target instanceof Element ? event.target.closest(".msg") : null;
    if (row && !Number.isNaN(seqOf(row)) && tools.parentElement !== row) row.append(tools);
  };
  feed.timeline.addEventListener("pointerover", show, { passive: true });
  feed.timeline.addEventListener("focusin", show);
  tools.addEventListener("click", (event) => {
    const act = event.target instanceof Element ? event.target.closest("[data-act]")?.dataset.act : null;
    const row = tools.closest(".msg");
    if (act && row) acts[act]?.(seqOf(row));
  });
}
