// How loud everybody is: others by what their sound's packets say, oneself by listening to the microphone.

/** @param {Map<string, import("./peer.js").Peer>} peers @returns {Map<string, number>} by id, 0 to 1 */
export function levelsOf(peers) {
  const found = new Map();
  for (const [id, peer] of peers) {
    const [source] = peer.lines[0]?.receiver.getSynchronizationSources() ?? [];
    if (source?.audioLevel !== undefined) found.set(id, source.audioLevel);
  }
  return found;
}

/** A microphone's level. It needs an AudioContext, which browsers start after a click. */
export class Meter {
  /** @type {AudioContext | null} */
  #audio = null;
  /** @type {AnalyserNode | null} */
  #analyser = null;
  /** @type {MediaStreamTrack | null} */
  #track = null;
  #samples = new Float32Array(512);

  /** @param {MediaStreamTrack | null} track */
  listen(track) {
    if (track === this.#track) return;
    this.#track = track;
    this.#analyser?.disconnect();
    this.#analyser = null;
    if (!track) return;
    try {
      this.#audio ??= new AudioContext();
      this.#analyser = new AnalyserNode(this.#audio, { fftSize: this.#samples.length });
      this.#audio.createMediaStreamSource(new MediaStream([track])).connect(this.#analyser);
    } catch {
      this.#analyser = null; // no meter, but a call
    }
  }

  /** @returns {number} 0 to 1 */
  level() {
    if (!this.#analyser || !this.#track?.enabled) return 0;
    if (this.#audio?.state === "suspended") this.#audio.resume().catch(() => {});
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return Math.sqrt(this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length);
  }
}
