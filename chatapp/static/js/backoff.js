// When to try again. Full jitter: after a restart everybody's line breaks in the
// same moment, and only a random wait spreads them (a fixed one moves the herd).

const BASE = 500;
const CAP = 30_000;
const HEALTHY = 30_000;
// Whatever the dice say, attempts never start closer together than this.
const APART = 1_000;

export class Backoff {
  #failures = 0;
  #openedAt = null;
  #triedAt = -Infinity;

  /** @param {{random?: () => number, now?: () => number}} [by] dice and clock, handed in by tests */
  constructor({ random = Math.random, now = Date.now } = {}) {
    this.random = random;
    this.now = now;
  }

  /** Attempts that failed since the line was last healthy. */
  get failures() {
    return this.#failures;
  }

  /** An attempt starts now. */
  tried() {
    this.#triedAt = this.now();
  }

  /** The line is up. Only time makes it healthy: one that opens and breaks at once must go on slowing down. */
  opened() {
    this.#openedAt = this.now();
  }

  /** The line broke or never came up. @returns {number} milliseconds to wait before the next attempt */
  closed() {
    if (this.#openedAt !== null && this.now() - this.#openedAt >= HEALTHY) this.#failures = 0;
    this.#openedAt = null;
    this.#failures += 1;
    const ceiling = Math.min(CAP, BASE * 2 ** Math.min(this.#failures, 16));
    return Math.max(this.random() * ceiling, this.soonest());
  }

  /** @returns {number} milliseconds before which not even an impatient person may start another attempt */
  soonest() {
    return Math.max(0, this.#triedAt + APART - this.now());
  }
}
