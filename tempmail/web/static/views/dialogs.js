// What is asked, or shown, in front of everything.

import { empty, mintWished, remove } from "../actions.js";
import { close, modal } from "../modal.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { keyed } from "../vendor/lit-html/directives/keyed.js";
import { lifetime, t } from "../words.js";

const frame = (title, content) => html`
  <dialog ${modal()} aria-labelledby="dialog-title">
    <h2 id="dialog-title">${title}</h2>
    ${content}
  </dialog>
`;

const closing = () => html`
  <div class="actions"><button class="main" @click=${close}>${t("close")}</button></div>
`;

const problem = (s) =>
  s.dialog.problem ? html`<p class="problem" role="alert">${s.dialog.problem}</p>` : nothing;

// --- choosing an address ---

const LIFETIMES = [600, 3600, 86400];

function lifetimesOf({ min_lifetime: least, default_lifetime: usual, max_lifetime: most }) {
  const allowed = LIFETIMES.filter((seconds) => least <= seconds && seconds <= most);
  return [...new Set([...allowed, usual])].sort((one, other) => one - other);
}

/** The domains an address can be made in, those where it is private first. */
function domainsOf({ domains }) {
  const rank = ({ mode }) => (mode === "minted" ? 0 : 1);
  return domains
    .filter(({ domain }) => !domain.startsWith("*"))
    .sort((one, other) => rank(one) - rank(other));
}

function wishOf(form) {
  const given = Object.fromEntries(new FormData(form));
  const wish = { domain: given.domain, lifetime: Number(given.lifetime) };
  return given.name.trim() ? { ...wish, local_part: given.name.trim() } : wish;
}

function submit(event) {
  event.preventDefault();
  mintWished(wishOf(event.target));
}

const choice = (s) => html`
  <form @submit=${submit} novalidate>
    <div class="fields">
      <label>
        <span>${t("name")}</span>
        <input
          name="name"
          dir="ltr"
          autocomplete="off"
          autocapitalize="none"
          spellcheck="false"
          autofocus
          placeholder=${t("name_hint")}
          aria-invalid=${s.dialog.problem ? "true" : nothing}
        />
      </label>
      <label>
        <span>${t("domain")}</span>
        <select name="domain" dir="ltr">
          ${s.domains &&
          domainsOf(s.domains).map(
            ({ domain }) => html`<option value=${domain}>${domain}</option>`,
          )}
        </select>
      </label>
      <label>
        <span>${t("lifetime")}</span>
        <select name="lifetime">
          ${s.domains &&
          lifetimesOf(s.domains).map(
            (seconds) => html`<option
              value=${seconds}
              ?selected=${seconds === s.domains.default_lifetime}
              >${lifetime(seconds)}</option
            >`,
          )}
        </select>
      </label>
    </div>
    ${problem(s)}
    <div class="actions">
      <button class="main" type="submit" ?disabled=${s.busy || !s.domains}>${t("create")}</button>
      <button type="button" @click=${close}>${t("cancel")}</button>
    </div>
  </form>
`;

// --- a code to hold a telephone's camera to ---

const picture = ({ address, code }) => html`
  <svg
    role="img"
    aria-label=${address}
    viewBox="0 0 ${code.size} ${code.size}"
    shape-rendering="crispEdges"
  >
    <path d=${code.path} />
  </svg>
`;

const qr = (s) => html`
  <div class="qr">${s.dialog.code ? picture(s.dialog) : nothing}</div>
  <p class="spelled" dir="ltr">${s.dialog.address}</p>
  ${problem(s)}
  ${closing()}
`;

// --- the keys ---

const KEYS = [
  ["j", () => t("key_down")],
  ["k", () => t("key_up")],
  ["Enter", () => t("key_open")],
  ["u", () => t("key_back"), "Esc"],
  ["c", () => t("key_copy")],
  ["n", () => t("key_new")],
  ["e", () => t("key_extend")],
  ["d", () => t("key_delete")],
  ["?", () => t("key_help")],
];

const keys = () => html`
  <dl class="keys">
    ${KEYS.map(
      ([key, meaning, also]) => html`<dt>
          <kbd>${key}</kbd>${also ? html` <kbd>${also}</kbd>` : nothing}
        </dt>
        <dd>${meaning()}</dd>`,
    )}
  </dl>
  ${closing()}
`;

// --- questions ---

const question = (text, yes, act) => html`
  <p>${text}</p>
  <div class="actions">
    <button class="main danger" @click=${act}>${yes}</button>
    <button autofocus @click=${close}>${t("cancel")}</button>
  </div>
`;

const DIALOGS = {
  choose: [() => t("choose_title"), choice],
  qr: [() => t("qr_code"), qr],
  keys: [() => t("keyboard_shortcuts"), keys],
  delete: [() => t("delete_address"), () => question(t("delete_really"), t("delete"), remove)],
  empty: [() => t("empty"), () => question(t("empty_really"), t("empty"), empty)],
};

export const dialogView = (s) => {
  if (!s.dialog) return nothing;
  const [title, content] = DIALOGS[s.dialog.name];
  return keyed(s.dialog.name, frame(title(), content(s)));
};
