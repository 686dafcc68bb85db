// What an element is given once, as soon as it is there, and not with every rendering.

import { Directive, directive } from "./vendor/lit-html/directive.js";
import { noChange } from "./vendor/lit-html/lit-html.js";

/** A directive that calls `begin` with the element it stands in. */
export const once = (begin) =>
  directive(
    class extends Directive {
      #known = null;

      render() {
        return noChange;
      }

      update({ element }) {
        if (this.#known !== element) {
          this.#known = element;
          begin(element);
        }
        return noChange;
      }
    },
  );
