// What the reader can do with addresses.

import * as api from "./api.js";
import { say } from "./announce.js";
import * as boxes from "./boxes.js";
import { copy as toClipboard } from "./clipboard.js";
import { lost, nudge, setConnection } from "./live.js";
import * as mail from "./mail.js";
import { Pause, pauseAfter } from "./patience.js";
import * as route from "./route.js";
import { afterRender, boxOf, change, currentBox, endOf, get, leftOf } from "./state.js";
import { choose as chooseWords, countdown, t } from "./words.js";

const COPIED_FOR = 2000;

/** Why something failed, in words. What the server says is English. */
export function reason(failure) {
  if (!(failure instanceof api.Failure)) throw failure;
  if (failure.status === 0) return t("unreachable");
  if (failure.status === 409) return t("taken");
  if (failure.status === 422) return t("refused", { why: failure.message });
  if (failure.status === 429) return t("too_many");
  if (failure.status === 503) return t("server_busy");
  return `${failure.message}.`;
}

/** Put the focus on something, once it is there. */
export const focusOn = (selector) =>
  afterRender(() => document.querySelector(selector)?.focus());

/** Do something that may fail, once at a time; says why it failed, and resolves to whether not. */
async function attempt(task, report = (problem) => change({ problem })) {
  if (get().busy) return false;
  change({ busy: true });
  report("");
  try {
    await task();
    return true;
  } catch (failure) {
    report(reason(failure));
    nudge();
    return false;
  } finally {
    change({ busy: false });
  }
}

// --- having an address ---

function keepNew(minted) {
  const lifetime = Date.parse(minted.expires_at) - Date.parse(minted.created_at);
  const { address, token, restore_key, expires_at, max_expires_at } = minted;
  const box = { address, token, restore_key, expires_at, max_expires_at, lifetime };
  mail.cleared(address);
  boxes.put({ ...box, public: minted.public, ended: null });
  show(address);
  nudge();
}

/** Bring an address into sight, with its list. */
export function show(address) {
  route.forget();
  boxes.use(address);
  change({ problem: "", now: api.now() });
}

/** The first address of a visit, asked for already, however long the server takes to give one. */
export async function mintFirst(asked) {
  const pause = new Pause();
  addEventListener("online", () => pause.end());
  for (let failures = 1; !get().boxes.length; failures += 1) {
    try {
      keepNew(await (failures === 1 ? asked : api.mint()));
      change({ problem: "" });
    } catch (failure) {
      change({ problem: t("no_address_yet", { why: reason(failure) }) });
      const milliseconds = pauseAfter(failures, failure.retryAfter);
      lost(milliseconds);
      await pause.take(milliseconds);
      setConnection({ state: "connecting" });
    }
  }
}

/** Another address. One whose time is over goes for it. */
export async function mintAnother() {
  const before = currentBox(get());
  await attempt(async () => {
    keepNew(await api.mint());
    if (before && endOf(get(), before)) boxes.forget(before.address);
    say(t("new_address_is", { address: get().current }));
  });
}

/** The address that was wished for; why it is not to be had shows in the dialog. */
export async function mintWished(wish) {
  if (await attempt(async () => keepNew(await api.mint(wish)), alterDialog("problem"))) {
    closeDialog();
    focusOn("#address");
  }
}

/** Longer, by as long as it was to live, as far as that is allowed. */
export const extend = () => {
  const box = currentBox(get());
  if (!box || endOf(get(), box) || isLongest(box)) return;
  attempt(async () => {
    const wished = leftOf(get(), box) + box.lifetime;
    const most = Date.parse(box.max_expires_at) - api.now();
    const seconds = Math.max(1, Math.floor(Math.min(wished, most) / 1000));
    const { expires_at, max_expires_at } = await api.extend(box, seconds);
    boxes.alter(box.address, { expires_at, max_expires_at });
    say(t("extended", { time: countdown(Date.parse(expires_at) - api.now()) }));
  });
};

/** Whether extending changes nothing any more. */
export const isLongest = (box) =>
  Date.parse(box.max_expires_at) - Date.parse(box.expires_at) < 1000;

/** The same address again: as it was kept for us, or, of a server that forgot it, made anew. */
export const restore = () => {
  const box = currentBox(get());
  attempt(async () => {
    keepNew(await restored(box));
    say(t("new_address_is", { address: box.address }));
  });
};

async function restored(box) {
  try {
    return await api.restore(box);
  } catch (failure) {
    if (failure.status !== 404) throw failure;
    const at = box.address.lastIndexOf("@");
    const [local_part, domain] = [box.address.slice(0, at), box.address.slice(at + 1)];
    return api.mint({ local_part, domain });
  }
}

/** Delete the address in sight and its mail; another one comes into sight if there is one. */
export async function remove() {
  const box = currentBox(get());
  change({ dialog: null });
  await attempt(async () => {
    await gone(api.remove(box));
    boxes.forget(box.address);
    mail.cleared(box.address);
    route.forget();
    const [next] = get().boxes.slice(-1);
    if (next) boxes.use(next.address);
    else change({ current: null, left: "deleted" });
    say(t("deleted"));
    focusOn("#address, #over button");
  });
}

/** What is to go and is not there is as good as gone. */
export async function gone(request) {
  try {
    await request;
  } catch (failure) {
    if (![404, 410].includes(failure.status)) throw failure;
  }
}

/** Delete all mail of the address in sight. */
export async function empty() {
  const box = currentBox(get());
  change({ dialog: null });
  await attempt(async () => {
    await api.empty(box);
    route.forget();
    mail.happens({ kind: "emptied", address: box.address });
    say(t("emptied"));
    focusOn("#address");
  });
}

// --- small things ---

let copiedTimer = 0;

/** Copy a text; `name` says which thing on the page was copied, and shows so for a moment. */
export async function copy(name, text) {
  if (!(await toClipboard(text))) {
    change({ problem: t("not_copied") });
    return;
  }
  say(t("copied_text", { text }));
  change({ copied: name });
  clearTimeout(copiedTimer);
  copiedTimer = setTimeout(() => change({ copied: null }), COPIED_FOR);
}

/** Show a dialog. */
export async function openDialog(name) {
  const { current, domains } = get();
  change({ dialog: { name, address: current } });
  try {
    if (name === "choose" && !domains) change({ domains: await api.domains() });
    if (name === "qr") alterDialog("code")((await drawing()).draw(current));
  } catch (failure) {
    alterDialog("problem")(reason(failure));
  }
}

/** The module that draws. */
const drawing = () =>
  import("./qr.js").catch((error) => {
    throw new api.Failure(0, String(error));
  });

const alterDialog = (part) => (value) => {
  const { dialog } = get();
  if (dialog) change({ dialog: { ...dialog, [part]: value } });
};

export const closeDialog = () => change({ dialog: null });

/** Speak another language. */
export async function chooseLanguage(language) {
  await chooseWords(language);
  change({});
}

/** Another tab changed what is kept. */
export function follow() {
  const before = get();
  boxes.load();
  const s = get();
  for (const box of s.boxes) {
    const old = boxOf(before, box.address);
    // Restored, by another tab.
    if (old && old.token !== box.token) mail.cleared(box.address);
  }
  if (before.current && !s.current) {
    const [next] = s.boxes.slice(-1);
    if (next) boxes.use(next.address);
    else change({ left: "deleted" });
    route.forget();
  } else if (!s.current && s.boxes.length) {
    boxes.use(s.boxes.at(-1).address);
  }
  nudge();
}
