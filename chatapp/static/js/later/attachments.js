// Files on their way: picked, pasted or dropped; each comes to the server by itself, and the message after them.
//
// 1. What cannot be sent is said before a byte of it is.
// 2. A broken line is no failure: the file waits for it and begins again.
// 3. A message leaves the box when all its files are there; asked for earlier, it goes by itself then.
// 4. What is taken out is taken back from the server.

import { counted, shape, words } from "../page.js";
import { kept } from "../composer.js";

const AT_ONCE = 3;
const PAUSES = [1_000, 2_000, 4_000, 8_000, 15_000];
const TRIES_ON_LINE = 8; // a file that was moved or changed fails like a line
const NOT_NOW = [408, 429, 502, 503, 504];

/** @typedef {{id: string, name: string, kind: string, size: number, width: number, height: number}} Told */

export class Attachments {
  /** @type {Item[]} */
  #items = [];
  #then = null;

  /** @param {import("../composer.js").Composer} composer @param {HTMLElement} place where files may be dropped */
  constructor(composer, place) {
    const { form } = composer;
    this.composer = composer;
    this.list = form.querySelector("[data-attachments]");
    this.input = form.querySelector("input[type=file]");
    this.mb = Number(form.dataset.files);
    this.most = Number(form.dataset.most);
    this.address = form.action.replace(/messages$/, "files");
    this.input.addEventListener("change", () => this.#picked());
    this.#wire(place);
    this.#restore();
    if (this.input.files.length) this.#picked(); // before this module had come
    addEventListener("online", () => this.#next(true));
  }

  #picked() {
    this.add([...this.input.files]);
    this.input.value = "";
    this.composer.focus();
  }

  /** What had come before the page was loaded anew. */
  #restore() {
    let told = [];
    try {
      told = JSON.parse(kept(this.composer.form) || "[]");
    } catch {
      // nothing of ours
    }
    for (const each of told) this.#take(new Item(this, { name: each.name, size: each.size }, each));
    if (told.length) this.changed();
  }

