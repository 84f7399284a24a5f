// Names that fit into figures: how they are shortened was computed when the page was made.

import { data } from "../data.js";
import { svg } from "../dom.js";

/** How wide a letter is, about. */
export const LETTER = 6.6;

/** @param {string} name */
const lengthOf = (name) => [...name].length;

/**
 * How many letters the longest of some names has, shortened to what there is room for at most.
 * @param {string[]} names
 * @param {number} most
 */
export const widest = (names, most) =>
  Math.max(3, ...names.map((name) => lengthOf(shortened(name, most))));

/**
 * What is shown of a name where there is room for so many letters.
 * @param {string} name
 * @param {number} letters
 */
export function shortened(name, letters) {
  if (lengthOf(name) <= letters) return name;
  const fits = data.short_names.letters.findIndex((most) => most <= letters);
  const known = data.short_names.names.find((entry) => entry.name === name)?.texts ?? [name];
  return known[fits] ?? known[known.length - 1];
}

/**
 * The name of a row, left of the marks.
 * @param {string} name
 * @param {number} letters
 * @param {number} right where the marks begin
 * @param {number} middle
 */
export const rowName = (name, letters, right, middle) =>
  svg(
    "text",
    { class: "name", x: right - 8, y: middle + 4, "text-anchor": "end" },
    shortened(name, letters),
    svg("title", {}, name),
  );
