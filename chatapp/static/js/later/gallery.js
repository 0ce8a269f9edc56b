// A picture in large, with those around it; or a text. A dialog: Escape closes it, arrows go on.

import { shape, words } from "../page.js";

const TEXT_MOST = 200_000;

/** @param {HTMLAnchorElement} link */
export function open(link) {
  const dialog = shape("tpl-gallery");
  document.body.append(dialog);
  const gallery = new Gallery(dialog, link);
  dialog.addEventListener("close", () => {
    dialog.remove();
    document.querySelector(`a[data-view][href="${CSS.escape(gallery.link.getAttribute("href"))}"]`)?.focus();
  });
  gallery.show(link);
  dialog.showModal();
}

class Gallery {
  constructor(dialog, link) {
    this.dialog = dialog;
    this.link = link;
    this.stage = dialog.querySelector(".stage-of-one");
    this.around = link.closest(".timeline") ?? document;
    for (const [name, step] of [["[data-previous]", -1], ["[data-next]", 1]]) {
      dialog.querySelector(name).addEventListener("click", () => this.#step(step));
    }
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", ({ target }) => target === this.stage && dialog.close());
    dialog.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step && this.link.dataset.view === "picture") this.#step(step);
    });
  }

  /** Those that are in the room's window now; more may come while one looks. */
  get #all() {
    return [...this.around.querySelectorAll("a[data-view=picture]")];
  }

  /** Where one is among them. Rows may have been drawn anew meanwhile, so its address counts. */
  #place(all) {
    return all.findIndex(({ href }) => href === this.link.href);
  }

  #step(by) {
    const all = this.#all;
    const next = all[this.#place(all) + by];
    if (next) this.show(next);
  }

  /** @param {HTMLAnchorElement} link */
  show(link) {
    this.link = link;
    const picture = link.dataset.view === "picture";
    const all = this.#all;
    const at = this.#place(all);
    const { dialog } = this;
    const name = (picture ? link.querySelector("img").alt : link.closest("li")?.querySelector("bdi")?.textContent) ?? "";
    dialog.querySelector("h2").textContent = name;
    dialog.querySelector("[data-place]").textContent =
      picture && all.length > 1 ? words("tpl-gallery").place.replace("%n", at + 1).replace("%m", all.length) : "";
    const [previous, next] = [dialog.querySelector("[data-previous]"), dialog.querySelector("[data-next]")];
    previous.hidden = next.hidden = !picture || all.length < 2;
    // a button that is disabled would swallow the keys of whoever has just pressed it
    previous.ariaDisabled = String(at <= 0);
    next.ariaDisabled = String(at === all.length - 1);
    const download = dialog.querySelector("[data-download]");
    Object.assign(download, { href: link.href, download: name });
    if (picture) this.#picture(link, name);
    else void this.#text(link);
  }

  #picture(link, name) {
    const image = new Image();
    const [width, height] = link.dataset.size?.split(" ") ?? [];
    if (width) Object.assign(image, { width, height });
    image.alt = name;
    image.src = link.href;
    this.stage.replaceChildren(image);
  }

  async #text(link) {
    const pre = document.createElement("pre");
    pre.tabIndex = 0;
    pre.dir = "auto";
    this.stage.replaceChildren(pre);
    try {
      const answer = await fetch(link.href, { credentials: "same-origin" });
      pre.textContent = answer.ok ? (await answer.text()).slice(0, TEXT_MOST) : words("tpl-gallery").gone;
    } catch {
      pre.textContent = words("tpl-gallery").gone;
    }
  }
}
