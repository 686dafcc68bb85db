// The long poll: one request that is answered when there is mail, and the next one after it.

import { Failure, newer } from "./api.js";

const WAIT_SECONDS = 50;
const GRACE_SECONDS = 15;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** How long to stay away after so many failures in a row, in milliseconds. */
export function pauseAfter(failures, retryAfter = 0) {
  const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1));
  // Whoever lost the same server at the same time does not come back at the same time.
  return retryAfter * 1000 + longest * (0.5 + Math.random() / 2);
}

/** A pause that ends early when the network is back. */
export function rest(milliseconds, signal) {
  return new Promise((over) => {
    const timer = setTimeout(end, milliseconds);
    function end() {
      clearTimeout(timer);
      removeEventListener("online", end);
      over();
    }
    addEventListener("online", end);
    signal?.addEventListener("abort", end);
  });
}

/** Watches one box.
 *
 * `told` has `page(page)` for every answer, `live()`, `lost(milliseconds)` before each new try, and
 * `gone(failure)` when the server does not know the box, or not any more; after that it ends.
 */
export class Poll {
  #box;
  #told;
  #ended = new AbortController();
  #asking = null;
  #cursor = "0";
  // Whether the next request is to be answered at once, and whether we cut this one short.
  #fresh = true;
  #cut = false;

  constructor(box, told) {
    this.#box = box;
    this.#told = told;
    this.#run();
  }

  stop() {
    this.#ended.abort();
    this.#asking?.abort();
  }

  /** Ask anew at once: after a sleep the connection may be dead without anybody knowing. */
  refresh() {
    this.#fresh = this.#cut = true;
    this.#asking?.abort();
  }

  get #over() {
    return this.#ended.signal.aborted;
  }

  async #run() {
    let failures = 0;
    while (!this.#over) {
      const started = Date.now();
      const wait = this.#fresh ? 0 : WAIT_SECONDS;
      this.#cut = false;
      try {
        const page = await this.#ask(wait);
        if (this.#over) return;
        this.#cursor = page.cursor;
        this.#told.page(page);
        if (wait && !page.messages.length && Date.now() - started < 1000) {
          // It would not hold us: it stops.
          throw new Failure(503, "");
        }
        failures = 0;
        this.#fresh = page.messages.length > 0;
        this.#told.live();
      } catch (failure) {
        if (this.#over) return;
        if (!(failure instanceof Failure)) throw failure;
        if ([401, 404, 410].includes(failure.status)) {
          this.#told.gone(failure);
          return;
        }
        if (this.#cut) continue;
        failures += 1;
        this.#fresh = true;
        const pause = pauseAfter(failures, failure.retryAfter);
        this.#told.lost(pause);
        await rest(pause, this.#ended.signal);
      }
    }
  }

  async #ask(wait) {
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    const timer = setTimeout(() => this.#asking.abort(), (wait + GRACE_SECONDS) * 1000);
    try {
      return await newer(this.#box, this.#cursor, wait, signal);
    } finally {
      clearTimeout(timer);
    }
  }
}
