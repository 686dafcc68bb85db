// A dialog that is in the document is open.

import { closeDialog } from "./actions.js";
import { once } from "./once.js";

// The state knows at once; the event that tells of the end comes a moment later.
function shut(dialog) {
  dialog.close();
  closeDialog();
}

/** For a dialog: shown above all else as soon as it is there, and gone from the state when closed. */
export const modal = once((dialog) => {
  dialog.addEventListener("cancel", () => shut(dialog));
  // A browser may close one without asking.
  dialog.addEventListener("close", () => dialog.isConnected && closeDialog());
  queueMicrotask(() => dialog.showModal());
});

/** Close the dialog that holds what was clicked; the focus goes back where it was. */
export const close = (event) => shut(event.target.closest("dialog"));
