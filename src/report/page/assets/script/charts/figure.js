// What figures have in common: caption, readout, and scales that several of them share.

/** @import { Child } from "../dom.js" */

import { html } from "../dom.js";
import { drawn } from "../view.js";
import { saving } from "./save.js";

/**
 * @param {string} label
 * @param {string} unit
 * @param {Child[]} parts
 */
export function figure(label, unit, ...parts) {
  const caption = html("figcaption", {}, label);
  if (unit) caption.append(" ", html("span", { class: "unit" }, `(${unit})`));
  /** @type {HTMLElement} */
  const chart = html("figure", { "data-chart": label }, caption, ...parts);
  caption.append(saving(label, () => chart));
  return chart;
}

/**
 * A line that tells what an element of the plot under the pointer has in its `data-tip`. When the
 * figure is drawn anew it is emptied: the numbers may be others now.
 * @param {HTMLElement} plot
 */
export function readoutOf(plot) {
  const readout = html("p", { class: "readout", role: "status" });
  plot.addEventListener("pointerover", (event) => {
    const mark = event.target instanceof Element && event.target.closest("[data-tip]");
    if (mark) readout.textContent = mark.getAttribute("data-tip");
  });
  drawn(() => readout.replaceChildren());
  return readout;
}

/**
 * A figure with a readout; `draw(plot)` makes the picture.
 * @param {string} label
 * @param {string} unit
 * @param {Child[]} options
 * @param {(plot: HTMLElement) => SVGElement} draw
 */
export function tipFigure(label, unit, options, draw) {
  const plot = html("div", { class: "plain" });
  const readout = readoutOf(plot);
  drawn(() => plot.replaceChildren(draw(plot)));
  return figure(label, unit, ...options, plot, readout);
}

/**
 * Charts that are to be compared share the range of their values.
 * @typedef {{ join: (extent: () => number[]) => void, extent: () => number[] }} Comparable
 */

/** @returns {Comparable} */
export function comparable() {
  /** @type {(() => number[])[]} */
  const charts = [];
  return {
    join: (extent) => charts.push(extent),
    extent: () => {
      const all = charts.map((extent) => extent()).filter(([low, high]) => low <= high);
      return [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))];
    },
  };
}

/**
 * Words that follow what is in view.
 * @param {() => string} text
 */
export function follow(text) {
  const place = html("span", { class: "quiet" });
  drawn(() => place.replaceChildren(text()));
  return place;
}

const DASHES = ["", "6 3", "2 3", "8 3 2 3"];

/** How many colours there are; then they come again with another dash. */
const COLOURS = 8;

/**
 * The look of the n-th curve.
 * @param {number} place
 */
export const look = (place) => ({
  colour: `var(--c${place % COLOURS})`,
  dash: DASHES[Math.floor(place / COLOURS) % DASHES.length],
});
