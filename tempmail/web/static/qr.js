// A QR code of an address, drawn here. All of this is fetched when the first one is wanted.

import { encode } from "./vendor/uqr/uqr.js";

// Squares left free around it. It lies on white besides, so this is less than the standard's four.
const QUIET = 2;

/** The code of a text: the path of an SVG, and how many squares wide that is. */
export function draw(text) {
  const { data, size } = encode(text, { ecc: "M", border: 0 });
  const line = (row, y) =>
    row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")).join("");
  return { path: data.map(line).join(""), size: size + 2 * QUIET };
}
