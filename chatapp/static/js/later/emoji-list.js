// The emoji and what they are called, from the file that the server reads as well.

/** @typedef {{sign: string, name: string, codes: string[], words: string, tones: string[]}} Entry */

/** @type {Promise<Emoji> | null} */
let loading = null;

export class Emoji {
  /** @param {[string, any[]][]} file */
  constructor(file) {
    /** @type {{name: string, entries: Entry[]}[]} */
    this.groups = file.map(([name, rows]) => ({
      name,
      entries: rows.map(([sign, label, codes, words, tones = []]) => ({ sign, name: label, codes: codes.split(" "), words, tones })),
    }));
    this.all = this.groups.flatMap((group) => group.entries);
    this.bySign = new Map(this.all.map((entry) => [entry.sign, entry]));
  }

  /** Once for the page; tried again when it failed. @returns {Promise<Emoji>} */
  static load() {
    loading ??= fetch(new URL("../../vendor/emoji.json", import.meta.url))
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
      .then((file) => new Emoji(file));
    loading.catch(() => (loading = null));
    return loading;
  }

  /** Those with a code like what is typed, the likeliest first. @param {string} typed @returns {{sign: string, code: string}[]} */
  completing(typed) {
    const found = [];
    for (const [order, { sign, codes }] of this.all.entries()) {
      const code = codes.find((each) => each.startsWith(typed)) ?? codes.find((each) => each.includes(typed));
      if (!code) continue;
      const rank = code === typed ? 0 : code.startsWith(typed) ? 1 : code.includes(`_${typed}`) ? 2 : 3;
      found.push({ sign, code, rank, order });
    }
    return found.sort((a, b) => a.rank - b.rank || a.order - b.order);
  }

  /** Those that have all these words in what they are called. @param {string} asked @returns {Entry[]} */
  search(asked) {
    const words = asked.toLowerCase().replace(/[:_]/g, " ").split(/\s+/).filter(Boolean);
    const rank = (entry) => {
      const names = ` ${entry.name} ${entry.codes.join(" ").replaceAll("_", " ")}`.toLowerCase();
      const all = `${names} ${entry.words.toLowerCase()}`;
      if (!words.every((word) => all.includes(word))) return -1;
      if (entry.codes.includes(words.join("_"))) return 0;
      return words.every((word) => names.includes(` ${word}`)) ? 1 : words.every((word) => all.includes(` ${word}`)) ? 2 : 3;
    };
    return this.all
      .map((entry, order) => ({ entry, order, rank: rank(entry) }))
      .filter((found) => found.rank >= 0)
      .sort((a, b) => a.rank - b.rank || a.order - b.order)
      .map((found) => found.entry);
  }

  /** An emoji in a skin tone, 1 to 5, or as it is. @param {Entry} entry @param {number} tone */
  toned(entry, tone) {
    return entry.tones[tone - 1] ?? entry.sign;
  }
}
