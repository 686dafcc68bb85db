// The list of mails, newest first.

import { now } from "./api.js";
import { $, chips, el, senderOf } from "./dom.js";
import { age, pointInTime, words } from "./words.js";

export const hashOf = (id) => `#mail=${encodeURIComponent(id)}`;

const rows = new Map();

/** The mails in the list, by id. */
export const mails = new Map();

/** Put a mail on top. */
export function add(mail) {
  if (mails.has(mail.id)) return;
  mails.set(mail.id, mail);
  const row = el(
    "li",
    {},
    el(
      "a.row",
      { href: hashOf(mail.id) },
      el("span.unseen.unread-word"),
      el("bdi.sender", { title: mail.from?.address ?? "" }, senderOf(mail)),
      el("time", { datetime: mail.received_at, title: pointInTime(mail.received_at) }),
      el("span.subject", { dir: "auto" }, mail.subject || words.no_subject),
      el("span.preview", { dir: "auto" }, mail.preview),
      mail.attachment_count
        ? el("span.mark-attached", {}, words.attachments_mark(mail.attachment_count))
        : null,
    ),
    chips(mail),
  );
  rows.set(mail.id, row);
  $("list").prepend(row);
  showSeen(mail);
  $("empty").hidden = true;
  tellAge(mail);
}

/** Mark a mail as read. */
export function setSeen(id) {
  const mail = mails.get(id);
  if (!mail) return;
  mail.seen = true;
  showSeen(mail);
}

function showSeen(mail) {
  const row = rows.get(mail.id);
  row.classList.toggle("unread", !mail.seen);
  row.querySelector(".unread-word").textContent = mail.seen ? "" : words.unread;
}

/** Which mail is open, null for none. */
export function setOpen(id) {
  for (const [one, row] of rows) {
    const link = row.querySelector("a.row");
    if (one === id) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

/** Put the focus where a mail is listed. */
export const focusOn = (id) => rows.get(id)?.querySelector("a.row").focus();

/** Take a mail out. */
export function drop(id) {
  rows.get(id)?.remove();
  rows.delete(id);
  mails.delete(id);
  $("empty").hidden = mails.size > 0;
}

/** Empty the list. */
export function clear() {
  for (const id of [...mails.keys()]) drop(id);
}

/** How many were not read yet. */
export const unreadCount = () => [...mails.values()].filter((mail) => !mail.seen).length;

/** Say how old each mail is. */
export function tellAges() {
  for (const mail of mails.values()) tellAge(mail);
}

function tellAge(mail) {
  const told = rows.get(mail.id).querySelector("time");
  const text = age(now() - Date.parse(mail.received_at));
  if (told.textContent !== text) told.textContent = text;
}
