// The body of a mail: HTML in a frame that runs no script, text as text, and what lies behind them.

import { partOf } from "../api.js";
import { sized } from "../frame.js";
import { chooseTab, loadImages } from "../reading.js";
import { endOf, keyOf } from "../state.js";
import { keyed } from "../vendor/lit-html/directives/keyed.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { size, t } from "../words.js";

const TABS = {
  html: () => t("tab_html"),
  text: () => t("tab_text"),
  headers: () => t("tab_headers"),
  source: () => t("tab_source"),
  attachments: (mail) => t("tab_attachments", { count: mail.attachments.length }),
};

const kindsOf = (mail) =>
  Object.keys(TABS).filter(
    (kind) => (kind !== "html" || mail.html) && (kind !== "attachments" || mail.attachments.length),
  );

/** Arrow keys go from tab to tab (WAI-ARIA Authoring Practices, tabs). */
function step(event, kinds, chosen) {
  const onwards = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
  const at = kinds.indexOf(chosen);
  const to = {
    ArrowLeft: onwards === "ArrowLeft" ? at + 1 : at - 1,
    ArrowRight: onwards === "ArrowRight" ? at + 1 : at - 1,
    Home: 0,
    End: kinds.length - 1,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  const kind = kinds[(to + kinds.length) % kinds.length];
  chooseTab(kind);
  document.getElementById(`tab-${kind}`).focus();
}

const tabs = (mail, kinds, chosen) => html`
  <div
    class="tabs"
    role="tablist"
    aria-label=${t("views")}
    @keydown=${(event) => step(event, kinds, chosen)}
  >
    ${kinds.map(
      (kind) => html`<button
        id="tab-${kind}"
        role="tab"
        aria-selected=${kind === chosen ? "true" : "false"}
        aria-controls="panel-${kind}"
        tabindex=${kind === chosen ? 0 : -1}
        @click=${() => chooseTab(kind)}
      >
        ${TABS[kind](mail)}
      </button>`,
    )}
  </div>
`;

const HELD = / data-remote-(?:src|background)="https?:\/\/([^/"?#]+)/g;

/** Whom loading the remote images would tell; those nobody could see are never loaded. */
const hostsOf = (mail) => [...new Set([...mail.html.matchAll(HELD)].map(([, host]) => host))];

const frame = (s, box, mail) => {
  const images = Boolean(s.loaded[keyOf(box.address, mail.id)]);
  const hosts = hostsOf(mail);
  const url = partOf(box, mail.id, "html", { embed: true, ...(images && { images: "remote" }) });
  const bar = html`<p class="remote" title=${hosts.join(", ")}>
    ${t("remote_images", { count: hosts.length })}
    <button @click=${loadImages}>${t("load_images")}</button>
  </p>`;
  // A frame of its own each time: one whose address changes leaves an entry in the history.
  return html`
    ${hosts.length && !images && !endOf(s, box) ? bar : nothing}
    ${keyed(
      images,
      html`<iframe
        ${sized()}
        title=${t("message")}
        sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
        referrerpolicy="no-referrer"
        src=${url}
      ></iframe>`,
    )}
  `;
};

const text = (mail) =>
  mail.text.trim()
    ? html`<pre class="text">${mail.text}</pre>`
    : html`<p class="quiet">${t("no_text")}</p>`;

const headers = (mail) => html`
  <dl class="headers" dir="ltr">
    ${mail.headers.map(([name, value]) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>`)}
  </dl>
`;

const source = (s, box, mail) => {
  const found = s.sources[keyOf(box.address, mail.id)];
  if (!found) return html`<p class="quiet">${t("opening")}</p>`;
  if (found.failure) return html`<p class="problem" role="alert">${found.failure}</p>`;
  return html`<pre dir="ltr">${found.text}</pre>`;
};

const file = (s, box, mail, one) => {
  const name = html`<bdi>${one.filename || t("unnamed")}</bdi>`;
  const url = partOf(box, mail.id, `attachments/${one.index}`);
  return html`<li>
    ${endOf(s, box) ? name : html`<a href=${url} download>${name}</a>`}
    <span class="quiet"><bdi>${one.content_type}</bdi>, ${size(one.size)}</span>
  </li>`;
};

const attachments = (s, box, mail) => html`
  <ul class="files">
    ${mail.attachments.map((one) => file(s, box, mail, one))}
  </ul>
`;

const PANELS = {
  html: frame,
  text: (_, __, mail) => text(mail),
  headers: (_, __, mail) => headers(mail),
  source,
  attachments,
};

export const bodyView = (s, box, mail) => {
  const kinds = kindsOf(mail);
  const chosen = kinds.includes(s.tab) ? s.tab : kinds[0];
  // The frame stays where it is: when the address is gone its mail could not be had again.
  const shown = (kind) => kind === chosen || kind === "html";
  return html`
    ${tabs(mail, kinds, chosen)}
    ${kinds.map(
      (kind) => html`<div
        id="panel-${kind}"
        class="panel"
        role="tabpanel"
        aria-labelledby="tab-${kind}"
        tabindex="0"
        ?hidden=${kind !== chosen}
      >
        ${shown(kind) ? PANELS[kind](s, box, mail) : nothing}
      </div>`,
    )}
  `;
};
