// One mail, open. Its text is shown as text; its HTML only ever lives in a frame without scripts.

import { partOf } from "./api.js";
import { $, chips, el, senderOf } from "./dom.js";
import { pointInTime, size, words } from "./words.js";

/** Show what is known of a mail before it is there. */
export function showOpening(summary) {
  show(heading(summary), el("p.quiet", {}, words.opening));
}

/** Show that it could not be opened. */
export function showFailure(summary, why) {
  show(heading(summary), el("p.quiet", { role: "alert" }, why));
}

/** Show a whole mail. */
export function showMail(box, mail) {
  show(heading(mail), chips(mail), bodies(box, mail), attachments(box, mail), ending(box, mail));
}

/** Show none. */
export function close() {
  $("message").hidden = true;
  $("message").replaceChildren();
}

/** Put the focus on its title, and the top of the mail into sight. */
export function focusTitle() {
  $("message-title").focus({ preventScroll: true });
  scrollTo(0, Math.min(scrollY, $("mail").offsetTop));
}

function show(...content) {
  $("message").replaceChildren(...content.filter(Boolean));
  $("message").hidden = false;
}

const back = () => el("a.back", { href: "#" }, words.back);

function heading(mail) {
  const address = mail.from?.address ?? "";
  const named = mail.from?.name && address;
  return el(
    "header",
    {},
    back(),
    el("h2", { id: "message-title", tabindex: -1, dir: "auto" }, mail.subject || words.no_subject),
    el(
      "dl",
      {},
      el("dt", {}, words.from),
      el("dd", {}, el("bdi", {}, senderOf(mail)), named ? el("bdi.quiet", {}, ` ${address}`) : null),
      el("dt", {}, words.to),
      el("dd", {}, el("bdi", {}, mail.to.join(", "))),
      el("dt", {}, words.received),
      el("dd", {}, el("time", { datetime: mail.received_at }, pointInTime(mail.received_at))),
    ),
  );
}

/** The tabs and what they show. */
function bodies(box, mail) {
  // Of some HTML nothing is left to show.
  const kinds = mail.html ? ["html", "text"] : ["text"];
  const panel = el("div.panel", { id: "panel", role: "tabpanel", tabindex: 0 });
  const tabs = kinds.map((kind) =>
    el(
      "button",
      { id: `tab-${kind}`, role: "tab", "aria-controls": "panel", click: () => choose(kind) },
      words[`tab_${kind}`],
    ),
  );
  function choose(kind, focus = false) {
    tabs.forEach((tab, index) => {
      const chosen = kinds[index] === kind;
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1;
      if (chosen && focus) tab.focus();
    });
    panel.setAttribute("aria-labelledby", `tab-${kind}`);
    panel.replaceChildren(...(kind === "html" ? htmlOf(box, mail) : [textOf(mail)]));
  }
  function step(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way) return;
    const at = tabs.indexOf(event.target) + way;
    choose(kinds[(at + kinds.length) % kinds.length], true);
  }
  choose(kinds[0]);
  const bar = el("div.tabs", { role: "tablist", "aria-label": words.views, keydown: step }, ...tabs);
  return el("div.bodies", {}, bar, panel);
}

const textOf = (mail) =>
  mail.text.trim()
    ? el("pre.text", { dir: "auto" }, mail.text)
    : el("p.quiet", {}, words.no_text);

function htmlOf(box, mail) {
  // A frame of its own each time: one whose address changes leaves an entry in the history.
  const frame = (more) =>
    el("iframe", {
      src: partOf(box, mail.id, "html", more),
      title: words.html_title,
      sandbox: "allow-popups allow-popups-to-escape-sandbox",
      referrerpolicy: "no-referrer",
    });
  const held = frame({});
  if (!mail.remote_content.length) return [held];
  const bar = el("p.held", { title: mail.remote_content.join(", ") });
  const load = el("button.text", {
    click: () => {
      held.replaceWith(frame({ images: "remote" }));
      bar.remove();
      $("panel").focus();
    },
  });
  load.append(words.load_images);
  bar.append(words.images_held(mail.remote_content), " ", load);
  return [bar, held];
}

function attachments(box, mail) {
  if (!mail.attachments.length) return null;
  const entry = (one) =>
    el(
      "li",
      {},
      el(
        "a",
        { href: partOf(box, mail.id, `attachments/${one.index}`), download: true },
        el("bdi", {}, one.filename || words.unnamed),
      ),
      el("span.quiet", {}, ` ${one.content_type}, ${size(one.size)}`),
    );
  const title = el("h3", { id: "attachments-title" }, words.attachments);
  const list = el("ul", {}, ...mail.attachments.map(entry));
  return el("section.attachments", { "aria-labelledby": "attachments-title" }, title, list);
}

const ending = (box, mail) =>
  el(
    "p.ending",
    {},
    el("a", { href: partOf(box, mail.id, "raw"), download: true }, words.download),
    el("span.quiet", {}, ` ${size(mail.size)}`),
  );
