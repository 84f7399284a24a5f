// Numbers as texts, in the same way as the command line writes them.

/**
 * A number of the data; JSON has null for NaN and infinities.
 * @typedef {number | null | undefined} Value
 */

/**
 * @param {unknown} value
 * @returns {value is number}
 */
export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/**
 * Four digits, in powers of ten where a number is very small or large.
 * @param {Value} value
 */
export function short(value) {
  if (!isNumber(value)) return "not finite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e5) return value.toExponential(2).replace("e+", "e");
  return value.toFixed(Math.max(0, 3 - Math.floor(Math.log10(size))));
}

/** @param {Value} value */
export const signed = (value) => (isNumber(value) && value > 0 ? "+" : "") + short(value);

/** @param {Value} value */
export const count = (value) => (isNumber(value) ? value.toLocaleString("en-US") : "–");

/**
 * A fraction in percent.
 * @param {Value} fraction
 */
export const percent = (fraction) =>
  isNumber(fraction) ? `${(100 * fraction).toFixed(1)}\u00a0%` : "–";

/**
 * A value that need not be there.
 * @template T
 * @param {T | null | undefined} value
 * @param {(value: T) => string} format
 */
export const maybe = (value, format) =>
  value === null || value === undefined ? "–" : format(value);

/**
 * @param {number} number
 * @param {string} noun
 */
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

/**
 * What a class is called: a number alone would say nothing.
 * @param {string} name
 */
export const classText = (name) => (/^\d+$/.test(name) ? `class ${name}` : name);

/**
 * The style of what helps, hurts, or does neither.
 * @param {number} value
 */
export const signClass = (value) => (value < 0 ? "help" : value > 0 ? "hurt" : "nil");
