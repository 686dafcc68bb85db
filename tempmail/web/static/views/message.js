// One mail, open.

import { removeOpen } from "../reading.js";
import { partOf } from "../api.js";
import { leave } from "../route.js";
import { currentBox, endOf, keyOf, openIn, summaryOf } from "../state.js";
import { keyed } from "../vendor/lit-html/directives/keyed.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { pointInTime, senderOf, subjectOf, t } from "../words.js";
import { bodyView } from "./body.js";
import { codeChip, linkChip } from "./chips.js";

const toolbar = (box, id, over) => html`
  <div class="toolbar">
    <button class="back" @click=${leave}>${t("back")}</button>
    ${over
      ? nothing
      : html`<span class="actions">
          <a class="bare" href=${partOf(box, id, "raw")} download>${t("download")}</a>
          <button class="bare" @click=${removeOpen}>${t("delete_message")}</button>
        </span>`}
  </div>
`;

const people = (mail) => {
  const address = mail.from?.name && mail.from.address;
  const to = mail.to.length ? mail.to : mail.envelope.rcpt_to;
  return html`
    <dl>
      <dt>${t("from")}</dt>
      <dd>
        <bdi>${senderOf(mail)}</bdi> ${address ? html`<bdi class="quiet">${address}</bdi>` : nothing}
      </dd>
      <dt>${t("to")}</dt>
      <dd>${to.map((one) => html`<bdi>${one}</bdi> `)}</dd>
      <dt>${t("received")}</dt>
      <dd><time datetime=${mail.received_at}>${pointInTime(mail.received_at)}</time></dd>
    </dl>
  `;
};

const chips = (s, box, mail) => {
  const found = [codeChip(s, box.address, mail), linkChip(mail)].filter((one) => one !== nothing);
  return found.length ? html`<div class="chips">${found}</div>` : nothing;
};

const opened = (s, box, mail, whole) => html`
  <h2 id="subject" tabindex="-1"><bdi>${mail ? subjectOf(mail) : t("opening")}</bdi></h2>
  ${mail ? people(mail) : nothing} ${mail ? chips(s, box, mail) : nothing}
  ${whole?.mail?.has_html && !whole.mail.html
    ? html`<p class="quiet">${t("html_not_shown")}</p>`
    : nothing}
  ${whole?.mail ? bodyView(s, box, whole.mail) : nothing}
  ${whole?.failure ? html`<p class="problem" role="alert">${whole.failure}</p>` : nothing}
  ${!whole && mail ? html`<p class="quiet">${t("opening")}</p>` : nothing}
`;

export const messageView = (s) => {
  const open = openIn(s);
  const box = currentBox(s);
  if (!open || !box) return nothing;
  const key = keyOf(open.address, open.id);
  const whole = s.whole[key];
  const mail = whole?.mail ?? summaryOf(s, open);
  // Nothing of one mail is left over in the next, least of all its frame.
  return keyed(
    key,
    html`
      <section class="message" aria-label=${t("message")}>
        <article>
          ${toolbar(box, open.id, endOf(s, box))} ${opened(s, box, mail, whole)}
        </article>
      </section>
    `,
  );
};
