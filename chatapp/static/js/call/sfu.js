// A large call: this tab sends once, to the media server, and gets of the others what it wants from there.
//
// Two connections, both with the media server; our server passes descriptions and candidates. Whatever goes wrong with
// either, both are made anew under a new name: there is one way out, and it is always the same.

import { Far } from "./far.js";
import { newKey } from "../outbox.js";

const KINDS = /** @type {const} */ (["audio", "video", "video", "audio"]);
// of a camera; the media server gives each what it wants to see. By the others' number, up to: 2 is the largest
const LAYERS = [
  { rid: "h", maxBitrate: 1_200_000 },
  { rid: "m", maxBitrate: 350_000, scaleResolutionDownBy: 2 },
  { rid: "l", maxBitrate: 120_000, scaleResolutionDownBy: 4 },
];
const SIZES = [{ upTo: 2, layer: 2 }, { upTo: 8, layer: 1 }, { upTo: Infinity, layer: 0 }];
const WANTS_MOST = 64; // lines: what the server takes
const SCREEN = { maxBitrate: 1_500_000 };
const TOGETHER = 80; // milliseconds in which candidates, and wishes, are collected
const TICK = 1_000;
const CONNECT = 12_000;
const SHAKY = 4_000; // without a way
const PAUSES = [300, 1_000, 2_000, 4_000, 8_000]; // before another try

/** The events of mesh.js. */
export class Sfu extends EventTarget {
  /** @type {Map<string, Far>} */
  peers = new Map();
  states = new Map();
  id = "";
  hand = false;
  #session = "";
  /** @type {RTCPeerConnection | null} */
  #sends = null;
  /** @type {RTCPeerConnection | null} */
  #gets = null;
  #ice = [];
  #people = [];
  #joined = false;
  #failures = 0;
  #badSince = 0;
  #again = 0;
  #wishing = 0;
  #wished = "";
  #main = "";
  #work = Promise.resolve();

