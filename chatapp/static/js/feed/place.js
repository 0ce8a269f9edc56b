// The reader's place in the timeline. The list is column-reverse: scrollTop is 0 at the
// newest row and negative above it.

const NEAR_END = 100;
const MARKS = 12;

export class Place {
  // Browsers scroll by whole pixels. What could not be corrected is carried over, or a
  // hundred insertions of half a pixel would be a line of text.
  #rest = { at: 0, by: 0 };

  /** @param {HTMLElement} timeline @param {() => HTMLElement[]} rows */
  constructor(timeline, rows) {
    this.timeline = timeline;
    this.rows = rows;
  }

  get atEnd() {
    return this.timeline.scrollTop > -NEAR_END;
  }

  toEnd() {
    this.timeline.scrollTop = 0;
  }

  /**
   * Change the list without moving what is being read: the row under the eye stays where
   * it is, to the pixel. With `follow` a reader at the end stays at the end.
   * @param {() => void} change
   * @param {{follow: boolean}} how
   */
  keep(change, { follow }) {
    const stay = follow && this.atEnd;
    const marks = stay ? [] : this.mark();
    change();
    if (stay) this.toEnd();
    else this.restore(marks);
  }

  /** Where the visible rows are. Several, since the first may be replaced or go. */
  mark() {
    const top = this.timeline.getBoundingClientRect().top;
    const rows = this.rows();
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].getBoundingClientRect().bottom <= top) low = middle + 1;
      else high = middle;
    }
    const by = this.#rest.at === this.timeline.scrollTop ? this.#rest.by : 0;
    return rows.slice(low, low + MARKS).map((row) => ({ row, id: row.id, bottom: row.getBoundingClientRect().bottom - by }));
  }

  /**
   * Rows are held by their ends: the first of a page loses its author's name when the page above comes, and what is
   * read below it must not move.
   * @param {{row: HTMLElement, id: string, bottom: number}[]} marks
   */
  restore(marks) {
    for (const mark of marks) {
      const row = mark.row.isConnected ? mark.row : document.getElementById(mark.id);
      if (!row) continue;
      const moved = row.getBoundingClientRect().bottom - mark.bottom;
      if (moved !== 0) this.timeline.scrollTop += moved;
      this.#rest = { at: this.timeline.scrollTop, by: row.getBoundingClientRect().bottom - mark.bottom };
      return;
    }
  }
}
