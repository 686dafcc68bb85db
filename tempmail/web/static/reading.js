// Which mail is open. Its id is in the page's address, so a reload keeps it and Back closes it.

import * as api from "./api.js";
import * as list from "./list.js";
import * as view from "./message.js";
import { words } from "./words.js";

let box = null;
let tellSeen = null;
let shown = null;
// The mails that were opened: they stay readable when the address is gone.
let opened = new Map();

/** Read the mail of a box; `seen` is called when one was read for the first time. */
export function begin(found, seen) {
  [box, tellSeen, shown, opened] = [found, seen, null, new Map()];
}

/** Leave the box. */
export function end() {
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  [box, shown] = [null, null];
  view.close();
  document.body.classList.remove("reading");
}

/** Close the mail that is open, if there is one. */
export function leave() {
  if (shown !== null) location.hash = "";
}

/** Show what the page's address says. */
export function follow() {
  const id = new URLSearchParams(location.hash.slice(1)).get("mail");
  if (id === shown || (id !== null && !list.mails.has(id))) return;
  const before = shown;
  shown = id;
  list.setOpen(id);
  document.body.classList.toggle("reading", id !== null);
  if (id !== null) {
    open(id);
  } else {
    view.close();
    list.focusOn(before);
  }
}

async function open(id) {
  const [from, summary] = [box, list.mails.get(id)];
  const here = () => shown === id && box === from;
  if (!opened.has(id)) {
    view.showOpening(summary);
    view.focusTitle();
    try {
      const mail = await api.message(from, id);
      if (box === from) opened.set(id, mail);
    } catch (failure) {
      const there = ![404, 410].includes(failure.status);
      if (here()) view.showFailure(summary, there ? api.reason(failure) : words.mail_gone);
      return;
    }
  }
  if (!here()) return;
  view.showMail(from, opened.get(id));
  view.focusTitle();
  if (summary.seen) return;
  list.setSeen(id);
  tellSeen();
  // That nobody else learns it is no reason to disturb the reader.
  api.markSeen(from, id).catch(() => {});
}
