// The tiles of a call: one for each person, one for each screen. In a grid, or one large and the others beside it.

import { wear } from "../face.js";
import { shape, words } from "../page.js";

const QUIET = 0.012; // below that nobody is said to speak
const LISTEN = 100;
const HOLD = 10; // rounds for which somebody who paused still counts as speaking
const ME = "me";

/**
 * @typedef {object} Look
 * @property {string} name
 * @property {number} hue
 * @property {string} initials
 * @property {string} [avatar] the id of a picture
 */

export class Stage extends EventTarget {
  /** @type {Map<string, HTMLElement>} by the person's id, and by "screen-" and the id */
  #tiles = new Map();
  #pinned = "";
  #grid = true;
  /** How many rounds somebody is still said to speak. @type {Map<string, number>} */
  #speaking = new Map();
  #loudest = "";
  #levels = () => /** @type {Map<string, number>} */ (new Map());

  /** @param {HTMLElement} element [data-stage] */
  constructor(element) {
    super();
    this.element = element;
    this.words = words("tpl-call-words");
    element.addEventListener("click", ({ target }) => {
      const tile = target instanceof Element && target.closest("[data-pin]")?.closest(".tile");
      if (tile) this.pin(tile.dataset.tile === this.#pinned ? "" : tile.dataset.tile);
    });
    setInterval(() => this.#listen(), LISTEN);
  }

  get grid() {
    return this.#grid;
  }

  /** @param {() => Map<string, number>} levels how loud everybody is just now, 0 to 1 */
  hear(levels) {
    this.#levels = levels;
  }

  /** @param {string} id @param {Look} look @param {string} [label] what to call it instead of the name */
  person(id, { name, hue, initials, avatar: face }, label = name) {
    const tile = this.#tile(id);
    if (tile.dataset.hue !== String(hue)) tile.dataset.hue = String(hue);
    const avatar = tile.querySelector(".avatar");
    if (avatar) {
      avatar.dataset.hue = String(hue);
      wear(avatar, initials, face);
    }
    tile.querySelector("[data-name]").textContent = label;
    return tile;
  }

  /** @param {string} id @param {MediaStream | null} stream @param {{shows: boolean, silent?: boolean, mirrored?: boolean}} how */
  picture(id, stream, { shows, silent = false, mirrored = false }) {
    const video = this.#tile(id).querySelector("video");
    video.muted = silent;
    video.classList.toggle("is-mirrored", mirrored);
    if (video.srcObject !== stream) video.srcObject = stream;
    video.hidden = !shows;
    if (stream && video.paused) video.play().catch((error) => error.name === "NotAllowedError" && this.dispatchEvent(new Event("silenced")));
  }

  /** @param {string} id @param {{mic: boolean, hand: boolean}} state */
  state(id, { mic, hand }) {
    const tile = this.#tile(id);
    tile.querySelector('[data-mark="muted"]').toggleAttribute("hidden", mic);
    tile.querySelector(".raised").hidden = !hand;
    tile.dataset.mic = mic ? "on" : "off";
    this.#say(tile);
  }

  /** @param {string} id @param {boolean} connects whether nothing comes from there just now */
  connecting(id, connects) {
    const tile = this.#tile(id);
    tile.classList.toggle("is-connecting", connects);
    tile.querySelector("[data-note]").hidden = !connects;
  }

  /** @param {string} owner @param {Look | null} look whose screen it is, null for one's own @param {MediaStream | null} stream null: no longer */
  screen(owner, look, stream) {
    const id = `screen-${owner}`;
    if (!stream) {
      this.remove(id);
      return;
    }
    const isNew = !this.#tiles.has(id);
    const tile = this.#tile(id);
    tile.classList.add("screen");
    tile.querySelector(".avatar")?.remove();
    tile.querySelector('[data-mark="screen"]').removeAttribute("hidden");
    tile.querySelector("[data-name]").textContent = look ? this.words.shareOf.replace("%1", look.name) : this.words.yourScreen;
    this.picture(id, stream, { shows: true, silent: look === null });
    if (isNew && look) this.pin(id);
    else this.#arrange();
  }

  /** @param {string} id */
  remove(id) {
    this.#tiles.get(id)?.remove();
    if (!this.#tiles.delete(id)) return;
    if (this.#pinned === id) {
      this.#pinned = "";
      this.#grid = ![...this.#tiles.keys()].some((other) => other.startsWith("screen-"));
    }
    this.#arrange();
  }

  clear() {
    for (const id of [...this.#tiles.keys()]) this.remove(id);
    this.#grid = true;
  }

  /** Shows one large; '' lets whoever speaks be large. @param {string} id */
  pin(id) {
    this.#pinned = id;
    this.#grid = false;
    this.#arrange();
  }

  /** All in one size, or one large. */
  toggleGrid() {
    this.#grid = !this.#grid;
    if (this.#grid) this.#pinned = "";
    this.#arrange();
  }

  /** @returns {HTMLVideoElement | null} the picture that matters most just now */
  mainPicture() {
    const tiles = [this.#tiles.get(this.#main()), ...[...this.#tiles].filter(([id]) => id !== ME).map(([, tile]) => tile)];
    for (const tile of tiles) {
      const video = tile?.querySelector("video");
      if (video && !video.hidden && video.srcObject) return video;
    }
    return null;
  }

  #tile(id) {
    const known = this.#tiles.get(id);
    if (known) return known;
    const tile = shape("tpl-tile");
    tile.dataset.tile = id;
    this.#tiles.set(id, tile);
    this.element.append(tile);
    this.#arrange();
    return tile;
  }

  /** Which tile is large. */
  #main() {
    if (this.#tiles.has(this.#pinned)) return this.#pinned;
    const ids = [...this.#tiles.keys()];
    return ids.find((id) => id.startsWith("screen-") && id !== `screen-${ME}`) ?? (this.#tiles.has(this.#loudest) ? this.#loudest : (ids.find((id) => id !== ME) ?? ME));
  }

  #arrange() {
    const single = this.#grid || this.#tiles.size < 2;
    const main = single ? "" : this.#main();
    this.element.classList.toggle("is-grid", single);
    this.element.style.setProperty("--others", String(Math.max(1, this.#tiles.size - 1)));
    for (const [id, tile] of this.#tiles) {
      tile.classList.toggle("is-main", id === main);
      tile.querySelector("[data-pin]").setAttribute("aria-pressed", String(id === this.#pinned));
    }
    this.dispatchEvent(new CustomEvent("arranged", { detail: main }));
  }

  #listen() {
    if (this.#tiles.size === 0) return;
    let [loudest, most] = ["", QUIET];
    for (const [id, level] of this.#levels()) {
      if (level > QUIET) this.#speaking.set(id, HOLD);
      if (level > most && id !== ME) [loudest, most] = [id, level];
    }
    for (const [id, rounds] of this.#speaking) {
      const tile = this.#tiles.get(id);
      const speaks = rounds > 0 && tile?.dataset.mic !== "off";
      if (tile && tile.classList.contains("is-speaking") !== speaks) {
        tile.classList.toggle("is-speaking", speaks);
        tile.querySelector('[data-mark="speaking"]').toggleAttribute("hidden", !speaks);
        this.#say(tile);
      }
      if (rounds > 0 && tile) this.#speaking.set(id, rounds - 1);
      else this.#speaking.delete(id);
    }
    if (loudest && loudest !== this.#loudest) {
      this.#loudest = loudest;
      if (!this.#grid && !this.#pinned) this.#arrange();
    }
  }

  #say(tile) {
    const speaks = tile.classList.contains("is-speaking");
    tile.querySelector("[data-words]").textContent = speaks ? this.words.speaking : tile.dataset.mic === "off" ? this.words.muted : "";
  }
}
