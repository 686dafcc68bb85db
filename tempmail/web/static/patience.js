// How long to stay away after failures, and pauses that can be ended.

const FIRST = 1000;
const LONGEST = 30_000;

/** Milliseconds to stay away after so many failures in a row; `retryAfter` is the server's word. */
export function pauseAfter(failures, retryAfter = 0) {
  const longest = Math.min(LONGEST, FIRST * 2 ** (failures - 1));
  // Whoever lost the same server at the same time does not come back at the same time.
  return retryAfter * 1000 + longest * (0.5 + Math.random() / 2);
}

/** A pause; `end` ends it early. */
export class Pause {
  #end = () => {};

  take(milliseconds) {
    return new Promise((over) => {
      const timer = setTimeout(over, milliseconds);
      this.#end = () => {
        clearTimeout(timer);
        over();
      };
    });
  }

  end() {
    this.#end();
  }
}
