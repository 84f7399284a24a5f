// Which classes, when?

/** @import { ClassSteps, Run } from "../types.d.ts" */

import { comparable, follow } from "../charts/figure.js";
import { heatMap } from "../charts/heatmap.js";
import { timeMap } from "../charts/timemap.js";
import { kept } from "../choices.js";
import { data, firstRun, wholeOf } from "../data.js";
import { absent, html, note, placeOfFigure } from "../dom.js";
import { classText, maybe, plural, short } from "../format.js";
import { perRun } from "../runs.js";
import {
  before,
  classSums,
  greatest,
  keptText,
  meanOfStep,
  ofProbe,
  sumInView,
  windowText,
} from "../sums.js";
import { behind, lcaCell, words } from "../table.js";
import { rangeText, redraw } from "../view.js";

export function classes() {
  byLayer();
  overTime();
}

/**
 * LCA by class on the probe in view, or else on the first one that has it.
 * @param {Run} run
 */
const seriesInView = (run) => ofProbe(run.class_series) ?? run.class_series[0];

/** @param {ClassSteps} series */
const names = (series) => series.classes.map((entry) => classText(entry.name));

function byLayer() {
  meanOfRuns();
  const together = comparable();
  perRun("classes", (run) => {
    const first = run.class_series[0];
    if (!first) {
      return absent(data.missing.classes);
    }
    const value = (/** @type {number} */ row, /** @type {number} */ column) => {
      const series = seriesInView(run);
      const sums = classSums(series, column, row);
      return sumInView(series.iterations, sums, before(series, column, row));
    };
    return [
      heatMap({
        label: "LCA by class and layer",
        unit: "loss of the class",
        rows: names(first),
        columns: first.layers,
        value,
        full: greatest,
        together,
        options: [
          follow(() => `${seriesInView(run).probe}, ${rangeText()}${windowText(first.every)}`),
        ],
      }),
      behind("classes and layers, all iterations", ["class", ...first.layers], () => {
        const [all] = wholeOf(run, "class_series");
        return all.classes.map((entry, row) => [
          words(entry.name),
          ...all.layers.map((_, column) => lcaCell(classSums(all, column, row).at(-1))),
        ]);
      }),
      first.left_out > 0
        ? note(`${plural(first.left_out, "step")} without finite LCA left out.`)
        : null,
      first.every > 1 ? note(keptText(first.every)) : null,
    ];
  });
}

/** What the runs did for each class, if there are several. */
function meanOfRuns() {
  const found = data.class_means;
  if (!found) return;
  const value = (/** @type {number} */ row, /** @type {number} */ column) =>
    found.classes[row].lca[column] ?? NaN;
  const deviation = (/** @type {number} */ row, /** @type {number} */ column) =>
    `standard deviation ${maybe(found.classes[row].deviation[column], short)}`;
  placeOfFigure("classes").append(
    heatMap({
      label: `LCA by class and layer, mean of ${plural(found.runs, "run")}`,
      unit: "loss of the class",
      rows: found.classes.map((entry) => classText(entry.class.name)),
      columns: found.layers,
      value,
      full: greatest,
      more: deviation,
      options: [html("span", { class: "quiet" }, `${found.probe}, all iterations`)],
    }),
    ...found.cautions.map(note),
  );
}

function overTime() {
  const layers = firstRun.class_series[0]?.layers ?? [];
  const { value, choose } = kept("classes of layer", "");
  const layer = () => (layers.includes(value()) ? value() : "");
  if (layers.length > 0) {
    const select = html(
      "select",
      {
        change: () => {
          choose(select.value);
          redraw();
        },
      },
      html("option", { value: "" }, "all layers"),
      ...layers.map((name) => html("option", { value: name }, name)),
    );
    select.value = layer();
    const label = html("label", {}, "Layer ", select);
    placeOfFigure("class-times").append(html("p", {}, label));
  }
  const together = comparable();
  perRun("class-times", (run) => {
    const first = run.class_series[0];
    if (!first) return null;
    return timeMap({
      label: "LCA by class over time",
      unit: "loss of the class, a step",
      rows: names(first),
      windows: () => windowsOf(seriesInView(run), layer()),
      together,
      options: [follow(() => seriesInView(run).probe)],
    });
  });
}

/**
 * The windows of a layer, or of all layers together.
 * @param {ClassSteps} series
 * @param {string} layer
 */
function windowsOf(series, layer) {
  // All layers together come after the last one.
  const place = layer === "" ? series.layers.length : series.layers.indexOf(layer);
  const rows = series.classes.map((_, row) => classSums(series, place, row));
  return {
    ...series,
    levels: series.levels.map(({ windows, color_ranges }) => ({
      windows,
      full: color_ranges[place] ?? 0,
    })),
    mean: (/** @type {number} */ row, /** @type {number} */ start, /** @type {number} */ end) =>
      meanOfStep(series, rows[row], before(series, place, row), start, end),
  };
}