  #take(item) {
    this.#items.push(item);
    this.list.append(item.row);
  }

  #wire(place) {
    place.addEventListener("paste", (event) => {
      const { clipboardData } = event;
      // a table or a page that is copied comes with a picture of itself: the text is what is meant
      if (!clipboardData?.files.length || clipboardData.getData("text/plain")) return;
      event.preventDefault();
      this.add([...clipboardData.files]);
    });
    let depth = 0;
    const over = (by) => {
      depth = Math.max(0, depth + by);
      place.classList.toggle("is-dropping", depth > 0);
    };
    const brings = (event) => event.dataTransfer?.types.includes("Files");
    place.addEventListener("dragenter", (event) => brings(event) && over(1));
    place.addEventListener("dragleave", (event) => brings(event) && over(-1));
    place.addEventListener("drop", (event) => {
      if (!brings(event)) return;
      over(-depth);
      const folders = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()?.isDirectory);
      this.add([...event.dataTransfer.files].filter((_, n) => !folders[n]));
      this.composer.focus();
    });
  }

  /** @param {File[]} files */
  add(files) {
    const { tooMany, fileTooLarge, fileEmpty } = words("tpl-attachment");
    const room = this.most - this.#items.length;
    for (const file of files.slice(0, Math.max(0, room))) {
      const item = new Item(this, file);
      this.#take(item);
      if (file.size > this.mb * 2 ** 20) item.fail(fileTooLarge, false);
      else if (file.size === 0) item.fail(fileEmpty, false);
    }
    this.changed();
    if (files.length > room) this.composer.say(tooMany);
    this.#next();
  }

  get count() {
    return this.#items.length;
  }

  /** @returns {Told[]} */
  get ready() {
    return this.#items.map((item) => item.told);
  }

  /** Whether the message must wait. @param {() => void} then what is done when it need not any more */
  hold(then) {
    const { waiting, failed } = words("tpl-attachment");
    if (this.#items.every((item) => item.told)) return false;
    const stuck = this.#items.some((item) => item.state === "failed");
    this.#then = stuck ? null : then;
    this.composer.say(stuck ? failed : waiting);
    return true;
  }

  /** They are in a message now. */
  clear() {
    this.#items = [];
    this.list.replaceChildren();
    this.composer.box.required = true;
    kept(this.composer.form, "");
  }

  /** @param {Item} item */
  remove(item) {
    const at = this.#items.indexOf(item);
    this.#items.splice(at, 1);
    item.row.remove();
    const next = this.#items[Math.min(at, this.#items.length - 1)];
    (next?.row.querySelector("[data-remove]") ?? this.composer.box).focus();
    this.changed();
    this.#next();
  }

  /** After every change of a file's state. */
  changed() {
    const told = this.ready.filter(Boolean);
    kept(this.composer.form, told.length ? JSON.stringify(told) : "");
    const done = this.#items.length > 0 && this.#items.every((item) => item.told);
    this.composer.box.required = this.#items.length === 0;
    this.composer.look();
    const then = this.#then;
    const stuck = this.#items.some((item) => item.state === "failed");
    if (stuck || !this.#items.length) this.#then = null;
    if (stuck) this.composer.say(words("tpl-attachment").failed); // also when another one comes meanwhile
    else if (done && then) {
      this.#then = null;
      then();
    } else if (done) this.composer.say(counted(words("tpl-attachment").readyOne, words("tpl-attachment").ready, this.#items.length));
    this.#next();
  }

  /** @param {boolean} [atOnce] the line is back: nobody waits for a pause to end */
  #next(atOnce = false) {
    let free = AT_ONCE - this.#items.filter((item) => item.state === "sending").length;
    for (const item of this.#items) {
      if (free > 0 && (item.state === "new" || (atOnce && item.state === "paused"))) {
        item.send();
        free -= 1;
      }
    }
  }

  next() {
    this.#next();
  }
}

class Item {
  /** @type {"new" | "sending" | "paused" | "failed" | "ready"} */
  state = "new";
  /** @type {Told | null} */
  told = null;
  #request = null;
  #tries = 0;
  #timer = 0;

  /** @param {Attachments} all @param {File} file @param {Told | null} told when it has come before */
  constructor(all, file, told = null) {
    this.all = all;
    this.file = file;
    this.told = told;
    const row = (this.row = shape("tpl-attachment"));
    row.querySelector("b").textContent = file.name;
    this.bar = row.querySelector("progress");
    this.note = row.querySelector("[data-note]");
    this.again = row.querySelector("[data-again]");
    for (const [part, word] of [[this.bar, "uploading"], [this.again, "again"], [row.querySelector("[data-remove]"), "remove"]]) {
      part.setAttribute("aria-label", words("tpl-attachment")[word].replace("%s", file.name));
    }
    this.again.addEventListener("click", () => {
      this.#tries = 0;
      this.#show("new");
      all.changed();
      row.querySelector("[data-remove]").focus();
    });
    row.querySelector("[data-remove]").addEventListener("click", () => this.#cancel());
    this.#show(told ? "ready" : "new");
  }

  send() {
    clearTimeout(this.#timer);
    const request = (this.#request = new XMLHttpRequest());
    request.open("POST", `${this.all.address}?name=${encodeURIComponent(this.file.name)}`);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => (this.bar.value = total ? (100 * loaded) / total : 0);
    request.onload = () => this.#answered(request);
    request.onerror = () => this.#broken(navigator.onLine);
    this.#show("sending");
    request.send(this.file);
  }

  #answered({ status, response, getResponseHeader }) {
    if (status === 201) {
      this.told = response;
      this.#show("ready");
      this.all.changed();
    } else if (NOT_NOW.includes(status)) this.#broken(true, response?.message);
    else this.fail(response?.message ?? words("tpl-attachment")[status === 413 ? "fileTooLarge" : "refused"], ![403, 413, 422].includes(status));
  }

  /** @param {boolean} counts whether it was the line that we have */
  #broken(counts, reason) {
    if (counts) this.#tries += 1;
    if (this.#tries > TRIES_ON_LINE) {
      this.fail(reason ?? words("tpl-attachment").broken, true);
      return;
    }
    this.#show("paused");
    const pause = PAUSES[Math.min(this.#tries, PAUSES.length) - 1] ?? PAUSES[0];
    this.#timer = setTimeout(() => {
      this.state = "new";
      this.all.next();
    }, pause * (1 + Math.random() / 2));
    this.all.next();
  }

  /** @param {string} sentence @param {boolean} mayTry */
  fail(sentence, mayTry) {
    this.#show("failed", sentence, mayTry);
    this.all.changed();
    this.all.composer.say(`${this.file.name}: ${sentence}`);
  }

  #cancel() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    if (this.told) fetch(`/files/${this.told.id}`, { method: "DELETE", credentials: "same-origin" }).catch(() => {});
    this.all.remove(this);
  }

  #show(state, sentence = "", mayTry = false) {
    this.state = state;
    this.row.classList.toggle("is-failed", state === "failed");
    this.bar.hidden = state !== "sending";
    this.again.hidden = !mayTry;
    this.note.hidden = state === "sending";
    const { pausedNote, newNote } = words("tpl-attachment");
    this.note.textContent = { new: newNote, paused: pausedNote, ready: size(this.file.size), failed: sentence }[state] ?? "";
  }
}

/** @param {number} bytes @returns {string} as templating.py says it */
function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  let unit = 0;
  for (; bytes >= 999.5 && unit < 3; unit += 1) bytes /= 1000;
  return `${bytes.toFixed(unit && bytes < 9.95 ? 1 : 0)}\u00a0${units[unit]}`;
}

/** The files of a message that is on its way, as the server will draw them. @param {HTMLElement} row @param {Told[]} files */
export function show(row, files) {
  const list = shape("tpl-files");
  const [picture, other] = list.children;
  list.replaceChildren(...files.map((file) => {
    const item = (file.kind === "picture" ? picture : other).cloneNode(true);
    const link = item.querySelector("a");
    if (file.kind === "picture") {
      const image = item.querySelector("img");
      const scale = Math.min(1, 416 / file.width, 320 / file.height);
      link.href = `/files/${file.id}/${encodeURIComponent(file.name)}`;
      Object.assign(image, { width: Math.round(file.width * scale), height: Math.round(file.height * scale), alt: file.name });
      image.src = `/thumbnails/${file.id}`;
    } else {
      item.querySelector("bdi").textContent = file.name;
      item.querySelector(".file-name span").textContent = size(file.size);
      for (const button of item.querySelectorAll("a")) button.remove();
    }
    return item;
  }));
  row.querySelector(".msg-body")?.after(list);
}
