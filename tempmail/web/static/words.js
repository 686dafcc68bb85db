// The page in the reader's language. Each language is one file of words, fetched when it is spoken.

import { keep, recall } from "./boxes.js";

/** The languages there are, each by its own name. */
export const LANGUAGES = {
  en: "English",
  "zh-CN": "中文（简体）",
  es: "Español",
  de: "Deutsch",
  fr: "Français",
  ja: "日本語",
  ru: "Русский",
  ar: "العربية",
};

const RIGHT_TO_LEFT = ["ar"];
const FROM_RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

let words = {};
let language = "en";
let formats = makeFormats();

/** The language in use. */
export const inUse = () => language;

/** The reader's choice, or the first of the browser's languages that there is. */
export function preferred() {
  const chosen = recall("language");
  if (chosen in LANGUAGES) return chosen;
  const base = (tag) => tag.split("-")[0];
  const found = navigator.languages.map((tag) =>
    Object.keys(LANGUAGES).find((one) => base(one) === base(tag)),
  );
  return found.find(Boolean) ?? "en";
}

const wordsOf = async (wanted) => (await import(`./words/${wanted}.js`)).default;

/** Use a language; where its words can not be fetched, English. */
export async function speak(wanted) {
  try {
    [words, language] = [await wordsOf(wanted), wanted];
  } catch {
    [words, language] = [await wordsOf("en"), "en"];
  }
  formats = makeFormats();
  document.documentElement.lang = language;
  document.documentElement.dir = RIGHT_TO_LEFT.includes(language) ? "rtl" : "ltr";
  // Of the operator's own lines only what they are is ours to say.
  for (const one of document.querySelectorAll("[data-word]")) {
    one.textContent = t(one.dataset.word);
  }
}

/** Use a language from now on. */
export async function choose(wanted) {
  keep("language", wanted);
  await speak(wanted);
}

/** Words by their name; `{name}` in them becomes the value given. `count` chooses the form. */
export function t(name, values = {}) {
  const found = words[name];
  const form = typeof found === "string" ? found : pluralOf(found, values.count);
  return form.replace(/\{(\w+)\}/g, (_, key) =>
    key === "count" ? formats.number.format(values.count) : values[key],
  );
}

const pluralOf = (forms, count) => forms[formats.plural.select(count)] ?? forms.other;

/** What a stranger wrote, for where it can have no element of its own: it turns nothing round. */
export function isolated(text) {
  const plain = text.replace(BIDI_CONTROLS, "");
  return FROM_RIGHT.test(plain + document.documentElement.dir.replace("rtl", "\u0627"))
    ? `\u2068${plain}\u2069`
    : plain;
}

function makeFormats() {
  // The day and the hour are written as where the reader lives, if that is in this language.
  const region = navigator.languages.find((tag) => tag.startsWith(language)) ?? language;
  const unit = (name, unitDisplay) =>
    new Intl.NumberFormat(language, {
      style: "unit",
      unit: name,
      unitDisplay,
      maximumFractionDigits: 1,
    });
  return {
    number: new Intl.NumberFormat(language),
    plural: new Intl.PluralRules(language),
    ago: new Intl.RelativeTimeFormat(language, { style: "narrow" }),
    moment: new Intl.DateTimeFormat(region, { dateStyle: "medium", timeStyle: "medium" }),
    units: Object.fromEntries(
      ["second", "minute", "hour", "day"].map((name) => [name, unit(name, "long")]),
    ),
    sizes: ["byte", "kilobyte", "megabyte"].map((name) => unit(name, "short")),
  };
}

/** How long ago that was, in words. */
export function age(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 45) return t("now");
  if (seconds < 45 * 60) return formats.ago.format(-Math.round(seconds / 60), "minute");
  if (seconds < 22 * 3600) return formats.ago.format(-Math.round(seconds / 3600), "hour");
  return formats.ago.format(-Math.round(seconds / 86400), "day");
}

/** A point in time. */
export const pointInTime = (instant) => formats.moment.format(new Date(instant));

/** A span as a countdown shows it: 9:41, 1:00:00. */
export function countdown(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A lifetime in words: 10 minutes, 1 hour. */
export function lifetime(seconds) {
  const sizes = { day: 86400, hour: 3600, minute: 60, second: 1 };
  const unit = Object.keys(sizes).find((name) => seconds % sizes[name] === 0);
  return formats.units[unit].format(seconds / sizes[unit]);
}

/** A size as people say it. */
export function size(octets) {
  const step = octets < 1000 ? 0 : octets < 1e6 ? 1 : 2;
  return formats.sizes[step].format(octets / 1000 ** step);
}

/** Who sent a mail: the name, or else the address. */
export const senderOf = (mail) => mail.from?.name || mail.from?.address || t("no_sender");

export const subjectOf = (mail) => mail.subject || t("no_subject");

/** Why an address is no more. */
export const endText = (end) =>
  ({ expired: t("expired"), deleted: t("was_deleted"), forgotten: t("forgotten") })[end];
