// The quick switcher: what is typed is looked up by the server, whose links become a list to choose from.
//
// 1. The focus stays in the field; arrows move the choice, Enter takes it.
// 2. An answer that is older than what is typed is not shown.
// 3. Enter before the answer is there waits for it: nobody goes where an earlier letter would have led.

import { debounced, shape } from "../page.js";

const WAIT = 60;

export class Switcher {
  #asked = 0;
  #shown = 0;
  #active = -1;
  #hasty = false;
  #ask = debounced(WAIT, () => this.#look());

  /** @param {{session: import("../session.js").Session}} by */
  constructor({ session }) {
    this.session = session;
    this.dialog = shape("tpl-switcher");
    this.field = this.dialog.querySelector("input");
    this.list = this.dialog.querySelector("[role=listbox]");
    this.offline = this.dialog.querySelector("[data-offline]");
    this.status = this.dialog.querySelector("[role=status]");
    document.body.append(this.dialog);
    this.field.addEventListener("input", (event) => {
      this.#hasty = false;
      this.#asked += 1;
      if (!event.isComposing) this.#ask();
    });
    this.field.addEventListener("compositionend", () => this.#ask());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.list.addEventListener("pointermove", (event) => this.#point(event));
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", () => this.dialog.close());
    this.dialog.querySelector("[data-close]").addEventListener("click", () => this.dialog.close());
  }

  toggle() {
    if (this.dialog.open) {
      this.dialog.close();
      return;
    }
    this.field.value = "";
    this.list.replaceChildren();
    this.dialog.showModal();
    this.field.focus();
    this.#asked += 1;
    this.#look();
  }

  get #options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  #key(event) {
    if (event.isComposing || event.keyCode === 229 || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const { length } = this.#options;
      if (length > 0) this.#activate((this.#active + step + length) % length);
    } else if (event.key === "Enter") {
      if (this.#shown === this.#asked) this.#options[this.#active]?.click();
      else this.#hasty = true;
    } else return;
    event.preventDefault();
  }

  #point(event) {
    const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    const at = this.#options.indexOf(option);
    if (at >= 0 && at !== this.#active && (event.movementX || event.movementY)) this.#activate(at);
  }

  async #look() {
    const asked = this.#asked;
    const here = document.querySelector("main.room[data-room]")?.dataset.room ?? "";
    let html = null;
    try {
      const answer = await fetch(`/switch?${new URLSearchParams({ q: this.field.value, room: here })}`, {
        headers: { "HX-Request": "true" },
        credentials: "same-origin",
      });
      if (this.session.sentToSignIn(answer)) return;
      if (answer.ok) html = await answer.text();
    } catch {
      // no line
    }
    if (asked !== this.#asked || !this.dialog.open) return;
    this.#shown = asked;
    this.#show(html);
    if (this.#hasty) this.#options[0]?.click();
    this.#hasty = false;
  }

  /** @param {string | null} html of our own templates; null: nobody answered */
  #show(html) {
    this.offline.hidden = html !== null;
    this.list.innerHTML = html ?? "";
    for (const group of this.list.querySelectorAll("section")) {
      group.setAttribute("role", "group");
      group.querySelector("h3").setAttribute("role", "presentation");
    }
    for (const [n, option] of [...this.list.querySelectorAll(".option")].entries()) {
      option.id = `switch-${n}`;
      option.tabIndex = -1;
      option.setAttribute("role", "option");
      option.parentElement.matches("form") && option.parentElement.setAttribute("role", "presentation");
    }
    this.status.textContent = this.list.querySelector("[data-said]")?.dataset.said ?? "";
    this.list.scrollTop = 0;
    this.#activate(0);
  }

  #activate(index) {
    this.#active = index;
    this.field.removeAttribute("aria-activedescendant");
    for (const [n, option] of this.#options.entries()) {
      option.setAttribute("aria-selected", String(n === index));
      if (n !== index) continue;
      this.field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    }
  }
}
