// What can happen to mail, applied to the state. Other tabs of this browser are told the same.

import { now } from "./api.js";
import * as boxes from "./boxes.js";
import { boxOf, change, get, inboxOf, NO_MAIL } from "./state.js";

const channel = globalThis.BroadcastChannel ? new BroadcastChannel(boxes.PLACE) : null;

/** Tell the other tabs. */
export const tell = (event) => channel?.postMessage(event);

const setInbox = (address, some) => {
  const s = get();
  change({ inboxes: { ...s.inboxes, [address]: { ...inboxOf(s, address), ...some } } });
};

/** Lists come oldest first; of the same instant what comes later is newer. */
const newestFirst = (found, before = []) =>
  [...found].reverse().concat(before).sort(
    (one, other) => Date.parse(other.received_at) - Date.parse(one.received_at),
  );

/** What the server told of a box, whoever asked. Returns the mails that came since it told last. */
function entry(found) {
  const { address, problem } = found;
  const box = boxOf(get(), address);
  if (!box) return [];
  if (problem) {
    boxes.alter(address, { ended: endSaid(box, problem.status) });
    return [];
  }
  const { expires_at, max_expires_at, cursor } = found;
  boxes.alter(address, { expires_at, max_expires_at, ended: null });
  const inbox = inboxOf(get(), address);
  const held = new Set(inbox.summaries.map((mail) => mail.id));
  const fresh = found.messages.filter((mail) => !held.has(mail.id));
  if (fresh.length || inbox.cursor !== cursor || !inbox.known) {
    const summaries = fresh.length ? newestFirst(fresh, inbox.summaries) : inbox.summaries;
    setInbox(address, { cursor, summaries, known: true });
  }
  return inbox.known ? fresh : [];
}

function endSaid(box, status) {
  if (status !== 410) return "forgotten";
  return Date.parse(box.expires_at) > now() + 2000 ? "deleted" : "expired";
}

/** What a wait told. Returns `{address, mail}` of everything that is new to the reader. */
export function entries(found) {
  return found.flatMap((one) => entry(one).map((mail) => ({ address: one.address, mail })));
}

/** All that a box holds, where it is not what we think. */
export const replaced = (address, summaries) =>
  setInbox(address, { summaries: newestFirst(summaries) });

/** Begin anew with an address. */
export const cleared = (address) => setInbox(address, NO_MAIL);

const happened = {
  seen: ({ address, id }) =>
    setInbox(address, {
      summaries: inboxOf(get(), address).summaries.map((mail) =>
        mail.id === id ? { ...mail, seen: true } : mail,
      ),
    }),
  dropped: ({ address, id }) =>
    setInbox(address, {
      summaries: inboxOf(get(), address).summaries.filter((mail) => mail.id !== id),
    }),
  emptied: ({ address }) => setInbox(address, { summaries: [] }),
};

/** Something the reader did: here, and in the other tabs. */
export function happens(event) {
  happened[event.kind](event);
  tell(event);
}

/** Hear what other tabs tell; `other` is called with what is not about mail. */
export function hear(other) {
  channel?.addEventListener("message", ({ data }) => (happened[data.kind] ?? other)(data));
}
