// What can not wait for the rest of the page: which addresses there are, and asking for a first one.

import { mint } from "./api.js";
import { begin } from "./boxes.js";
import { get } from "./state.js";

begin();

/** The first address of a visit as a promise, or null where the browser holds one. */
export const asked = get().boxes.length ? null : mint();

// Whoever waits for it hears of its failure.
asked?.catch(() => {});
