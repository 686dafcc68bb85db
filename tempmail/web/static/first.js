// What can not wait for the rest of the page: which addresses there are, asking for a first one, and
// the reader's language.

import { mint } from "./api.js";
import { begin } from "./boxes.js";
import { get } from "./state.js";
import { preferred, speak } from "./words.js";

begin();

/** The first address of a visit as a promise, or null where the browser holds one. */
export const asked = get().boxes.length ? null : mint();

/** When the words are there. */
export const spoken = speak(preferred());

// Whoever waits for it hears of its failure.
asked?.catch(() => {});
spoken.catch(() => {});
