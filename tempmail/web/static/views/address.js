// The address, its time, and the other ones this browser holds.

import {
  copy,
  extend,
  isLongest,
  mintAnother,
  openDialog,
  restore,
  show,
} from "../actions.js";
import { currentBox, endOf, leftOf, unseenIn, WARN_BEFORE } from "../state.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { countdown, endText, t } from "../words.js";

function selectAll({ target }) {
  target.select();
  // The beginning of a long one stays in sight.
  target.scrollLeft = 0;
}

const field = (box, over) => html`
  <input
    id="address"
    class=${over ? "gone" : ""}
    readonly
    dir="ltr"
    spellcheck="false"
    autocomplete="off"
    aria-label=${t("address")}
    placeholder=${t("making_address")}
    .value=${box?.address ?? ""}
    .style=${`--characters: ${box?.address.length ?? 24}`}
    @focus=${selectAll}
    @click=${selectAll}
  />
`;

const copyButton = (s, box) => html`
  <button
    id="copy"
    class="main ${s.copied === "address" ? "done" : ""}"
    ?disabled=${!box}
    @click=${() => copy("address", box.address)}
  >
    ${s.copied === "address" ? t("copied") : t("copy")}
  </button>
`;

const time = (s, box) => {
  const left = leftOf(s, box);
  const soon = left <= WARN_BEFORE;
  const longest = isLongest(box);
  return html`
    <p class="time ${soon ? "soon" : ""}">
      <span class="label" aria-hidden="true">${t("time_left")}</span>
      <span class="left" role="timer" aria-label=${t("time_left")} aria-live="off" dir="ltr"
        >${countdown(left)}</span
      >
      ${soon ? html`<span class="minute">${t("one_minute")}</span>` : nothing}
      <button
        class=${soon && !longest ? "main" : "bare"}
        ?disabled=${longest || s.busy}
        title=${longest ? t("at_its_longest") : nothing}
        @click=${extend}
      >
        ${t("extend")}
      </button>
    </p>
  `;
};

const actions = (s, box) => html`
  <div class="actions">
    ${copyButton(s, box)}
    <button ?disabled=${!box} aria-haspopup="dialog" @click=${() => openDialog("qr")}>
      ${t("qr_code")}
    </button>
    <button ?disabled=${!box || s.busy} @click=${mintAnother}>${t("new_address")}</button>
    <button ?disabled=${!box} aria-haspopup="dialog" @click=${() => openDialog("choose")}>
      ${t("choose")}
    </button>
    <button ?disabled=${!box} aria-haspopup="dialog" @click=${() => openDialog("delete")}>
      ${t("delete_address")}
    </button>
  </div>
`;

const over = (s, box, end) => html`
  <div id="over">
    <p role="status">${endText(end)}</p>
    <div class="actions">
      ${box
        ? html`<button class="main" ?disabled=${s.busy} @click=${restore}>${t("restore")}</button>`
        : nothing}
      <button ?disabled=${s.busy} @click=${mintAnother}>${t("new_address")}</button>
    </div>
  </div>
`;

const other = (s, box) => {
  const count = unseenIn(s, box.address);
  const end = endOf(s, box);
  return html`<li>
    <button
      class="held"
      aria-current=${box.address === s.current ? "true" : nothing}
      @click=${() => show(box.address)}
    >
      <bdi dir="ltr">${box.address}</bdi>
      ${end
        ? html`<span class="quiet">${t("is_over")}</span>`
        : html`<span class="quiet left" dir="ltr">${countdown(leftOf(s, box))}</span>`}
      ${count ? html`<span class="count">${t("unread_count", { count })}</span>` : nothing}
    </button>
  </li>`;
};

const others = (s) => html`
  <nav aria-label=${t("your_addresses")}>
    <h2>${t("your_addresses")}</h2>
    <ul>
      ${repeat([...s.boxes].reverse(), (box) => box.address, (box) => other(s, box))}
    </ul>
  </nav>
`;

export const addressView = (s) => {
  const box = currentBox(s);
  const end = box ? endOf(s, box) : s.left;
  return html`
    <section class="head ${end || (box && leftOf(s, box) <= WARN_BEFORE) ? "urgent" : ""}" aria-label=${t("your_address")}>
      <h2>${t("your_address")}</h2>
      ${box || !end ? field(box, end) : nothing}
      ${end
        ? over(s, box, end)
        : html`<div class="row">${actions(s, box)} ${box ? time(s, box) : nothing}</div>`}
      ${s.problem ? html`<p class="problem" role="alert">${s.problem}</p>` : nothing}
    </section>
    ${s.boxes.length > 1 || (s.boxes.length && !box) ? others(s) : nothing}
  `;
};
