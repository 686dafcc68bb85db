// New mail, by itself: one request for all boxes of this browser, held by the server until there is
// some, and the next one after it.
//
// A browser opens six connections to a host, for all tabs together. So where tabs can agree
// (navigator.locks, in secure contexts) one of them waits and tells the others: the one that came
// into sight last, for a hidden one may be suspended. Where they can not agree, the tab in sight
// waits, and one that is hidden looks from time to time.

import * as api from "./api.js";
import { PLACE } from "./boxes.js";
import { announce, notify, say } from "./announce.js";
import * as mail from "./mail.js";
import { Pause, pauseAfter } from "./patience.js";
import { change, get, inboxOf } from "./state.js";
import { t } from "./words.js";

const WAIT_SECONDS = 50;
const GRACE_SECONDS = 15;
const MOST_BOXES = 50;
const LOOK_EVERY = 10_000;
const CHECK_EVERY = 60_000;
const AT_ONCE = 1000;

let leading = false;
// Whether the reader was told that the connection is lost.
let away = false;
// Whether the next request is to be answered at once.
let fresh = true;
let nudged = false;
let asking = null;
const pause = new Pause();

/** Ask anew, now: something is different. With `look` the answer comes at once. */
export function nudge(look = true) {
  nudged = true;
  fresh ||= look;
  asking?.abort();
  pause.end();
}

/** Say how we are connected; the tab that waits says it for all. */
export function setConnection(connection) {
  const { state } = connection;
  if (state === "live" && away) say(t("connected_again"));
  if (["retry", "offline"].includes(state) && !away) say(t("connection_lost"));
  if (state !== "connecting") away = state !== "live";
  change({ connection });
  if (leading) mail.tell({ kind: "connection", connection });
}

/** Whether there is no network at all, as far as the browser knows. */
export const lost = (milliseconds) =>
  setConnection(
    navigator.onLine
      ? { state: "retry", retryAt: Date.now() + milliseconds }
      : { state: "offline" },
  );

/** Begin; goes on for as long as the page is open. */
export function begin() {
  mail.hear((event) => {
    if (event.kind === "entries") announce(mail.entries(event.found));
    if (event.kind === "connection" && !leading) change({ connection: event.connection });
  });
  lead({ steal: !document.hidden });
  addEventListener("online", () => nudge());
  addEventListener("offline", () => nudge());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !leading) lead({ steal: true });
    if (!document.hidden || !navigator.locks) nudge();
  });
  run();
}

/** Be the tab that waits, until another one takes that over. */
async function lead(options) {
  try {
    await navigator.locks?.request(`${PLACE}wait`, options, () => {
      leading = true;
      nudge(false);
      // Held till the tab is closed.
      return new Promise(() => {});
    });
  } catch {
    leading = false;
    nudge(false);
    lead({});
  }
}

/** The boxes that may get mail: the one in sight, and the latest of the others. */
function inQuestion({ boxes, current }) {
  const alive = boxes.filter((box) => !box.ended);
  const inSight = (box) => box.address === current;
  return [...alive.filter((box) => !inSight(box)), ...alive.filter(inSight)].slice(-MOST_BOXES);
}

const waiting = () => leading || !(navigator.locks || document.hidden);

async function run() {
  for (let failures = 0; ; ) {
    nudged = false;
    const watched = inQuestion(get());
    try {
      if (watched.length) await look(watched, waiting() && !fresh ? WAIT_SECONDS : 0);
      else if (get().boxes.length) await knock();
      failures = 0;
      if (!nudged && !(watched.length && waiting())) {
        await pause.take(navigator.locks && watched.length ? CHECK_EVERY : LOOK_EVERY);
      }
    } catch (failure) {
      if (!(failure instanceof api.Failure)) throw failure;
      if (nudged && navigator.onLine) continue;
      failures += 1;
      fresh = true;
      const milliseconds = pauseAfter(failures, failure.retryAfter);
      lost(milliseconds);
      await pause.take(milliseconds);
    }
  }
}

/** Where all boxes are over there is nothing to wait for, but whether we are connected still counts. */
async function knock() {
  change({ domains: await api.domains() });
  setConnection({ state: "live" });
}

async function look(watched, timeout) {
  const started = Date.now();
  const asked = watched.map(({ address, token }) => ({
    address,
    token,
    after: inboxOf(get(), address).cursor,
  }));
  if (get().connection.state === "retry") change({ connection: { state: "connecting" } });
  const { mailboxes: found } = await request(asked, timeout);
  fresh = found.some((one) => one.messages?.length);
  const news = mail.entries(found);
  mail.tell({ kind: "entries", found });
  announce(news);
  notify(news);
  for (const one of found) await repair(one);
  const idle = !found.some((one) => one.problem || one.messages.length);
  if (timeout && idle && Date.now() - started < AT_ONCE) {
    // It would not hold us: it stops.
    throw new api.Failure(503, "");
  }
  setConnection({ state: "live" });
}

/** Mail that was deleted elsewhere is missed by its number. */
async function repair({ address, message_count: count, problem }) {
  const box = get().boxes.find((one) => one.address === address);
  if (problem || !box || fresh || inboxOf(get(), address).summaries.length === count) return;
  const { messages } = await api.list(box);
  if (messages.length < api.MOST_LISTED) mail.replaced(address, messages);
}

async function request(asked, timeout) {
  asking = new AbortController();
  // A connection may be dead without anybody knowing.
  const timer = setTimeout(() => asking.abort(), (timeout + GRACE_SECONDS) * 1000);
  try {
    return await api.wait(asked, timeout, asking.signal);
  } finally {
    clearTimeout(timer);
    asking = null;
  }
}
