// One room's number as this page knows it: what to do with a frame, and from where
// to ask again. No DOM, no socket.

export class Log {
  /** The highest number known to exist that has not been applied; 0 when nothing is missing. */
  #missed = 0;
  #asked = false;

  /** @param {string} cursor "EPOCH:SEQ", read by the server in the same snapshot as the page's rows */
  constructor(cursor) {
    const cut = cursor.lastIndexOf(":");
    this.epoch = cursor.slice(0, cut);
    this.seq = Number(cursor.slice(cut + 1)) || 0;
  }

  get cursor() {
    return `${this.epoch}:${this.seq}`;
  }

  /**
   * What to do with rows that changed after `from` up to `seq`.
   * "drop": known. "gap": something between is missing. "apply": take them; overlap is harmless.
   * @param {{from: number, seq: number}} frame
   * @returns {"apply" | "drop" | "gap"}
   */
  judge({ from, seq }) {
    if (seq <= this.seq) return "drop";
    if (from <= this.seq) return "apply";
    this.#missed = Math.max(this.#missed, seq);
    return "gap";
  }

  /** The rows up to `seq` are on the page. @param {number} seq */
  applied(seq) {
    this.seq = Math.max(this.seq, seq);
  }

  /** The server says where the room stands. @param {number} seq @returns {boolean} whether we miss something */
  heard(seq) {
    if (seq <= this.seq) return false;
    this.#missed = Math.max(this.#missed, seq);
    return true;
  }

  get isAsking() {
    return this.#asked;
  }

  /** Ask once, however many frames show the same gap. @returns {boolean} whether to send `watch` now */
  ask() {
    if (this.#asked) return false;
    this.#asked = true;
    return true;
  }

  /**
   * The server has sent everything up to `seq`. A live frame may have overtaken the
   * answer and been turned away as a gap: then the answer is not the end of it.
   * @param {number} seq
   * @returns {boolean} whether to ask again
   */
  caughtUp(seq) {
    this.#asked = false;
    this.applied(seq);
    const again = this.#missed > this.seq;
    this.#missed = 0;
    return again;
  }

  /** The line is new: whatever was asked on the old one is forgotten. */
  lineChanged() {
    this.#asked = false;
    this.#missed = 0;
  }

  /** Rows after `seq` were not kept (an old window was showing): the next question starts there. @param {number} seq */
  rewind(seq) {
    this.seq = Math.min(this.seq, seq);
  }
}
