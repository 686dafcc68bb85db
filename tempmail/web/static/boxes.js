// The addresses this browser holds, with their tokens and restore keys, in its local storage.

import { now } from "./api.js";

// One origin may have several of us, each below a path of its own.
export const KEY = `tempmail:${location.pathname}`;

const NONE = { current: null, boxes: [] };

// Where the browser keeps nothing for us, for as long as the page is open.
let unkept = NONE;

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(kept?.boxes) ? kept : NONE;
  } catch {
    return unkept;
  }
}

function write(kept) {
  // Of those that are over only the one in use may still be wanted back.
  const wanted = (box) => box.address === kept.current || Date.parse(box.expires_at) > now();
  unkept = { ...kept, boxes: kept.boxes.filter(wanted) };
  try {
    localStorage.setItem(KEY, JSON.stringify(unkept));
  } catch {
    // It is full, or forbidden.
  }
}

/** The box in use, or null. */
export function current() {
  const kept = read();
  return kept.boxes.find((box) => box.address === kept.current) ?? null;
}

/** Those not in use whose time is not over. */
export function others() {
  const kept = read();
  const alive = (box) => Date.parse(box.expires_at) > now();
  return kept.boxes.filter((box) => box.address !== kept.current && alive(box));
}

/** Keep a box, and use it. */
export function use(box) {
  const boxes = read().boxes.filter((one) => one.address !== box.address);
  write({ current: box.address, boxes: [...boxes, box] });
}

/** Write down what changed of a box that is kept. */
export function update(box) {
  const kept = read();
  write({ ...kept, boxes: kept.boxes.map((one) => (one.address === box.address ? box : one)) });
}

/** Keep it no longer. */
export function forget(box) {
  const kept = read();
  write({
    current: kept.current === box.address ? null : kept.current,
    boxes: kept.boxes.filter((one) => one.address !== box.address),
  });
}
