// Which mail is open stands in the page's own address, behind the #: a reload keeps it, Back closes
// it, and a link to it opens in another tab. What stands there is never sent to the server.

import { change, get, openIn } from "./state.js";

/** The link that opens a mail. */
export const hrefOf = (address, id) => `#/${encodeURIComponent(address)}/${encodeURIComponent(id)}`;

function parse(hash) {
  const [, address, id] = hash.split("/");
  try {
    return id ? { address: decodeURIComponent(address), id: decodeURIComponent(id) } : null;
  } catch {
    return null;
  }
}

const BARE = location.pathname + location.search;

// Whether going back leads from the open mail to the list.
let overList = false;
let listener = () => {};

/** Be told which mail the page's address names, now and when that changes. */
export function begin(opened) {
  listener = opened;
  addEventListener("hashchange", follow);
  addEventListener("popstate", follow);
  follow();
}

function follow() {
  const asked = parse(location.hash);
  const { open } = get();
  if (asked?.address === open?.address && asked?.id === open?.id) return;
  if (asked && !open) overList = true;
  listener(asked);
}

/** Open a mail in place of the one that is open. */
export function replace(address, id) {
  history.replaceState(null, "", hrefOf(address, id));
  follow();
}

/** Close the mail, as the browser's own Back does where that leads to the list. */
export function leave() {
  if (!openIn(get())) return;
  if (overList) {
    history.back();
  } else {
    history.pushState(null, "", BARE);
    follow();
  }
  overList = false;
}

/** Nothing is open any more, and going back does not lead there. */
export function forget() {
  if (location.hash) history.replaceState(null, "", BARE);
  overList = false;
  change({ open: null });
}
