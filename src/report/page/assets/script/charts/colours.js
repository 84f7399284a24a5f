// Colours of cells.

import { html } from "../dom.js";
import { isNumber, signed } from "../format.js";

/**
 * The colour of a value on a scale to both sides of zero.
 * @param {number | null} value
 * @param {number} full the size that has full colour
 */
export function blend(value, full) {
  if (!isNumber(value)) return "var(--nan)";
  const part = full > 0 ? 2 * Math.min(1, Math.abs(value) / full) : 0;
  const end = value < 0 ? "--help" : "--hurt";
  const mix = (/** @type {string} */ from, /** @type {string} */ to, /** @type {number} */ way) =>
    `color-mix(in srgb, var(${to}) ${(100 * way).toFixed(1)}%, var(${from}))`;
  return part < 1 ? mix("--mid", `${end}-half`, part) : mix(`${end}-half`, `${end}-full`, part - 1);
}

/**
 * The scale as a picture between its ends.
 * @param {number} full
 * @param {string} what
 */
export function scaleText(full, what = "") {
  const text = html("span", { class: "quiet" });
  const after = ` ${signed(full)}${what ? ` (full colour: ${what})` : ""}`;
  text.append(`${signed(-full)} `, html("span", { class: "scale" }), after);
  return text;
}