  /** As Mesh takes it. */
  constructor({ room, socket, devices }) {
    super();
    this.room = room;
    this.socket = socket;
    this.devices = devices;
    devices.addEventListener("changed", () => {
      this.#feed();
      if (this.id) this.tell();
    });
    socket.on("signal", (frame) => frame.room === room && this.id && frame.data.state && this.#hear(frame));
    socket.on("media", (frame) => frame.room === room && frame.session === this.#session && this.#told(frame.data));
    setInterval(() => this.#watch(), TICK);
  }

  /** @param {string} id @param {RTCIceServer[]} ice @param {string} session the one that the server still has */
  joined(id, ice, session = "") {
    if (id !== this.id) this.#stop();
    this.id = id;
    this.#ice = ice;
    this.#joined = true;
    this.people(this.#people);
    if (!this.#session || session !== this.#session) this.#begin();
    this.tell();
  }

  away() {
    this.#joined = false;
  }

  people(people) {
    this.#people = people;
    if (!this.id) return;
    for (const id of [...this.peers.keys()]) if (!people.some((person) => person.id === id)) this.#drop(id);
    const fresh = people.filter(({ id }) => id !== this.id && !this.peers.has(id));
    for (const { id } of fresh) {
      const far = new Far(id, () => this.#gets?.connectionState ?? "", () => this.#sent());
      this.peers.set(id, far);
      this.#changed(far);
    }
    if (fresh.length > 0) this.tell(fresh.length === 1 ? fresh[0].id : "");
    this.#wish();
  }

  leave() {
    for (const id of [...this.peers.keys()]) this.#drop(id);
    this.#stop();
    this.id = "";
    this.#joined = false;
    this.#people = [];
    this.#failures = 0;
    this.states.clear();
  }

  /** What this tab sends, told to one or to all. @param {string} [to] */
  tell(to = "") {
    if (!this.#joined || (!to && this.peers.size === 0)) return;
    const { micOn, camera, screen } = this.devices;
    const state = { mic: micOn, camera: camera !== null, hand: this.hand, screen: screen ? screen.id.slice(0, 64) : "" };
    this.socket.send({ type: "signal", room: this.room, data: { state }, ...(to ? { to } : {}) });
  }

  /** The network may be another one. */
  restart() {
    if (this.#session && !this.#isGood()) this.#begin();
  }

  /** Whose tile is large, and so worth the largest picture. @param {string} id */
  look(id) {
    this.#main = id;
    this.#wish();
  }

  // -- one session ----------------------------------------------------------------

  async #begin() {
    this.#stop();
    const session = newKey();
    const link = new RTCPeerConnection({ iceServers: this.#ice, bundlePolicy: "max-bundle" });
    this.#session = session;
    this.#sends = link;
    this.#badSince = Date.now();
    KINDS.forEach((kind, place) => {
      const sendEncodings = place === 1 ? LAYERS : place === 2 ? [SCREEN] : undefined;
      link.addTransceiver(kind, { direction: "sendonly", ...(sendEncodings ? { sendEncodings } : {}) });
    });
    this.#feed();
    this.#collect(link, "sending");
    try {
      await link.setLocalDescription(await link.createOffer());
    } catch {
      return; // closed meanwhile
    }
    if (this.#session !== session) return;
    this.#say({ offer: link.localDescription?.sdp });
    this.#wished = "";
    this.#wish();
  }

  #stop() {
    clearTimeout(this.#again);
    this.#session = "";
    this.#wished = "";
    for (const link of [this.#sends, this.#gets]) {
      if (!link) continue;
      link.onicecandidate = link.onconnectionstatechange = null;
      link.close();
    }
    this.#sends = this.#gets = null;
    for (const far of this.peers.values()) if (far.take([])) this.#changed(far);
  }

  #fail() {
    this.#stop();
    const pause = PAUSES[Math.min(this.#failures, PAUSES.length - 1)];
    this.#failures += 1;
    this.#again = setTimeout(() => this.#joined && this.id && this.#begin(), pause * (0.5 + Math.random()));
  }

  #told({ answer, offer, lines, over }) {
    if (over) {
      this.#fail();
      return;
    }
    const session = this.#session;
    const step = (act) => {
      this.#work = this.#work.then(() => (this.#session === session ? act() : undefined)).catch(() => this.#session === session && this.#fail());
    };
    if (answer) step(() => this.#sends?.setRemoteDescription({ type: "answer", sdp: answer }));
    if (offer) step(() => this.#offered(offer, lines ?? []));
  }

  async #offered(offer, lines) {
    const session = this.#session;
    if (!this.#gets) {
      this.#gets = new RTCPeerConnection({ iceServers: this.#ice, bundlePolicy: "max-bundle" });
      this.#gets.onconnectionstatechange = () => this.#came();
      this.#collect(this.#gets, "receiving");
    }
    const link = this.#gets;
    await link.setRemoteDescription({ type: "offer", sdp: offer });
    await link.setLocalDescription();
    if (this.#session !== session) return;
    this.#say({ answer: link.localDescription?.sdp });
    const by = new Map(link.getTransceivers().map((line) => [line.mid, line]));
    const there = () => [...this.peers.values()].filter((far) => far.state === "connected");
    const before = new Set(there());
    for (const far of this.peers.values()) {
      const theirs = [];
      for (const { mid, id, line } of lines) if (id === far.id && by.has(mid)) theirs[line] = by.get(mid);
      far.take(theirs);
      this.#changed(far);
    }
    const late = there().filter((far) => !before.has(far)); // they have heard nothing from us yet
    if (late.length === 1) this.tell(late[0].id);
    else if (late.length > 1) this.tell();
  }

  /** All come over one connection: when it moves, everybody does. */
  #came() {
    if (this.#gets?.connectionState === "connected") this.tell();
    for (const far of this.peers.values()) this.#changed(far);
  }

  #collect(link, name) {
    let candidates = [];
    link.onicecandidate = ({ candidate }) => {
      if (!candidate?.candidate) return;
      if (candidates.push(candidate.toJSON()) > 1) return;
      setTimeout(() => {
        if (link === this.#sends || link === this.#gets) this.#say({ [name]: candidates });
        candidates = [];
      }, TOGETHER);
    };
  }

  #isGood() {
    return this.#sends?.connectionState === "connected" && (!this.#gets || this.#gets.connectionState === "connected");
  }

  #watch() {
    if (!this.#session) return;
    const states = [this.#sends?.connectionState, this.#gets?.connectionState];
    if (this.#isGood()) {
      this.#badSince = 0;
      if (this.#gets) this.#failures = 0;
      return;
    }
    this.#badSince ||= Date.now();
    const patience = states.includes("failed") ? 0 : states.includes("disconnected") ? SHAKY : CONNECT;
    if (Date.now() - this.#badSince > patience) this.#fail();
  }

  /** Puts what this tab sends onto its lines. */
  #feed() {
    const { mic, camera, screen } = this.devices;
    const tracks = [mic, camera, screen?.getVideoTracks()[0] ?? null, screen?.getAudioTracks()[0] ?? null];
    this.#sends?.getTransceivers().forEach(({ sender }, place) => {
      if (sender.track !== tracks[place]) sender.replaceTrack(tracks[place]).catch(() => {});
    });
  }

  /** Asks for everybody's sound, for screens, and for the cameras there are; where many are shown, for small ones. */
  #wish() {
    if (this.#wishing) return;
    this.#wishing = setTimeout(() => {
      this.#wishing = 0;
      if (!this.#session || !this.#joined) return;
      const { layer } = SIZES.find(({ upTo }) => this.peers.size <= upTo);
      const ids = [...this.peers.keys()];
      const wants = [
        ...ids.map((id) => ({ id, line: 0 })),
        ...ids.filter((id) => this.states.get(id)?.screen).flatMap((id) => [{ id, line: 2 }, { id, line: 3 }]),
        ...ids.filter((id) => this.states.get(id)?.camera ?? true).map((id) => ({ id, line: 1, layer: id === this.#main ? 2 : layer })),
      ].slice(0, WANTS_MOST);
      const wished = JSON.stringify(wants);
      if (wished !== this.#wished && this.#say({ wants })) this.#wished = wished;
    }, TOGETHER);
  }

  #hear({ from, data }) {
    const was = this.states.get(from);
    this.states.set(from, data.state);
    this.#wish();
    this.dispatchEvent(new CustomEvent("state", { detail: { id: from, state: data.state, was } }));
  }

  #drop(id) {
    this.peers.delete(id);
    this.states.delete(id);
    this.dispatchEvent(new CustomEvent("gone", { detail: id }));
  }

  /** @returns {boolean} whether it is on its way */
  #say(data) {
    return this.#joined && this.socket.send({ type: "media", room: this.room, session: this.#session, data });
  }

  async #sent() {
    for (const report of (await this.#sends?.getStats())?.values() ?? []) {
      if (report.type === "candidate-pair" && report.nominated) return report.bytesSent ?? 0;
    }
    return 0;
  }

  #changed(far) {
    this.dispatchEvent(new CustomEvent("peer", { detail: far }));
  }
}
