// Calls to the server. Every path is relative to the page, so a base path needs no mention.

import { words } from "./words.js";

/** What the server refused (its status), or that it could not be reached (status 0). */
export class Failure extends Error {
  constructor(status, detail, retryAfter = 0) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Why something failed, in words. */
export function reason(failure) {
  if (!(failure instanceof Failure)) throw failure;
  return failure.status === 0 ? words.unreachable : `${failure.message}.`;
}

// How far this computer's clock is behind the server's. Deadlines are the server's.
let behind = 0;

/** The time, as the server has it. */
export const now = () => Date.now() + behind;

function setClock(answer) {
  const date = Date.parse(answer.headers.get("Date") ?? "");
  // The header has whole seconds, so half a second of it is unknown.
  const seen = date + 500 - Date.now();
  if (!Number.isNaN(date)) behind = Math.abs(seen) < 2000 ? 0 : seen;
}

/** Ask; resolves to the JSON of the answer, null for none. Raises a Failure. */
export async function call(method, path, { token, body, signal } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer, text;
  try {
    answer = await fetch(path, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
    text = await answer.text();
  } catch (error) {
    throw new Failure(0, String(error));
  }
  setClock(answer);
  let found = null;
  try {
    found = text ? JSON.parse(text) : null;
  } catch {
    // Whoever answered, it was not our server: a proxy whose server is away, a captive portal.
    throw new Failure(answer.ok ? 502 : answer.status, answer.statusText);
  }
  if (answer.ok) return found;
  const retry = Number(answer.headers.get("Retry-After")) || 0;
  throw new Failure(answer.status, found?.detail ?? answer.statusText, retry);
}

const boxPath = (box) => `v1/mailboxes/${encodeURIComponent(box.address)}`;
const mailPath = (box, id) => `${boxPath(box)}/messages/${encodeURIComponent(id)}`;

export const mint = () => call("POST", "v1/mailboxes");

export const remove = (box) => call("DELETE", boxPath(box), { token: box.token });

export const extend = (box, lifetime) =>
  call("POST", `${boxPath(box)}/extend`, { token: box.token, body: { lifetime } });

export const restore = (box) =>
  call("POST", `${boxPath(box)}/restore`, { body: { restore_key: box.restore_key } });

export const newer = (box, after, wait, signal) =>
  call("GET", `${boxPath(box)}/messages?after=${encodeURIComponent(after)}&wait=${wait}`, {
    token: box.token,
    signal,
  });

export const message = (box, id) => call("GET", mailPath(box, id), { token: box.token });

export const markSeen = (box, id) =>
  call("PATCH", mailPath(box, id), { token: box.token, body: { seen: true } });

/** The address of a part of a mail that the browser fetches by itself: html, raw, attachments/0. */
export const partOf = (box, id, part, more = {}) =>
  `${mailPath(box, id)}/${part}?${new URLSearchParams({ ...more, access_token: box.token })}`;
