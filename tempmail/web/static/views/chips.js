// What a mail was written for: its code, which one click copies, and its link, which says where it
// really leads.

import { copy } from "../actions.js";
import { keyOf } from "../state.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { t } from "../words.js";

/** The code of a mail, or nothing. */
export const codeChip = (s, address, mail) => {
  if (!mail.code) return nothing;
  const name = keyOf(address, mail.id);
  const copied = s.copied === name;
  const label = copied ? t("copied") : t("copy_code", { code: mail.code });
  return html`<button
    class="code ${copied ? "done" : ""}"
    aria-label=${label}
    title=${label}
    @click=${() => copy(name, mail.code)}
  ><bdi dir="ltr">${mail.code}</bdi>${copied ? html`<span class="after">${t("copied")}</span>` : nothing}</button>`;
};

function webUrl(text) {
  try {
    const url = new URL(text);
    return ["http:", "https:"].includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

/** The link of a mail, or nothing. */
export const linkChip = (mail) => {
  const url = webUrl(mail.link);
  if (!url) return nothing;
  return html`<a
    class="link"
    href=${url.href}
    title=${url.href}
    target="_blank"
    rel="noopener noreferrer"
    >${t("open_host", { host: url.host })}</a
  >`;
};
