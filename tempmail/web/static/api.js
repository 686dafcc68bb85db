// Calls to the server. Every path is relative to the page, so a base path needs no mention.

/** What the server refused (its status), or that it could not be reached (status 0). */
export class Failure extends Error {
  constructor(status, detail, retryAfter = 0) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
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

async function ask(method, path, { token, body, signal } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
  } catch (error) {
    throw new Failure(0, String(error));
  }
  setClock(answer);
  return answer;
}

/** Ask; resolves to the JSON of the answer, null for none. Raises a Failure. */
async function call(method, path, given) {
  const answer = await ask(method, path, given);
  let found = null;
  try {
    const text = await answer.text();
    // Nothing where there should be something is no answer of ours either.
    found = text || (answer.ok && answer.status !== 204) ? JSON.parse(text) : null;
  } catch {
    // It was cut off; or whoever answered, it was not our server: a captive portal, a proxy.
    throw new Failure(answer.ok ? 0 : answer.status, answer.statusText);
  }
  if (answer.ok) return found;
  const retry = Number(answer.headers.get("Retry-After")) || 0;
  throw new Failure(answer.status, found?.detail ?? answer.statusText, retry);
}

const pathOf = (box) => `v1/mailboxes/${encodeURIComponent(box.address)}`;
const mailPath = (box, id) => `${pathOf(box)}/messages/${encodeURIComponent(id)}`;

/** How many mails a list has at most. */
export const MOST_LISTED = 500;

export const domains = () => call("GET", "v1/domains");
export const mint = (wish) => call("POST", "v1/mailboxes", { body: wish });
export const remove = (box) => call("DELETE", pathOf(box), { token: box.token });
export const extend = (box, lifetime) =>
  call("POST", `${pathOf(box)}/extend`, { token: box.token, body: { lifetime } });
export const restore = (box) =>
  call("POST", `${pathOf(box)}/restore`, { body: { restore_key: box.restore_key } });

/** What is newer in each of these `{address, token, after}`, held for up to `timeout` seconds. */
export const wait = (mailboxes, timeout, signal) =>
  call("POST", "v1/wait", { body: { mailboxes, timeout, limit: MOST_LISTED }, signal });

/** What is in a box, the first of it. */
export const list = (box) =>
  call("GET", `${pathOf(box)}/messages?limit=${MOST_LISTED}`, { token: box.token });
export const empty = (box) => call("DELETE", `${pathOf(box)}/messages`, { token: box.token });

export const message = (box, id) => call("GET", mailPath(box, id), { token: box.token });
export const removeMessage = (box, id) => call("DELETE", mailPath(box, id), { token: box.token });
export const markSeen = (box, id) =>
  call("PATCH", mailPath(box, id), { token: box.token, body: { seen: true } });

/** The mail as it came, as text: what is not UTF-8 shows as U+FFFD. No more than `most` octets. */
export async function source(box, id, most) {
  const answer = await ask("GET", `${mailPath(box, id)}/raw`, { token: box.token });
  if (!answer.ok) throw new Failure(answer.status, answer.statusText);
  try {
    return await beginningOf(answer.body.getReader(), most);
  } catch (error) {
    throw new Failure(0, String(error));
  }
}

async function beginningOf(reader, most) {
  const decoder = new TextDecoder();
  let text = "";
  for (let got = 0; got < most; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value.subarray(0, most - got), { stream: true });
    got += value.length;
  }
  reader.cancel();
  return `${text}…`;
}

const withToken = (path, box, more = {}) =>
  `${path}?${new URLSearchParams({ ...more, access_token: box.token })}`;

/** The address of a part of a mail that the browser fetches by itself: html, raw, attachments/0. */
export const partOf = (box, id, part, more) => withToken(`${mailPath(box, id)}/${part}`, box, more);

/** The address of all mail in one file. */
export const exportOf = (box) => withToken(`${pathOf(box)}/export`, box);
