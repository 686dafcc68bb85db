// The page: which address is shown, what its buttons do, and what the poll brings.

import * as api from "./api.js";
import * as boxes from "./boxes.js";
import { $, copies, el, fillWords, say, senderOf } from "./dom.js";
import * as list from "./list.js";
import { Poll, pauseAfter, rest } from "./poll.js";
import * as reading from "./reading.js";
import { language, span, timeOfDay, words } from "./words.js";

const { now, reason } = api;
const WARN_BEFORE = 60_000;
const SLEPT_AFTER = 20_000;

let box = null;
let poll = null;
let over = false;
let warned = false;
// Whether the server knows the address; of one that was kept this shows only when it answers.
let known = false;
let away = false;
let retryAt = 0;

// --- which address ---

/** Show an address that is kept, and listen for its mail. */
function show(found) {
  leave();
  box = found;
  reading.begin(box, showTitle);
  const [domain] = box.address.match(/@[^@]*$/);
  $("address").replaceChildren(box.address.slice(0, -domain.length), el("wbr"), domain);
  $("command").textContent = testCommand(box.address);
  $("who").textContent = box.public ? words.public_box : words.private_box;
  setOver(null);
  setState("connecting");
  showOthers();
  tick();
  poll = new Poll(box, { page: received, live, lost, gone });
}

/** Let go of the address shown. */
function leave() {
  poll?.stop();
  poll = null;
  if (box) reading.end();
  box = null;
  known = warned = false;
  list.clear();
  showTitle();
  $("problem").textContent = "";
}

/** A line for a shell that has a mail arrive here. It goes to the one port this page knows. */
function testCommand(address) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const mail = {
    to: address,
    from: "me@example.org",
    subject: "Welcome",
    body: "Your code is 493817.",
  };
  const url = new URL("send", document.baseURI).href;
  return `curl --json ${quoted(JSON.stringify(mail))} ${quoted(url)}`;
}

async function makeNew() {
  boxes.use(await api.mint());
  show(boxes.current());
}

/** The first address of a visit, however long the server takes to give one. */
async function makeFirst(note = "") {
  setState("connecting");
  $("holding").hidden = true;
  $("address").textContent = words.making_address;
  for (let failures = 1; ; failures += 1) {
    try {
      await makeNew();
      $("problem").textContent = note;
      return;
    } catch (failure) {
      $("problem").textContent = words.trying_again(reason(failure));
      const pause = pauseAfter(failures, failure.retryAfter);
      lost(pause);
      await rest(pause);
    }
  }
}

function showOthers() {
  const entry = (one) =>
    el("li", {}, el("button.text", { click: () => (boxes.use(one), show(one)) }, one.address));
  const found = boxes.others();
  $("others").querySelector("ul").replaceChildren(...found.map(entry));
  $("others").hidden = !found.length;
}

// --- its time ---

/** Say why the address is no more, or, with null, that it is. */
function setOver(why, restorable = false) {
  over = why !== null;
  $("over").hidden = !over;
  $("holding").hidden = over;
  $("restore").hidden = !restorable;
  $("address").classList.toggle("gone", over);
  $("inbox").hidden = over && !list.mails.size;
  $("empty").hidden = over || list.mails.size > 0;
  if (over) {
    $("over-why").textContent = why;
    setState("");
    say(why);
  }
}

function setDeadline(instant, latest = box.max_expires_at) {
  if (box.expires_at !== instant || box.max_expires_at !== latest) {
    box = { ...box, expires_at: instant, max_expires_at: latest };
    boxes.update(box);
    warned = false;
  }
  tick();
}

/** Everything that changes by itself as time goes by. */
function tick() {
  const pause = Math.ceil((retryAt - Date.now()) / 1000);
  if (retryAt) showState("retry", words.state_retry(Math.max(1, pause)));
  list.tellAges();
  if (!box || over) return;
  const left = Date.parse(box.expires_at) - now();
  $("left").textContent = left > 0 ? words.left(span(left)) : words.time_over;
  $("time").classList.toggle("soon", left < WARN_BEFORE);
  const longest = Date.parse(box.max_expires_at) - Date.parse(box.expires_at) < 1000;
  $("extend").disabled = longest;
  $("extend").title = longest ? words.at_its_longest : "";
  if (left < WARN_BEFORE && left > 0 && !warned && !longest) {
    warned = true;
    say(words.one_minute);
  }
}

