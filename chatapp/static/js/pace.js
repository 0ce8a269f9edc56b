// A bucket of tokens. The server allows 20 frames a second and a socket; a full
// outbox that is let go at once must not be mistaken for a flood.

const BURST = 10;
const PER_SECOND = 12;

export class Pace {
  #tokens = BURST;
  #at;

  /** @param {() => number} [now] */
  constructor(now = Date.now) {
    this.now = now;
    this.#at = now();
  }

  /** Take one token. @returns {number} milliseconds to wait before using it */
  take() {
    const now = this.now();
    // a clock that was set back must not lock the bucket
    const gained = (Math.max(0, now - this.#at) / 1000) * PER_SECOND;
    this.#tokens = Math.min(BURST, this.#tokens + gained) - 1;
    this.#at = now;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / PER_SECOND) * 1000;
  }
}
