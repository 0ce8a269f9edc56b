// Which way media goes: directly while the call is small (mesh.js), through the media server when it is large (sfu.js).
// The server says which; a call grows once, and then all change over.

import { Mesh } from "./mesh.js";
import { Sfu } from "./sfu.js";

/** The interface and the events of both, from whichever is used now. */
export class Way extends EventTarget {
  #joined = /** @type {any[]} */ ([]);

  /** As Mesh takes it. */
  constructor(by) {
    super();
    this.mesh = new Mesh(by);
    this.sfu = new Sfu(by);
    /** @type {Mesh | Sfu} */
    this.now = this.mesh;
    for (const way of [this.mesh, this.sfu]) {
      for (const type of ["peer", "gone", "state", "fed"]) {
        way.addEventListener(type, (event) => way === this.now && this.dispatchEvent(new CustomEvent(type, { detail: event.detail })));
      }
    }
  }

  get peers() { return this.now.peers; }
  get states() { return this.now.states; }
  get id() { return this.now.id; }
  get hand() { return this.now.hand; }
  set hand(raised) { this.mesh.hand = this.sfu.hand = raised; }

  joined(...given) {
    this.#joined = given;
    this.now.joined(...given);
  }

  /** @param {import("./mesh.js").Person[]} people @param {boolean} isLarge */
  people(people, isLarge) {
    const next = isLarge ? this.sfu : this.mesh;
    if (next !== this.now) this.#change(next);
    next.people(people);
  }

  away() { this.now.away(); }
  leave() { this.now.leave(); }
  tell(to) { this.now.tell(to); }
  restart() { this.now.restart(); }
  look(id) { this.sfu.look(id); }

  #change(next) {
    const { id, states } = this.now;
    const known = [...states];
    this.now.leave();
    this.now = next;
    if (!id) return;
    for (const [other, state] of known) next.states.set(other, state);
    next.joined(...this.#joined);
  }
}