/** As much time again as it had in the beginning, as far as that is allowed. */
async function extend() {
  const first = Date.parse(box.first_expires_at ?? box.expires_at) - Date.parse(box.created_at);
  const wished = Date.parse(box.expires_at) - now() + first;
  const most = Date.parse(box.max_expires_at) - now();
  const asked = box;
  const state = await api.extend(box, Math.max(1, Math.floor(Math.min(wished, most) / 1000)));
  if (asked.address !== box?.address) return;
  box = { ...box, first_expires_at: box.first_expires_at ?? box.expires_at };
  setDeadline(state.expires_at, state.max_expires_at);
  say(words.extended(span(Date.parse(box.expires_at) - now())));
}

async function restore() {
  try {
    boxes.use(await api.restore(box));
  } catch (failure) {
    if (failure.status !== 404) throw failure;
    setOver(words.not_restored);
    return;
  }
  show(boxes.current());
}

async function remove() {
  try {
    await api.remove(box);
  } catch (failure) {
    if (![404, 410].includes(failure.status)) throw failure;
  }
  boxes.forget(box);
  leave();
  showOthers();
  setOver(words.deleted);
}

// --- what the poll tells ---

function received(page) {
  const first = !known;
  known = true;
  const fresh = page.messages.filter((mail) => !list.mails.has(mail.id));
  fresh.forEach(list.add);
  setDeadline(page.expires_at);
  showTitle();
  if (!fresh.length) return;
  if (first) reading.follow();
  else if (fresh.length > 1) say(words.new_mails(fresh.length));
  else say(words.new_mail(senderOf(fresh[0]), fresh[0].subject));
}

function live() {
  if (away) say(words.back_again);
  away = false;
  setState("live");
}

function lost(pause) {
  if (!away) say(words.lost);
  away = true;
  retryAt = Date.now() + pause;
  if (navigator.onLine) tick();
  else setState("offline");
}

function gone(failure) {
  const ended = Date.parse(box.expires_at);
  if (failure.status !== 410) {
    boxes.forget(box);
    if (known) setOver(words.forgotten);
    else makeFirst(words.replaced);
  } else if (ended > now() + 2000) {
    setOver(words.deleted, true);
  } else {
    setOver(words.expired(timeOfDay(ended)), true);
  }
}

function setState(name) {
  retryAt = 0;
  showState(name, name && words[`state_${name}`]);
}

function showState(name, text) {
  $("state").dataset.state = name;
  if ($("state").textContent !== text) $("state").textContent = text;
}

function showTitle() {
  const unread = list.unreadCount();
  const name = box?.address ?? "tempmail";
  document.title = unread ? `(${unread}) ${name}` : name;
}

// --- buttons ---

/** Let a button do something that may fail, once at a time. */
function does(button, task) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    $("problem").textContent = "";
    try {
      await task();
    } catch (failure) {
      $("problem").textContent = reason(failure);
      poll?.refresh();
    } finally {
      button.disabled = false;
      tick();
    }
  });
}

function listen() {
  copies($("copy"), () => box.address);
  copies($("copy-command"), () => $("command").textContent);
  for (const button of document.querySelectorAll("button.new")) does(button, makeNew);
  does($("extend"), extend);
  does($("restore"), restore);
  $("delete").addEventListener("click", () => $("ask").showModal());
  $("ask-no").addEventListener("click", () => $("ask").close());
  does($("ask-yes"), () => ($("ask").close(), remove()));
  addEventListener("hashchange", reading.follow);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !$("ask").open) reading.leave();
  });
  addEventListener("storage", (event) => {
    // Another tab chose, restored or deleted an address.
    const used = event.key === boxes.KEY ? boxes.current() : null;
    if (used && used.token !== box?.token) show(used);
  });
  addEventListener("offline", () => poll?.refresh());
  addEventListener("online", () => poll?.refresh());
  setInterval(tick, 1000);
  let hiddenAt = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hiddenAt = Date.now();
    else if (Date.now() - hiddenAt > SLEPT_AFTER) poll?.refresh();
    tick();
  });
}

function start() {
  document.documentElement.lang = language;
  fillWords();
  listen();
  $("app").hidden = false;
  const kept = boxes.current();
  if (kept) show(kept);
  else makeFirst();
}

start();
