// Messages are pinned to their room, and not any more. What is shown of it comes with the row.

import { ask } from "./ask.js";

/** @param {Parameters<typeof ask>[0]} by @returns {Record<string, import("./tools.js").Act>} */
export function pinning(by) {
  const pin = (on) => (_row, seq) => void ask(by, `messages/${seq}/pin`, { on: String(on) });
  return { pin: pin(true), unpin: pin(false) };
}
