// Messages are pinned to their room, and not any more. What is shown of it comes with the row.

import { ask } from "./ask.js";

/** @param {import("../session.js").Session} session @returns {Record<string, import("./tools.js").Act>} */
export function pinning(session) {
  const pin = (on) => (_row, seq, home) => void ask(home, session, `messages/${seq}/pin`, { on: String(on) });
  return { pin: pin(true), unpin: pin(false) };
}
