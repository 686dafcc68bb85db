// Every word the page says. Another language is another object with the same names.

const en = {
  your_address: "Your address",
  making_address: "making an address…",
  copy: "Copy",
  copied: "Copied",
  copy_code: (code) => `Copy the code ${code}`,
  code_copied: (code) => `The code ${code} was copied.`,
  new_address: "New address",
  delete_address: "Delete",
  delete_really: "Delete this address and all of its mail, now and for good?",
  delete_yes: "Delete",
  delete_no: "Keep it",
  also_held: "Also yours:",
  left: (time) => `${time} left`,
  time_over: "The time is over",
  one_minute: "One minute is left for this address. You can extend it.",
  extend: "Extend",
  extended: (time) => `Extended: ${time} left.`,
  at_its_longest: "It can not be extended any further.",
  expired: (time) => `This address expired at ${time}. Its mail is deleted.`,
  deleted: "This address and its mail are deleted.",
  forgotten: "The server does not know this address any more.",
  replaced: "The server does not know the earlier address any more. This one is new.",
  not_restored: "This address can not be had again.",
  restore: "Same address again",
  inbox: "Inbox",
  empty: "Waiting for mail. It shows here by itself, the moment it comes.",
  try_it: "To see how that looks, send one from a shell:",
  no_subject: "(no subject)",
  no_sender: "(no sender)",
  new_mail: (from, subject) => `New mail from ${from}: ${subject}`,
  new_mails: (count) => `${count} new mails`,
  now: "now",
  unread: "unread",
  attachments_mark: (count) => (count === 1 ? "1 attachment" : `${count} attachments`),
  open_link: (host) => `Open ${host}`,
  back: "Back to the inbox",
  opening: "Opening…",
  mail_gone: "This mail is not there any more.",
  from: "From",
  to: "To",
  received: "Received",
  tab_html: "HTML",
  tab_text: "Text",
  views: "How to show the mail",
  no_text: "This mail has no text.",
  html_title: "The mail, as its sender laid it out",
  images_held: (hosts) =>
    `Pictures are held back: to load them tells ${hosts.length === 1 ? hosts[0] : `${hosts.length} hosts`} that you read this.`,
  load_images: "Load pictures",
  attachments: "Attachments",
  unnamed: "unnamed",
  download: "Download as .eml",
  private_box: "Only this browser, and whoever runs this server, can read the mail of this address.",
  public_box: "Anyone who knows this address can read its mail.",
  notice:
    "When the time is over all of it is deleted. Do not use it for an account that you want to keep.",
  interface: "For programs: the HTTP interface",
  state_connecting: "Connecting…",
  state_live: "Live",
  state_retry: (seconds) => `Reconnecting in ${seconds} s`,
  state_offline: "Offline",
  lost: "The connection is lost; trying again.",
  back_again: "Connected again.",
  unreachable: "The server can not be reached just now.",
  trying_again: (why) => `No address yet: ${why} Trying again.`,
};

const languages = { en };

/** The language in use: the first of the reader's that we have. */
export const language =
  navigator.languages.map((tag) => tag.split("-")[0]).find((tag) => tag in languages) ?? "en";

export const words = languages[language];

const ago = new Intl.RelativeTimeFormat(language, { style: "short" });
const clock = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });

/** How long ago that was, in words. */
export function age(milliseconds) {
  const seconds = milliseconds / 1000;
  if (seconds < 45) return words.now;
  if (seconds < 45 * 60) return ago.format(-Math.round(seconds / 60), "minute");
  if (seconds < 22 * 3600) return ago.format(-Math.round(seconds / 3600), "hour");
  return ago.format(-Math.round(seconds / 86400), "day");
}

/** A time of the day, and a whole point in time. */
export const timeOfDay = (instant) => clock.format(new Date(instant));
export const pointInTime = (instant) => moment.format(new Date(instant));

/** A span as a countdown shows it: 9:41, 1:00:00. */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (number) => String(number).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A size as people say it. */
export function size(octets) {
  if (octets < 1000) return `${octets} B`;
  if (octets < 1e6) return `${Math.round(octets / 1000)} kB`;
  return `${(octets / 1e6).toFixed(1)} MB`;
}
