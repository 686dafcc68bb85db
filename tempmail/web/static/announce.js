// Telling the reader who is not looking: screen readers, the tab's title, notifications.

import { keep, recall } from "./boxes.js";
import { hrefOf } from "./route.js";
import { change, currentBox, endOf, get, unseen } from "./state.js";
import { endText, isolated, senderOf, subjectOf, t } from "./words.js";

const SITE_NAME = document.title;

/** Tell a screen reader. */
export function say(text) {
  change({ said: { text, turn: get().said.turn + 1 } });
}

/** Say that mail came. */
export function announce(news) {
  if (!news.length) return;
  const [{ mail }] = news;
  const told = { from: isolated(senderOf(mail)), subject: isolated(subjectOf(mail)) };
  say(news.length > 1 ? t("new_mails", { count: news.length }) : t("new_mail", told));
}

let toldEnd = null;

/** Say when the address in sight is no more, once. */
export function announceEnd(s) {
  const box = currentBox(s);
  const end = box && endOf(s, box);
  if (end === toldEnd) return;
  toldEnd = end;
  if (end) say(endText(end));
}

/** The tab's title. */
export function showTitle(s) {
  const count = unseen(s);
  const name = s.current ?? SITE_NAME;
  const title = count ? `(${count}) ${name}` : name;
  if (document.title !== title) document.title = title;
}

// --- notifications: only where the reader asked for them ---

export const canNotify = () => "Notification" in globalThis && isSecureContext;

export const isBlocked = () => canNotify() && Notification.permission === "denied";

/** What was chosen before, as far as the browser still allows it. */
export const recallNotify = () =>
  change({
    notify: canNotify() && Notification.permission === "granted" && recall("notify") === true,
  });

/** Notify, or no more. */
export async function chooseNotify(wanted) {
  const granted = wanted && (await Notification.requestPermission()) === "granted";
  keep("notify", granted);
  change({ notify: granted });
  if (wanted && !granted) say(t("notify_blocked"));
}

/** Notify that mail came, where nobody sees the tab. */
export function notify(news) {
  if (get().notify && document.hidden) news.forEach(notifyOf);
}

function notifyOf({ address, mail }) {
  const body = mail.code ? `${mail.code} · ${subjectOf(mail)}` : subjectOf(mail);
  try {
    // Tabs that tell of the same mail replace each other's notification.
    const told = new Notification(isolated(senderOf(mail)), {
      body: isolated(body),
      tag: `${address}/${mail.id}`,
    });
    told.addEventListener("click", () => {
      focus();
      location.hash = hrefOf(address, mail.id);
      told.close();
    });
  } catch {
    // Some telephones have the interface and forbid its use to pages.
  }
}
