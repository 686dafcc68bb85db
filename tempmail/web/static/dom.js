// Making elements. Text always becomes text: nothing here reads markup.

import { words } from "./words.js";

export const $ = (id) => document.getElementById(id);

/** An element: its name with classes ("p.quiet"), its attributes and listeners, its content. */
export function el(kind, given = {}, ...content) {
  const [name, ...classes] = kind.split(".");
  const made = document.createElement(name);
  made.classList.add(...classes);
  for (const [key, value] of Object.entries(given)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (value !== false && value !== null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...content.filter((one) => one !== null));
  return made;
}

/** Fill in what the document leaves to the words. */
export function fillWords() {
  for (const one of document.querySelectorAll("[data-word]")) {
    one.textContent = words[one.dataset.word];
  }
}

/** Tell a screen reader. */
export function say(text) {
  $("said").replaceChildren(el("p", {}, text));
}

/** Put text into the clipboard; false where the browser does not let us. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without TLS there is no such thing except on this machine; the old way still works.
  }
  const area = el("textarea", { readonly: true, class: "unseen" });
  area.value = text;
  document.body.append(area);
  const focused = document.activeElement;
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return done;
}

/** Let a button copy what `what` gives; it says so for a moment. */
export function copies(button, what, said = words.copied) {
  const shown = button.textContent;
  let timer = 0;
  button.addEventListener("click", async () => {
    if (!(await copy(what()))) return;
    say(said);
    button.textContent = words.copied;
    button.classList.add("done");
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = shown;
      button.classList.remove("done");
    }, 1500);
  });
  return button;
}

/** The code of a mail, or null: one click copies it. */
export function codeChip(mail) {
  if (!mail.code) return null;
  const label = words.copy_code(mail.code);
  const button = el("button.code", { "aria-label": label, title: words.copy }, mail.code);
  return copies(button, () => mail.code, words.code_copied(mail.code));
}

/** The link of a mail, or null. It says the host it really leads to. */
export function linkChip(mail) {
  let url;
  try {
    url = new URL(mail.link);
  } catch {
    return null;
  }
  if (!["http:", "https:"].includes(url.protocol)) return null;
  const given = { href: url.href, target: "_blank", rel: "noopener noreferrer", title: url.href };
  return el("a.link", given, words.open_link(url.host));
}

/** Code and link in one line, or null for neither. */
export function chips(mail) {
  const found = [codeChip(mail), linkChip(mail)].filter(Boolean);
  return found.length ? el("div.chips", {}, ...found) : null;
}

/** Who sent it: the name, or else the address. */
export const senderOf = (mail) => mail.from?.name || mail.from?.address || words.no_sender;
