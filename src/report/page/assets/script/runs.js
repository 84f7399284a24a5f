// Figures of each run, side by side.

/** @import { Run } from "./types.d.ts" */
/** @import { Child } from "./dom.js" */

import { data, several } from "./data.js";
import { html, placeOfFigure } from "./dom.js";

/**
 * Fills the place of a figure with one part a run.
 * @param {string} name
 * @param {(run: Run) => Child | Child[]} make
 */
export function perRun(name, make) {
  const grid = html("div", { class: "runs" });
  for (const run of data.runs) {
    const part = html("div", { "data-run": run.name }, several ? html("h3", {}, run.name) : null);
    for (const child of [make(run)].flat()) if (child) part.append(child);
    grid.append(part);
  }
  placeOfFigure(name).append(grid);
}

/**
 * A heading within a question; below the run's name where there are several.
 * @param {Child[]} text
 */
export const title = (...text) => html(several ? "h4" : "h3", { class: "title" }, ...text);
