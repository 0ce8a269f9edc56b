// A small call: each tab sends to each other directly. Who is in it the server says; this makes a connection for each,
// gives it what this tab sends, and passes signals.

import { Peer } from "./peer.js";

const WAITING_MOST = 200; // signals while there is no line
const FIRST_WORD = 3_000; // how long one waits for the other's offer before making one

/** @typedef {{id: string, user: number, name: string, hue: number, initials: string, avatar: string}} Person */

/** Events: "peer" with the peer that is new or changed; "gone" with its id; "state" with {id, state, was} of what another sends, and sent before. */
export class Mesh extends EventTarget {
  /** @type {Map<string, Peer>} */
  peers = new Map();
  /** What the others send, by id. @type {Map<string, {mic: boolean, camera: boolean, hand: boolean, screen: string}>} */
  states = new Map();
  id = "";
  hand = false;
  /** @type {RTCIceServer[]} */
  #ice = [];
  /** @type {Person[]} */
  #people = [];
  /** @type {object[]} */
  #waiting = [];
  #joined = false;

  /**
   * @param {object} by
   * @param {number} by.room
   * @param {import("../socket.js").Socket} by.socket
   * @param {import("./devices.js").Devices} by.devices
   */
  constructor({ room, socket, devices }) {
    super();
    this.room = room;
    this.socket = socket;
    this.devices = devices;
    devices.addEventListener("changed", () => this.#sendAgain());
    socket.on("signal", (frame) => frame.room === room && this.id && this.#hear(frame));
  }

  /** The server has us in the call under a token; the same as before when only the line was new. */
  joined(id, ice) {
    if (id !== this.id) {
      for (const other of [...this.peers.keys()]) this.#drop(other);
      this.#waiting = [];
    }
    this.id = id;
    this.#ice = ice;
    this.#joined = true;
    for (const peer of this.peers.values()) peer.serve(ice);
    for (const frame of this.#waiting.splice(0)) this.socket.send(frame);
    this.people(this.#people);
    this.tell();
  }

  /** The line is down: what is said waits. */
  away() {
    this.#joined = false;
  }

  /** @param {Person[]} people who is in the call, in the order in which they came */
  people(people) {
    this.#people = people;
    if (!this.id) return;
    const mine = people.findIndex((person) => person.id === this.id);
    if (mine < 0) return; // the server will say what that means
    for (const id of [...this.peers.keys()]) if (!people.some((person) => person.id === id)) this.#drop(id);
    people.forEach((person, place) => {
      if (place === mine || this.peers.has(person.id)) return;
      const peer = this.#make(person.id);
      // whoever came later begins
      if (place < mine) peer.begin();
      else setTimeout(() => this.peers.get(person.id) === peer && peer.begin(), FIRST_WORD);
    });
  }

  leave() {
    for (const id of [...this.peers.keys()]) this.#drop(id);
    this.id = "";
    this.#joined = false;
    this.#waiting = [];
    this.states.clear();
  }

  /** What this tab sends, told to one or to all. @param {string} [to] */
  tell(to = "") {
    const { micOn, camera, screen } = this.devices;
    const state = { mic: micOn, camera: camera !== null, hand: this.hand, screen: screen ? screen.id.slice(0, 64) : "" };
    if (to || this.peers.size > 0) this.#send(to, { state });
  }

  /** The network is another one: every connection looks for a new way. */
  restart() {
    for (const peer of this.peers.values()) peer.restart();
  }

  #make(id) {
    const peer = new Peer({ id, polite: this.id < id, ice: this.#ice, send: (data) => this.#send(id, data) });
    this.peers.set(id, peer);
    peer.addEventListener("lines", () => this.#feed(peer));
    peer.addEventListener("tracks", () => this.#changed(peer));
    peer.addEventListener("rebuild", () => this.#replace(id).begin());
    peer.addEventListener("state", () => {
      if (peer.state === "connected") this.tell(id);
      this.#changed(peer);
    });
    this.#changed(peer);
    return peer;
  }

  #replace(id) {
    this.peers.get(id)?.close();
    this.peers.delete(id);
    return this.#make(id);
  }

  #drop(id) {
    this.peers.get(id)?.close();
    this.peers.delete(id);
    this.states.delete(id);
    this.dispatchEvent(new CustomEvent("gone", { detail: id }));
  }

  #hear({ from, data }) {
    if (data.state) {
      const was = this.states.get(from);
      this.states.set(from, data.state);
      this.dispatchEvent(new CustomEvent("state", { detail: { id: from, state: data.state, was } }));
    }
    if (!data.session) return;
    let peer = this.peers.get(from);
    // they began anew: what we have leads nowhere
    if (!peer) peer = this.#make(from);
    else if (peer.theirs && peer.theirs !== data.session) {
      if (data.description?.type !== "offer") return;
      peer = this.#replace(from);
    }
    peer.theirs = data.session;
    peer.take(data);
  }

  #send(to, data) {
    const frame = { type: "signal", room: this.room, data, ...(to ? { to } : {}) };
    if (this.#joined && this.socket.send(frame)) return;
    this.#waiting.push(frame);
    this.#waiting.splice(0, this.#waiting.length - WAITING_MOST);
  }

  #sendAgain() {
    for (const peer of this.peers.values()) this.#feed(peer);
    if (this.id) this.tell();
  }

  /** Puts what this tab sends onto a connection's lines. */
  #feed(peer) {
    const { mic, camera, screen } = this.devices;
    const tracks = [mic, camera, screen?.getVideoTracks()[0] ?? null, screen?.getAudioTracks()[0] ?? null];
    peer.lines.forEach((line, place) => {
      if (line.sender.track !== tracks[place]) line.sender.replaceTrack(tracks[place]).catch(() => {});
    });
    this.dispatchEvent(new CustomEvent("fed", { detail: peer }));
  }

  #changed(peer) {
    this.dispatchEvent(new CustomEvent("peer", { detail: peer }));
  }
}
