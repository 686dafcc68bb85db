// The page: state -> views -> document. Whatever happens changes the state.

import * as actions from "./actions.js";
import { announceEnd, recallNotify, say, showTitle } from "./announce.js";
import { now } from "./api.js";
import * as boxes from "./boxes.js";
import { asked, spoken } from "./first.js";
import { press } from "./keys.js";
import * as live from "./live.js";
import * as reading from "./reading.js";
import * as route from "./route.js";
import { change, currentBox, get, leftOf, onChange, WARN_BEFORE } from "./state.js";
import { render } from "./vendor/lit-html/lit-html.js";
import { addressView } from "./views/address.js";
import { dialogView } from "./views/dialogs.js";
import { listView } from "./views/list.js";
import { messageView } from "./views/message.js";
import { footerView, saidView, toolsView } from "./views/around.js";
import { t } from "./words.js";

const SLEPT_AFTER = 15_000;

const places = [
  [toolsView, "tools"],
  [addressView, "address-place"],
  [listView, "list-place"],
  [messageView, "message-place"],
  [dialogView, "dialog-place"],
  [footerView, "notice-place"],
  [saidView, "said"],
].map(([view, id]) => [view, document.getElementById(id)]);

function show(s) {
  for (const [view, place] of places) render(view(s), place);
  document.body.classList.toggle("reading", Boolean(s.open));
  showTitle(s);
  announceEnd(s);
}

/** What changes by itself as time goes by. */
function tick() {
  const before = get();
  change({ now: now() });
  // Nothing ran here for a while: this computer slept.
  if (get().now - before.now > SLEPT_AFTER) live.nudge();
  const box = currentBox(get());
  if (!box || box.ended) return;
  const passed = (left) => leftOf(before, box) > left && leftOf(get(), box) <= left;
  if (passed(WARN_BEFORE) && !actions.isLongest(box)) say(`${t("one_minute")} ${t("extend")}: E`);
  if (passed(0)) live.nudge();
}

async function start() {
  await spoken;
  if (asked) actions.mintFirst(asked);
  recallNotify();
  onChange(show);
  change({ now: now() });
  route.begin(reading.follow);
  live.begin();
  setInterval(tick, 1000);
  addEventListener("keydown", press);
  addEventListener("storage", ({ key }) => {
    if (key === `${boxes.PLACE}boxes`) actions.follow();
  });
  document.addEventListener("visibilitychange", tick);
}

start();
