// The list of mails, newest first, or how to get a first one.

import { copy, openDialog } from "../actions.js";
import { exportOf } from "../api.js";
import { hrefOf } from "../route.js";
import { currentBox, endOf, inboxOf, openIn } from "../state.js";
import { guard } from "../vendor/lit-html/directives/guard.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { age, inUse, pointInTime, senderOf, subjectOf, t } from "../words.js";
import { codeChip } from "./chips.js";

const clip = (count) => html`
  <span class="mark" role="img" aria-label=${t("attachments")} title=${t("files", { count })}>
    <svg viewBox="0 0 16 16" aria-hidden="true">
      <path d="m13.5 7.5-5.6 5.6a3.2 3.2 0 0 1-4.5-4.5l5.9-5.9a2.1 2.1 0 0 1 3 3l-5.9 5.9a1.050 1.050 0 0 1-1.5-1.5l5.2-5.2" />
    </svg>
  </span>
`;

const row = (s, box, mail, open) => html`
  <li class=${mail.seen ? "" : "unread"}>
    <a
      id="mail-${mail.id}"
      href=${hrefOf(box.address, mail.id)}
      aria-current=${open?.id === mail.id ? "true" : nothing}
      ><span class="sender"
        >${mail.seen ? nothing : html`<span class="unseen">${t("unread")} </span>`}<bdi
          >${senderOf(mail)}</bdi
        ></span
      >
      <span class="subject"><bdi>${subjectOf(mail)}</bdi></span></a
    >
    <span class="preview"><bdi>${mail.preview}</bdi></span>
    <span class="aside">
      ${mail.attachment_count ? clip(mail.attachment_count) : nothing}
      <time datetime=${mail.received_at} title=${pointInTime(mail.received_at)}
        >${age(s.now - Date.parse(mail.received_at))}</time
      >
    </span>
    ${codeChip(s, box.address, mail)}
  </li>
`;

/** Have the browser save a file. */
function save(url) {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.click();
}

const tools = (box) => html`
  <div class="actions">
    <button class="bare" @click=${() => save(exportOf(box))}>${t("export_all")}</button>
    <button class="bare" aria-haspopup="dialog" @click=${() => openDialog("empty")}>
      ${t("empty")}
    </button>
  </div>
`;

/** A line for a shell that has a mail arrive here. It goes to the one port this page knows. */
function testCommand(address) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const mail = {
    to: address,
    from: "me@example.org",
    subject: "Welcome",
    body: "Your code is 493817.",
  };
  const url = new URL("send", document.baseURI).href;
  return `curl --json ${quoted(JSON.stringify(mail))} ${quoted(url)}`;
}

const lesson = (s, box) => {
  const command = testCommand(box.address);
  return html`
    <div class="lesson">
      <h3>${t("no_mail_yet")}</h3>
      <p>${t("shows_by_itself")}</p>
      <p class="try">${t("try_it")}</p>
      <div class="command">
        <code dir="ltr">${command.split(/(?<=,)/).map((part) => html`${part}<wbr />`)}</code>
        <button @click=${() => copy("command", command)}>
          ${s.copied === "command" ? t("copied") : t("copy_command")}
        </button>
      </div>
    </div>
  `;
};

const MINUTE = 60_000;

const mails = (s, box, summaries) => {
  const open = openIn(s);
  // A thousand rows are not looked at each second.
  const seen = [summaries, open?.id, s.copied, inUse(), Math.floor(s.now / MINUTE)];
  const rows = () => repeat(summaries, (mail) => mail.id, (mail) => row(s, box, mail, open));
  return html`<ol>
    ${guard(seen, rows)}
  </ol>`;
};

export const listView = (s) => {
  const box = currentBox(s);
  if (!box) return nothing;
  const { summaries } = inboxOf(s, box.address);
  const over = endOf(s, box);
  if (over && !summaries.length) return nothing;
  return html`
    <section class="messages" aria-label=${t("messages")}>
      <header>
        <h2>${t("messages")}</h2>
        ${summaries.length && !over ? tools(box) : nothing}
      </header>
      ${summaries.length ? mails(s, box, summaries) : lesson(s, box)}
    </section>
  `;
};
