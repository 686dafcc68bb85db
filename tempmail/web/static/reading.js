// What the reader can do with mail.

import * as api from "./api.js";
import { focusOn, gone, reason } from "./actions.js";
import { say } from "./announce.js";
import * as boxes from "./boxes.js";
import { nudge } from "./live.js";
import * as mail from "./mail.js";
import * as route from "./route.js";
import {
  boxOf,
  change,
  currentBox,
  endOf,
  get,
  inboxOf,
  keyOf,
  openIn,
  summaryOf,
} from "./state.js";
import { t } from "./words.js";

const MOST_SOURCE = 512 * 1024;

/** Show the mail that the page's address names, or the list. */
export function follow(asked) {
  const s = get();
  const box = asked && boxOf(s, asked.address);
  if (!box) {
    const before = s.open;
    if (asked) route.forget();
    change({ open: null });
    if (before) focusOn(`#mail-${CSS.escape(before.id)}`);
    return;
  }
  if (s.current !== asked.address) boxes.use(asked.address);
  change({ open: asked, tab: null, problem: "" });
  focusOn("#subject");
  fetchWhole(box, asked.id);
}

async function fetchWhole(box, id) {
  const key = keyOf(box.address, id);
  if (!get().whole[key]?.mail) {
    const found = await wholeOf(box, id);
    change({ whole: { ...get().whole, [key]: found } });
    if (!found.mail) return;
  }
  if (!summaryOf(get(), { address: box.address, id })?.seen) {
    mail.happens({ kind: "seen", address: box.address, id });
    // That nobody else learns it is no reason to disturb the reader.
    api.markSeen(box, id).catch(() => {});
  }
}

async function wholeOf(box, id) {
  try {
    return { mail: await api.message(box, id) };
  } catch (failure) {
    return { failure: why(failure) };
  }
}

const why = (failure) =>
  [404, 410].includes(failure.status) ? t("mail_gone") : reason(failure);

/** Show the open mail another way. */
export function chooseTab(tab) {
  change({ tab });
  const { open, sources } = get();
  const key = keyOf(open.address, open.id);
  const failed = sources[key]?.failure;
  if (tab === "source" && (sources[key] === undefined || failed)) fetchSource(open, key);
}

async function fetchSource({ address, id }, key) {
  const set = (found) => change({ sources: { ...get().sources, [key]: found } });
  set(null);
  try {
    set({ text: await api.source(boxOf(get(), address), id, MOST_SOURCE) });
  } catch (failure) {
    set({ failure: why(failure) });
  }
}

/** Let remote images in. */
export function loadImages() {
  const { open, loaded } = get();
  change({ loaded: { ...loaded, [keyOf(open.address, open.id)]: true } });
  focusOn("#tab-html");
}

/** Delete the open mail. */
export async function removeOpen() {
  const open = openIn(get());
  const box = currentBox(get());
  if (!open || endOf(get(), box)) return;
  const { summaries } = inboxOf(get(), open.address);
  const at = summaries.findIndex((one) => one.id === open.id);
  const next = summaries[at + 1] ?? summaries[at - 1];
  try {
    await gone(api.removeMessage(box, open.id));
  } catch (failure) {
    change({ problem: reason(failure) });
    nudge();
    return;
  }
  mail.happens({ kind: "dropped", ...open });
  route.forget();
  say(t("mail_deleted"));
  focusOn(next ? `#mail-${CSS.escape(next.id)}` : "#address");
}
