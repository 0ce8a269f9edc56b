// What is new in the open room: the line above it, what of it has been read, and having it unread again.

import { NewLine } from "./new-line.js";
import { Reading } from "./reading.js";

/**
 * @param {object} by
 * @param {import("../feed.js").Feed} by.feed
 * @param {import("../unread.js").Unread} by.unread
 * @param {import("../outbox.js").Outbox} by.outbox
 * @returns {import("./tools.js").Act} has all of a message and what follows unread again
 */
export function wireUnread({ feed, unread, outbox }) {
  const line = new NewLine(feed);
  const reading = new Reading({ feed, unread });
  feed.addEventListener("arranged", () => line.place());
  feed.addEventListener("came", ({ detail }) => {
    const seen = !document.hidden && document.hasFocus() && feed.newest && feed.place.atEnd;
    if (!seen) feed.part(() => line.came(detail));
  });
  unread.addEventListener("unread", ({ detail }) => {
    if (detail.room === feed.room && detail.unread === 0) line.read();
  });
  outbox.addEventListener("added", ({ detail }) => {
    if (detail.room !== feed.room) return;
    reading.go();
    feed.part(() => line.remove());
  });
  feed.element.querySelector("[data-to-latest]")?.addEventListener("click", () => reading.go());
  reading.start();

  return (_row, seq, home) => {
    const undo = reading.back(seq);
    feed.part(() => line.at(seq));
    const back = () => {
      undo();
      feed.part(() => line.remove());
    };
    import("../later/marked-unread.js").then((part) => part.offer(home.banners, back), () => {});
  };
}
