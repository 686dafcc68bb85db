// A dialog that is in the document is open.

import { closeDialog } from "./actions.js";
import { Directive, directive } from "./vendor/lit-html/directive.js";
import { noChange } from "./vendor/lit-html/lit-html.js";

// The state knows at once; the event that tells of the end comes a moment later.
function shut(dialog) {
  dialog.close();
  closeDialog();
}

/** For a dialog: shown above all else as soon as it is there, and gone from the state when closed. */
export const modal = directive(
  class extends Directive {
    #known = null;

    render() {
      return noChange;
    }

    update({ element }) {
      if (this.#known !== element) {
        this.#known = element;
        element.addEventListener("cancel", () => shut(element));
        // A browser may close one without asking.
        element.addEventListener("close", () => element.isConnected && closeDialog());
        queueMicrotask(() => element.showModal());
      }
      return noChange;
    }
  },
);

/** Close the dialog that holds what was clicked; the focus goes back where it was. */
export const close = (event) => shut(event.target.closest("dialog"));
