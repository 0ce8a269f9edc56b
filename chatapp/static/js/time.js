// Instants in the reader's own zone. The server writes UTC; day lines, clock words
// and "Today" follow this device's calendar.

const MONTHS_LOCALE = { en: "en-GB" }; // the server's own words are "Tuesday 15 April", day first

const two = (number) => String(number).padStart(2, "0");

/**
 * The local calendar day of an instant. Local getters, not arithmetic on milliseconds:
 * a day with a clock change has 23 or 25 hours.
 * @param {Date} date
 * @returns {string} "2026-11-25"
 */
export function dayKey(date) {
  return `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** @param {string} key @param {number} days @returns {string} the key that many days on */
export function shiftDay(key, days) {
  const [year, month, day] = key.split("-").map(Number);
  return dayKey(new Date(year, month - 1, day + days, 12));
}

/** @param {Date} now @returns {number} milliseconds until the local calendar turns */
export function untilMidnight(now) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1).getTime() - now.getTime();
}

/** The words for one language, kept because making a formatter is slow. */
export class Calendar {
  /** @param {string} lang @param {{today: string, yesterday: string}} words */
  constructor(lang, words) {
    const locale = MONTHS_LOCALE[lang] ?? lang;
    this.words = words;
    this.day = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
    this.dayOfYear = new Intl.DateTimeFormat(locale, {
      weekday: "long", day: "numeric", month: "long", year: "numeric",
    });
    this.full = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "long" });
  }

  /** @param {Date} date @returns {string} "14:06" */
  clock(date) {
    return `${two(date.getHours())}:${two(date.getMinutes())}`;
  }

  /** @param {Date} date @returns {string} "14:06", with the day when it is not today */
  moment(date) {
    const key = dayKey(date);
    const today = dayKey(new Date());
    return key === today ? this.clock(date) : `${this.dayWords(key, today)}, ${this.clock(date)}`;
  }

  /** @param {Date} date @returns {string} the whole date, with the zone: 02:30 may come twice in one night */
  title(date) {
    return this.full.format(date);
  }

  /** @param {string} key @param {string} today @returns {string} */
  dayWords(key, today) {
    if (key === today) return this.words.today;
    if (key === shiftDay(today, -1)) return this.words.yesterday;
    const [year, month, day] = key.split("-").map(Number);
    const date = new Date(year, month - 1, day, 12);
    return (key.slice(0, 4) === today.slice(0, 4) ? this.day : this.dayOfYear).format(date).replace(",", "");
  }
}

/** @returns {string} the cookie that lets the server draw day lines in the reader's zone, or "" when it is unknown */
export function zoneCookie(zone = Intl.DateTimeFormat().resolvedOptions().timeZone) {
  // an IANA name needs no escaping; anything else is not sent
  if (!/^[A-Za-z0-9_+/-]{1,64}$/.test(zone ?? "")) return "";
  return `tz=${zone}; Path=/; Max-Age=31536000; SameSite=Lax`;
}
