// The addresses this browser holds, with their secrets, in its local storage.
//
// Each change reads what is kept, alters that and writes it, for other tabs do the same.

import { now } from "./api.js";
import { boxOf, change, get } from "./state.js";

// One origin may have several of us, each below a path of its own.
export const PLACE = `tempmail:${location.pathname}`;

// What is over may be wanted back for a while, and is no reason to greet a reader with later.
const WANTED_BACK = 60 * 60_000;

// Where the browser keeps nothing for us, for as long as the page is open.
let unkept = {};

/** What was put under a name, or undefined. */
export function recall(name) {
  try {
    return JSON.parse(localStorage.getItem(PLACE + name) ?? "null") ?? unkept[name];
  } catch {
    return unkept[name];
  }
}

/** Put something under a name. */
export function keep(name, value) {
  unkept[name] = value;
  try {
    localStorage.setItem(PLACE + name, JSON.stringify(value));
  } catch {
    // It is full, or forbidden.
  }
}

const read = () => recall("boxes") ?? [];

function write(boxes) {
  keep("boxes", boxes);
  change({ boxes, now: now() });
}

/** Take over what is kept; an address in sight stays there as long as it is. */
export function load() {
  const boxes = read();
  const { current } = get();
  change({ boxes, current: boxOf({ boxes }, current) ? current : null, now: now() });
}

/** What a visit begins with: the boxes that are kept, and the one used last. */
export function begin() {
  const recent = (box) => Date.parse(box.expires_at) > now() - WANTED_BACK;
  const boxes = read().filter(recent);
  const used = recall("current");
  change({ boxes, current: boxOf({ boxes }, used) ? used : (boxes.at(-1)?.address ?? null) });
}

/** Keep a new box, or one that changed. */
export function put(box) {
  const boxes = read();
  const known = boxes.some((one) => one.address === box.address);
  write(known ? boxes.map((one) => (one.address === box.address ? box : one)) : [...boxes, box]);
}

/** Write down what changed of a box, if it is kept. */
export function alter(address, some) {
  const box = boxOf({ boxes: read() }, address);
  if (box && Object.entries(some).some(([name, value]) => box[name] !== value)) {
    put({ ...box, ...some });
  }
}

/** Bring an address into sight. */
export function use(address) {
  keep("current", address);
  change({ current: address, left: null });
}

/** Keep a box no longer. */
export const forget = (address) => write(read().filter((box) => box.address !== address));
