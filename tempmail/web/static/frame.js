// The frame of a mail is as high as the mail, however long its pictures take to come.

import { press } from "./keys.js";
import { Directive, directive } from "./vendor/lit-html/directive.js";
import { noChange } from "./vendor/lit-html/lit-html.js";

const HIGHEST = 20_000;
// A mail that is higher than its frame however high that is measures itself by it.
const CHASED = 4;

function watch(frame) {
  const root = frame.contentDocument?.documentElement;
  // It is no document of ours: the mail is gone, or the server is.
  if (!root || !frame.contentDocument.body) return;
  let growth = 0;
  let chased = 0;
  const fit = () => {
    const now = frame.clientHeight;
    const wanted = Math.min(HIGHEST, Math.ceil(root.getBoundingClientRect().height));
    if (!wanted || wanted === now || chased === CHASED) return;
    chased = wanted - now === growth ? chased + 1 : 0;
    growth = wanted - now;
    frame.style.height = `${wanted}px`;
  };
  fit();
  new ResizeObserver(fit).observe(root);
  root.ownerDocument.addEventListener("keydown", press);
}

/** For an iframe: have it sized. */
export const sized = directive(
  class extends Directive {
    #known = null;

    render() {
      return noChange;
    }

    update({ element }) {
      if (this.#known !== element) {
        this.#known = element;
        element.addEventListener("load", () => watch(element));
      }
      return noChange;
    }
  },
);
