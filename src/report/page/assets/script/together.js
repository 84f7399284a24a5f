// What several runs say together: their mean, in a band of one standard deviation.

/** @import { MeanCurve, Means, Shares } from "./types.d.ts" */
/** @import { Curve } from "./charts/timechart.js" */

import { histogram } from "./charts/histogram.js";
import { timeChart } from "./charts/timechart.js";
import { note, placeOfFigure } from "./dom.js";
import { percent, plural } from "./format.js";

const BAND = "Dotted: one standard deviation over the runs to either side of the mean.";

/**
 * The mean of runs, with the edges of its band.
 * @param {MeanCurve} curve
 * @param {Pick<Curve, "name" | "colour" | "dash" | "layer">} look
 * @param {number} [factor]
 * @returns {Curve[]}
 */
export function band({ iterations: x, mean, low, high }, look, factor = 1) {
  const scaled = (/** @type {Float64Array} */ values) => values.map((value) => factor * value);
  const edge = (/** @type {string} */ sign, /** @type {Float64Array} */ values) => ({
    ...look,
    name: `${look.name} ${sign} deviation`,
    x,
    y: scaled(values),
    dash: "1 3",
    edge: true,
  });
  return [edge("−", low), edge("+", high), { ...look, x, y: scaled(mean) }];
}

/**
 * A figure of curves over all runs, at the place of those of single runs; nothing of one run.
 * @param {string} place
 * @param {Means | null} found
 * @param {Omit<Parameters<typeof timeChart>[0], "curves">} chart
 * @param {(found: Means) => Curve[]} curves
 * @param {string} [about] what the curves are of, where they don't follow the choices
 */
export function overRuns(place, found, chart, curves, about = "") {
  if (!found || found.curves.length === 0) return;
  const { runs, every } = found.curves[0];
  const label = `${chart.label}, mean of ${plural(runs, "run")}`;
  const kept =
    every > 1
      ? ` Of every ${every} steps the last is kept, to keep this page small; a zoom adds none.`
      : "";
  placeOfFigure(place).append(
    timeChart({ ...chart, label, curves: () => curves(found) }),
    note(`${about}${BAND}${kept}`),
    ...found.cautions.map(note),
  );
}

/**
 * A histogram of all runs: bars for their mean, lines for single runs; nothing of one run.
 * @param {string} place
 * @param {Shares | null} found
 * @param {Pick<Parameters<typeof histogram>[0], "label" | "unit" | "marks" | "below">} chart
 * @param {(edge: number) => number} at the place of an edge in the plot
 * @param {(lower: number) => string} kind the style of a bar
 */
export function sharesOverRuns(place, found, chart, at, kind) {
  const [set] = found?.sets ?? [];
  if (!found || !set?.mean) return;
  const { edges } = found;
  const { mean, low } = set.mean;
  const bars = mean.map((share, bar) => ({
    from: at(edges[bar]),
    to: at(edges[bar + 1]),
    lower: edges[bar],
    upper: edges[bar + 1],
    count: 100 * share,
    // Pale, so that lines are seen on them.
    kind: `${kind(edges[bar])} lighter`,
    tip: `mean ${percent(share)}, standard deviation ${percent(share - low[bar])}`,
  }));
  const outline = (/** @type {number[]} */ shares) =>
    shares.flatMap((share, bar) =>
      [edges[bar], edges[bar + 1]].map(
        (edge) => /** @type {[number, number]} */ ([at(edge), 100 * share]),
      ),
    );
  const lines = set.runs.map(({ folder, shares }) => ({
    name: folder,
    points: outline(shares),
    kind: "outline",
  }));
  const dashed = set.by_chance ? " Dashed: by chance." : "";
  const chance = set.by_chance ? [{ name: "by chance", points: outline(set.by_chance) }] : [];
  placeOfFigure(place).append(
    histogram({
      ...chart,
      label: `${chart.label}, mean of ${plural(set.runs.length, "run")}`,
      bars,
      lines: [...chance, ...lines],
      least: 0.001,
    }),
    note(`Bars: mean over the runs; lines: single runs.${dashed}`),
    ...found.cautions.map(note),
  );
}
