// What stands round the mail: how we are connected, the language, who can read this.

import { chooseLanguage, openDialog } from "../actions.js";
import { canNotify, chooseNotify, isBlocked } from "../announce.js";
import { currentBox } from "../state.js";
import { keyed } from "../vendor/lit-html/directives/keyed.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { inUse, LANGUAGES, t } from "../words.js";

function connectionText({ connection }) {
  const { state, retryAt } = connection;
  if (state === "live") return t("live");
  if (state === "offline") return t("offline");
  const seconds = Math.ceil((retryAt - Date.now()) / 1000);
  return state === "retry" && seconds > 0 ? t("reconnecting", { seconds }) : t("connecting");
}

// It is told to a screen reader where it matters, not each second: aria-live is off.
const connection = (s) => html`
  <span
    class="connection"
    role="status"
    aria-live="off"
    aria-label=${t("connection")}
    data-state=${s.connection.state}
    >${connectionText(s)}</span
  >
`;

const notifyButton = (s) => html`
  <button
    class="bare"
    aria-pressed=${s.notify ? "true" : "false"}
    ?disabled=${isBlocked()}
    title=${isBlocked() ? t("notify_blocked") : t("notify_hint")}
    @click=${() => chooseNotify(!s.notify)}
  >
    ${s.notify ? t("notifying") : t("notify")}
  </button>
`;

const languageChoice = () => html`
  <select aria-label=${t("language")} @change=${(event) => chooseLanguage(event.target.value)}>
    ${Object.entries(LANGUAGES).map(
      ([tag, name]) =>
        html`<option value=${tag} lang=${tag} ?selected=${tag === inUse()}>${name}</option>`,
    )}
  </select>
`;

export const toolsView = (s) => html`
  ${connection(s)} ${canNotify() ? notifyButton(s) : nothing} ${languageChoice()}
  <button
    class="key"
    aria-label=${t("keyboard_shortcuts")}
    title=${t("keyboard_shortcuts")}
    aria-haspopup="dialog"
    @click=${() => openDialog("keys")}
  >
    ?
  </button>
`;

export const footerView = (s) => html`
  <p>
    ${currentBox(s)?.public ? t("who_public") : t("who_private")} ${t("when_gone")}
    ${t("do_not_keep")}
  </p>
`;

/** What a screen reader is told; an element of its own each time, or the same text is told once. */
export const saidView = ({ said }) => keyed(said.turn, html`<p>${said.text}</p>`);
