// Another tab in a large call: what of it comes from the media server. As peer.js to the rest of the page.

export class Far {
  /** What comes of its four lines, in the order of peer.js. @type {RTCRtpTransceiver[]} */
  lines = [];
  camera = new MediaStream();
  screen = new MediaStream();
  /** @type {{getStats: () => Promise<Map<string, any>>}} */
  link = { getStats: () => this.#stats() };

  /**
   * @param {string} id its token
   * @param {() => RTCPeerConnectionState | ""} comes how the connection is over which all come
   * @param {() => Promise<number>} sent how many bytes this tab has sent to all
   */
  constructor(id, comes, sent) {
    this.id = id;
    this.comes = comes;
    this.sent = sent;
  }

  get state() {
    return this.lines[0] && this.comes() === "connected" ? "connected" : "connecting";
  }

  /** @param {RTCRtpTransceiver[]} lines by their place, with holes @returns {boolean} whether they are others than before */
  take(lines) {
    const isNew = [0, 1, 2, 3].some((place) => lines[place] !== this.lines[place]);
    this.lines = lines;
    fill(this.camera, [lines[0], lines[1]]);
    fill(this.screen, [lines[2], lines[3]]);
    return isNew;
  }

  /** Only what is this tab's, as if it had a connection of its own. */
  async #stats() {
    const found = new Map();
    let [pair, got] = [null, 0];
    for (const line of this.lines.filter(Boolean)) {
      for (const report of (await line.receiver.getStats()).values()) {
        if (report.type === "candidate-pair" && report.nominated) pair = report;
        if (report.type !== "inbound-rtp") continue;
        found.set(report.id, report);
        got += report.bytesReceived ?? 0;
      }
    }
    if (pair) found.set(pair.id, { ...pair, type: pair.type, bytesReceived: got, bytesSent: await this.sent() });
    return found;
  }
}

function fill(stream, lines) {
  const tracks = lines.filter(Boolean).map((line) => line.receiver.track);
  for (const old of stream.getTracks()) if (!tracks.includes(old)) stream.removeTrack(old);
  for (const track of tracks) stream.addTrack(track);
}
