// How good the call is: sends less to each the more there are, and shows what goes and comes.

const EVERY = 2_000;

// By the number of others, up to: bits a second of a camera, by how much it is smaller, pictures a second, bits of a screen.
const STEPS = [
  { upTo: 1, camera: 1_500_000, smaller: 1, rate: 30, screen: 2_500_000 },
  { upTo: 3, camera: 700_000, smaller: 1.5, rate: 30, screen: 1_500_000 },
  { upTo: Infinity, camera: 350_000, smaller: 2, rate: 20, screen: 800_000 },
];

/** @param {number} others */
export function stepFor(others) {
  return STEPS.find((step) => others <= step.upTo);
}

/** Limits what a connection sends. @param {import("./peer.js").Peer} peer @param {number} others */
export function limit(peer, others) {
  const step = stepFor(others);
  const wanted = [null, { maxBitrate: step.camera, scaleResolutionDownBy: step.smaller, maxFramerate: step.rate }, { maxBitrate: step.screen }];
  peer.lines.forEach((line, place) => wanted[place] && tune(line.sender, wanted[place]));
}

async function tune(sender, values) {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings ?? [];
  if (!encoding || Object.entries(values).every(([name, value]) => encoding[name] === value)) return;
  Object.assign(encoding, values);
  await sender.setParameters(parameters).catch(() => {}); // asked again when something changes
}

/** The table of what goes and comes, while somebody looks at it. */
export class Quality {
  /** Bytes when last asked, by id. @type {Map<string, {at: number, sent: number, got: number}>} */
  #last = new Map();
  #timer = 0;

  /**
   * @param {object} by
   * @param {HTMLElement} by.element [data-quality]
   * @param {HTMLElement} by.empty shown instead while there is nobody
   * @param {DOMStringMap} by.words
   * @param {() => Iterable<[string, import("./peer.js").Peer]>} by.peers by name
   */
  constructor({ element, empty, words, peers }) {
    this.element = element;
    this.empty = empty;
    this.words = words;
    this.peers = peers;
  }

  start() {
    this.stop();
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), EVERY);
  }

  stop() {
    clearInterval(this.#timer);
    this.#last.clear();
  }

  async #draw() {
    const rows = await Promise.all([...this.peers()].map(async ([name, peer]) => [name, this.#measure(peer, await peer.link.getStats())]));
    this.element.hidden = rows.length === 0;
    this.empty.hidden = rows.length > 0;
    this.element.querySelector("tbody").replaceChildren(...rows.map(([name, found]) => this.#row(name, found)));
  }

  #measure(peer, stats) {
    const found = { trip: null, lost: 0, came: 0, sent: 0, got: 0, width: 0, height: 0 };
    for (const report of stats.values()) {
      if (report.type === "candidate-pair" && report.nominated && report.state === "succeeded") {
        found.trip = report.currentRoundTripTime ?? found.trip;
        found.sent = report.bytesSent ?? 0;
        found.got = report.bytesReceived ?? 0;
      } else if (report.type === "inbound-rtp") {
        found.lost += Math.max(0, report.packetsLost ?? 0);
        found.came += report.packetsReceived ?? 0;
        if ((report.frameWidth ?? 0) > found.width) [found.width, found.height] = [report.frameWidth, report.frameHeight];
      }
    }
    const [at, last] = [performance.now(), this.#last.get(peer.id)];
    this.#last.set(peer.id, { at, sent: found.sent, got: found.got });
    const rate = (now, before) => (last ? Math.max(0, Math.round(((now - before) * 8) / (at - last.at))) : null);
    return { ...found, sends: rate(found.sent, last?.sent ?? 0), gets: rate(found.got, last?.got ?? 0) };
  }

  #row(name, { trip, lost, came, gets, sends, width, height }) {
    const { unitMs, unitPercent, unitRate } = this.words;
    const said = (form, value) => (value === null ? "–" : form.replace("%n", String(value)));
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.append(document.createElement("bdi"));
    head.firstElementChild.textContent = name;
    const cells = [
      said(unitMs, trip === null ? null : Math.round(trip * 1000)),
      said(unitPercent, came + lost > 0 ? Math.round((lost / (came + lost)) * 1000) / 10 : null),
      said(unitRate, gets), said(unitRate, sends), width ? `${width} × ${height}` : "–",
    ];
    row.append(head, ...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
    return row;
  }
}
