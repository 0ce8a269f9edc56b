// The device's memory. Browsers may forbid it (private windows, blocked cookies):
// then what is written lasts as long as the page, and everything else goes on.

/** A Storage of the page's own. */
export class MemoryStorage {
  #items = new Map();
  get length() {
    return this.#items.size;
  }
  key(index) {
    return [...this.#items.keys()][index] ?? null;
  }
  getItem(name) {
    return this.#items.get(name) ?? null;
  }
  setItem(name, value) {
    this.#items.set(name, String(value));
  }
  removeItem(name) {
    this.#items.delete(name);
  }
}

/** @returns {Storage | MemoryStorage} */
export function deviceStorage() {
  try {
    const storage = window.localStorage;
    storage.setItem("chatapp:try", "1");
    storage.removeItem("chatapp:try");
    return storage;
  } catch {
    return new MemoryStorage();
  }
}

/** @param {Storage} storage @param {(name: string) => boolean} unwanted */
export function removeWhere(storage, unwanted) {
  const names = Array.from({ length: storage.length }, (_, index) => storage.key(index));
  for (const name of names) if (name !== null && unwanted(name)) storage.removeItem(name);
}
