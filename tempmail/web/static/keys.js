// The keyboard, for those who leave the mouse alone.

import { copy, extend, mintAnother, openDialog } from "./actions.js";
import { removeOpen } from "./reading.js";
import { leave, replace } from "./route.js";
import { currentBox, get, inboxOf, keyOf, openIn, summaryOf } from "./state.js";

const FIELDS = "input:not([readonly]), textarea, select, [contenteditable]";
const NARROW = matchMedia("(max-width: 59.99rem)");

/** The list's next mail in this direction: the focus goes there, or, with no list in sight, it opens. */
function step(way) {
  const s = get();
  const { summaries } = inboxOf(s, s.current);
  const open = openIn(s);
  const focused = summaries.findIndex((mail) => rowOf(mail.id) === document.activeElement);
  const from = focused >= 0 ? focused : summaries.findIndex((mail) => mail.id === open?.id);
  const mail = summaries[Math.min(summaries.length - 1, Math.max(0, from + way))];
  if (!mail) return;
  if (open && NARROW.matches) replace(s.current, mail.id);
  else rowOf(mail.id)?.focus();
}

const rowOf = (id) => document.getElementById(`mail-${id}`);

/** The code of the open mail, or else the newest there is. */
function copyCode() {
  const s = get();
  const open = openIn(s) && summaryOf(s, s.open);
  const mail = open?.code ? open : inboxOf(s, s.current).summaries.find((one) => one.code);
  if (mail) copy(keyOf(s.current, mail.id), mail.code);
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  u: leave,
  Escape: leave,
  c: copyCode,
  n: mintAnother,
  e: extend,
  d: removeOpen,
  "?": () => openDialog("keys"),
};

/** A key was pressed, here or in a mail's frame. */
export function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (get().dialog || event.target.closest?.(FIELDS)) return;
  const act = KEYS[event.key];
  if (!act || (event.key === "n" && !currentBox(get()) && !get().left)) return;
  event.preventDefault();
  act();
}
