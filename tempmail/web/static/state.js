// What this page knows: one value, replaced and never altered. Whoever is told of a change renders it.

/** What of a box is not kept: its mail. `known` once the server told us of it. */
export const NO_MAIL = { cursor: "0", summaries: [], known: false };

let state = {
  boxes: [], // the addresses this browser holds: boxes.js
  current: null, // the address in sight
  left: null, // what the reader gave up last, when there is no address in sight: "deleted"
  inboxes: {}, // address -> NO_MAIL's like, newest mail first
  open: null, // the open mail: {address, id}
  whole: {}, // keyOf -> {mail}, or {failure} in words; mails that were opened stay readable
  sources: {}, // keyOf -> {text}, or {failure} in words, or null while it is fetched
  tab: null, // how to show the open mail, where the reader said so
  loaded: {}, // keyOf -> true where remote images were let in
  domains: null, // what GET v1/domains answers
  connection: { state: "connecting" }, // or "live", "offline", "retry" with retryAt
  dialog: null, // {name, …} of the one that is open
  busy: false, // whether something the reader asked for is under way
  problem: "", // why it failed
  copied: null, // which thing was copied a moment ago
  said: { text: "", turn: 0 }, // what a screen reader is told
  notify: false, // whether the reader wants to be notified
  now: Date.now(), // the server's time, each second
};

const watchers = [];
let afterwards = [];
let due = false;

/** The state as it is. */
export const get = () => state;

/** Replace some of it; who watches is told once, when whoever calls is done. */
export function change(some) {
  state = { ...state, ...some };
  if (due) return;
  due = true;
  queueMicrotask(() => {
    due = false;
    for (const watch of watchers) watch(state);
    const tasks = afterwards;
    afterwards = [];
    for (const task of tasks) task();
  });
}

/** Be told of every change. */
export const onChange = (watch) => void watchers.push(watch);

/** Do something to what is shown, once the next change is. */
export const afterRender = (task) => void afterwards.push(task);

// --- questions ---

export const keyOf = (address, id) => `${address}/${id}`;
export const boxOf = (s, address) => s.boxes.find((box) => box.address === address) ?? null;
export const currentBox = (s) => boxOf(s, s.current);
export const inboxOf = (s, address) => s.inboxes[address] ?? NO_MAIL;
export const unseenIn = (s, address) =>
  inboxOf(s, address).summaries.reduce((count, mail) => count + !mail.seen, 0);
export const unseen = (s) => s.boxes.reduce((sum, box) => sum + unseenIn(s, box.address), 0);
export const summaryOf = (s, { address, id }) =>
  inboxOf(s, address).summaries.find((mail) => mail.id === id) ?? null;

/** The mail that is open in the box in sight, or null. */
export const openIn = (s) => (s.open && s.open.address === s.current ? s.open : null);

/** Milliseconds before the end at which the reader is asked, once. */
export const WARN_BEFORE = 60_000;

/** Milliseconds a box has left. */
export const leftOf = (s, box) => Date.parse(box.expires_at) - s.now;

// For so long a box whose time is over may still be told that it is not.
const DOUBT = 1500;

/** Why a box is over ("expired", "deleted", "forgotten"), or null while it lives. */
export const endOf = (s, box) => box.ended ?? (leftOf(s, box) < -DOUBT ? "expired" : null);
