// LCA over the iterations, the probe and the class in view. The sums up to each iteration were
// computed when the page was made; what follows from them and from the choice made here, and so
// could not be, is computed in this module and in no other. The tests hold it to the command line.

/** @import { ClassSteps, Run } from "./types.d.ts" */

import { placeOf } from "./charts/timeplot.js";
import { classText, isNumber } from "./format.js";
import { classNames, isAllInView, rangeText, view } from "./view.js";

/**
 * @template {{ probe: string }} T
 * @param {T[]} list
 * @param {string} probe
 */
export const ofProbe = (list, probe = view.probe) =>
  list.find((entry) => entry.probe === probe) ?? null;

/**
 * The sums of a layer and class, at the end of each window.
 * @param {ClassSteps} series
 * @param {number} layer
 * @param {number} row
 */
export function classSums(series, layer, row) {
  const windows = series.iterations.length;
  const start = (layer * series.classes.length + row) * windows;
  return series.sums.subarray(start, start + windows);
}

/**
 * The sum of a layer and class up to the first window.
 * @param {ClassSteps} series
 * @param {number} layer
 * @param {number} row
 */
export const before = (series, layer, row) => series.before[layer * series.classes.length + row];

/**
 * Layers with their LCA up to the first iteration, and up to and with each.
 * @typedef {{
 *   layer: string,
 *   parameters: number,
 *   before: number | null,
 *   sums: Float64Array,
 *   margins: Float64Array | null,
 * }} LayerSums
 * @typedef {{ every: number, iterations: Float64Array, layers: LayerSums[] }} Sums
 */

/**
 * The layers' sums on a probe, of the class in view; null without such.
 * @param {Run} run
 * @param {string} probe
 * @returns {Sums | null}
 */
export function layerSums(run, probe = view.probe) {
  const all = ofProbe(run.trajectories, probe);
  if (view.class === "" || all === null) return all;
  const found = ofProbe(run.class_series, probe);
  const row = found?.classes.findIndex((entry) => String(entry.class) === view.class) ?? -1;
  if (!found || row < 0) return null;
  const layers = found.layers.map((layer, place) => ({
    layer,
    parameters: all.layers.find((known) => known.layer === layer)?.parameters ?? NaN,
    before: before(found, place, row),
    sums: classSums(found, place, row),
    margins: null,
  }));
  return { every: found.every, iterations: found.iterations, layers };
}

/**
 * The sum over the iterations in view, of sums up to and with each iteration, and before them.
 * @param {Float64Array} iterations
 * @param {Float64Array} sums
 * @param {number | null} before
 */
export function sumInView(iterations, sums, before) {
  if (iterations.length === 0) return NaN;
  const upTo = (/** @type {number} */ iteration) =>
    iterations[0] <= iteration ? sums[placeOf(iterations, iteration)] : (before ?? NaN);
  return upTo(view.to) - upTo(view.from - 1);
}

/**
 * The mean of an optimizer step over some windows, from the sums up to and with each.
 * @param {ClassSteps} series
 * @param {Float64Array} sums
 * @param {number} before the sum up to the first
 * @param {number} start the first window
 * @param {number} end the one after the last
 */
export function meanOfStep({ optimizer_steps: steps }, sums, before, start, end) {
  const within = (/** @type {Float64Array} */ upTo, /** @type {number} */ first) =>
    upTo[end - 1] - (start > 0 ? upTo[start - 1] : first);
  return within(sums, before) / within(steps, 0);
}

/**
 * LCA per parameter.
 * @param {LayerSums} layer
 * @param {number} lca
 */
export const perParameter = ({ parameters }, lca) => lca / parameters;

/**
 * The greatest of the finite sizes, which gets full colour; 0 if there is none.
 * @param {number[]} values
 */
export const greatest = (values) => Math.max(0, ...values.filter(isNumber).map(Math.abs));

/**
 * What the LCA in view is of, such as "training, loss of class 3, iterations 5 to 9".
 * @param {Run} run
 * @param {string} probe
 */
export function shownText(run, probe = view.probe) {
  if (view.class === "") return `${probe}, ${rangeText()}`;
  const every = ofProbe(run.class_series, probe)?.every ?? 1;
  const name = classText(classNames.get(view.class) ?? view.class);
  return `${probe}, loss of ${name}, ${rangeText()}${windowText(every)}`;
}

/** @param {number} every */
export const keptText = (every) =>
  `Of every ${every} steps the last is kept, to keep this page small; sums are exact there.`;

/**
 * How finely a part of the iterations is told; a sum over all of them is exact.
 * @param {number} every
 */
export const windowText = (every) =>
  every > 1 && !isAllInView() ? `, in windows of ${every} steps` : "";
