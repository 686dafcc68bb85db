// The frame of a mail is as high as the mail, however long its pictures take to come.

import { press } from "./keys.js";
import { once } from "./once.js";

const HIGHEST = 20_000;
// A mail that is higher than its frame however high that is measures itself by it.
const CHASED = 4;

// Mail that is made for a wide window is shown smaller in a narrow one, but not too small to read.
const SMALLEST = 0.5;

function watch(frame) {
  const { documentElement: root, body } = frame.contentDocument ?? {};
  // It is no document of ours: the mail is gone, or the server is.
  if (!body?.firstElementChild) return;
  let width = 0;
  let growth = 0;
  let chased = 0;
  const fitWidth = () => {
    width = frame.clientWidth;
    body.style.zoom = 1;
    const { clientWidth: room, scrollWidth: wanted } = body.firstElementChild;
    if (wanted > room) body.style.zoom = Math.max(SMALLEST, room / wanted);
  };
  const fitHeight = () => {
    const now = frame.clientHeight;
    const wanted = Math.min(HIGHEST, Math.ceil(root.getBoundingClientRect().height));
    if (!wanted || wanted === now || chased === CHASED) return;
    chased = wanted - now === growth ? chased + 1 : 0;
    growth = wanted - now;
    frame.style.height = `${wanted}px`;
  };
  const fit = () => {
    if (frame.clientWidth && frame.clientWidth !== width) fitWidth();
    fitHeight();
  };
  fit();
  new ResizeObserver(fit).observe(root);
  root.ownerDocument.addEventListener("keydown", press);
}

/** For an iframe: have it sized. */
export const sized = once((frame) => frame.addEventListener("load", () => watch(frame)));
