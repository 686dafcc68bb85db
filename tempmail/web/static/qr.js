// A QR code of an address, drawn here. What draws it is fetched when the first one is wanted.

// Squares left free around it. It lies on white besides, so this is less than the standard's four.
const QUIET = 2;

/** The code of a text: the path of an SVG, and how many squares wide that is. */
export async function draw(text) {
  const { encode } = await import("./vendor/uqr/uqr.js");
  const { data, size } = encode(text, { ecc: "M", border: 0 });
  const line = (row, y) =>
    row.map((dark, x) => (dark ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : "")).join("");
  return { path: data.map(line).join(""), size: size + 2 * QUIET };
}
