// One connection to one other tab in the call.
//
// Four lines are laid at once, in this order: microphone, camera, picture and sound of the screen. What runs over them
// changes by `replaceTrack`, so after the first offer and answer there is nothing more to negotiate, except a new way
// when the network changes.
//
// "Perfect negotiation" (W3C WebRTC, section 10.7): of two that offer at once, the polite one takes its offer back.
// A signal may be lost (it has no queue behind it), so whoever does not get through offers again by the clock.

import { newKey } from "../outbox.js";

const TOGETHER = 80; // milliseconds in which candidates are collected
const TICK = 1_000;
const CONNECT = 8_000; // until a try counts as failed
const SHAKY = 3_000; // without a way, before another is looked for
const REBUILD_AFTER = 4; // tries
const KINDS = /** @type {const} */ (["audio", "video", "video", "audio"]);

/** Events: "state"; "rebuild" when this connection leads nowhere and a new one should be made. */
export class Peer extends EventTarget {
  session = newKey();
  /** The other side's name for the connection, once it has said something. */
  theirs = "";
  /** @type {RTCRtpTransceiver[]} */
  lines = [];
  #ignores = false;
  /** @type {RTCIceCandidateInit[]} */
  #candidates = [];
  #sending = 0;
  #work = Promise.resolve();
  #tries = 0;
  #triedAt = Date.now();
  #shakyAt = 0;

  /**
   * @param {object} by
   * @param {string} by.id the other's token
   * @param {boolean} by.polite
   * @param {RTCIceServer[]} by.ice
   * @param {(data: object) => void} by.send
   */
  constructor({ id, polite, ice, send }) {
    super();
    this.id = id;
    this.polite = polite;
    this.sendData = send;
    this.camera = new MediaStream();
    this.screen = new MediaStream();
    this.link = new RTCPeerConnection({ iceServers: ice, bundlePolicy: "max-bundle" });
    this.link.onicecandidate = ({ candidate }) => candidate?.candidate && this.#candidate(candidate);
    this.link.onconnectionstatechange = () => this.#moved();
    this.link.ontrack = ({ track, transceiver }) => this.#came(track, transceiver);
    this.timer = setInterval(() => this.#watch(), TICK);
  }

  get state() {
    return this.link.connectionState;
  }

  /** Lays the lines and offers them. */
  begin() {
    if (this.lines.length > 0) return;
    this.lines = KINDS.map((kind) => this.link.addTransceiver(kind, { direction: "sendrecv" }));
    this.dispatchEvent(new Event("lines"));
    this.#queue(() => this.#offer());
  }

  /** Another set of servers, for the next way that is looked for. @param {RTCIceServer[]} ice */
  serve(ice) {
    this.link.setConfiguration({ iceServers: ice, bundlePolicy: "max-bundle" });
  }

  /** Looks for another way. The one there is goes on meanwhile. */
  restart() {
    this.#tries += 1;
    this.#triedAt = Date.now();
    this.#shakyAt = 0;
    if (this.#tries > REBUILD_AFTER) {
      this.dispatchEvent(new Event("rebuild"));
      return;
    }
    if (this.lines.length === 0) this.begin();
    else {
      this.link.restartIce();
      this.#queue(() => this.#offer());
    }
  }

  /** @param {{session?: string, description?: RTCSessionDescriptionInit, candidates?: RTCIceCandidateInit[]}} data */
  take({ description, candidates }) {
    if (description) this.#queue(() => this.#describe(description));
    for (const candidate of candidates ?? []) this.#queue(() => this.#add(candidate));
  }

  close() {
    clearInterval(this.timer);
    clearTimeout(this.#sending);
    this.link.onicecandidate = this.link.onconnectionstatechange = this.link.ontrack = null;
    this.link.close();
  }

  /** One after another: a candidate must not overtake the description it belongs to, nor an answer an offer. */
  #queue(step) {
    this.#work = this.#work.then(() => (this.link.signalingState === "closed" ? undefined : step())).catch(() => {});
  }

  async #offer() {
    if (this.link.signalingState === "have-remote-offer") return;
    await this.link.setLocalDescription(await this.link.createOffer());
    this.#say({ description: plain(this.link.localDescription) });
  }

  async #describe(description) {
    const collides = description.type === "offer" && this.link.signalingState !== "stable";
    this.#ignores = !this.polite && collides;
    if (this.#ignores) return;
    await this.link.setRemoteDescription(description); // takes our offer back where there is one
    if (description.type !== "offer") return;
    this.#adopt();
    await this.link.setLocalDescription();
    this.#say({ description: plain(this.link.localDescription) });
  }

  /** The other side's lines are ours; those of an offer that was taken back are not needed. */
  #adopt() {
    const all = this.link.getTransceivers();
    for (const line of all) if (line.mid === null) line.stop();
    const laid = all.filter((line) => line.mid !== null).sort((a, b) => Number(a.mid) - Number(b.mid)).slice(0, KINDS.length);
    for (const line of laid) line.direction = "sendrecv";
    const isNew = laid.some((line, place) => line !== this.lines[place]);
    this.lines = laid;
    if (isNew) this.dispatchEvent(new Event("lines"));
  }

  async #add(candidate) {
    try {
      await this.link.addIceCandidate(candidate);
    } catch (error) {
      if (!this.#ignores) throw error;
    }
  }

  #candidate(candidate) {
    this.#candidates.push(candidate.toJSON());
    if (this.#sending) return;
    this.#sending = setTimeout(() => {
      this.#sending = 0;
      const candidates = this.#candidates.splice(0);
      if (candidates.length > 0) this.#say({ candidates });
    }, TOGETHER);
  }

  #say(data) {
    this.sendData({ session: this.session, ...data });
  }

  #came(track, line) {
    const place = this.lines.indexOf(line) >= 0 ? this.lines.indexOf(line) : Number(line.mid);
    const stream = place < 2 ? this.camera : this.screen;
    for (const old of stream.getTracks()) if (old.kind === track.kind) stream.removeTrack(old);
    stream.addTrack(track);
    this.dispatchEvent(new Event("tracks"));
  }

  #moved() {
    if (this.state === "connected") {
      this.#tries = 0;
      this.#shakyAt = 0;
    } else if (this.state === "disconnected" || this.state === "failed") this.#shakyAt ||= Date.now();
    this.dispatchEvent(new Event("state"));
  }

  /** The polite one waits a little longer, so that the two do not offer at once. */
  #watch() {
    const now = Date.now();
    const extra = this.polite ? 2_000 : 0;
    if (this.state === "connected") return;
    const shaky = this.#shakyAt !== 0 && now - this.#shakyAt > (this.state === "failed" ? 0 : SHAKY) + extra;
    const stuck = now - this.#triedAt > CONNECT + extra;
    if ((shaky && now - this.#triedAt > SHAKY) || stuck) this.restart();
  }
}

/** @param {RTCSessionDescription | null} description */
function plain(description) {
  return { type: description?.type, sdp: description?.sdp };
}
