// How noisy is learning?

/** @import { Run } from "../types.d.ts" */

import { comparable, look } from "../charts/figure.js";
import { timeChart } from "../charts/timechart.js";
import { data } from "../data.js";
import { absent, html, note } from "../dom.js";
import { count, maybe, percent, short, signed } from "../format.js";
import { perRun } from "../runs.js";
import { behind, words } from "../table.js";
import { band, overRuns } from "../together.js";

export function helpingBySteps() {
  const all = {
    label: "Parameters that help",
    unit: "% of those not zero, smoothed",
    base: 50,
    digits: (/** @type {number} */ value) => percent(value / 100),
  };
  overRuns("helping", data.mean_helping, all, ({ curves }) => [
    ...data.runs.map((run, place) => {
      const { iterations, smoothed } = run.helping;
      const y = smoothed.map((value) => 100 * value);
      return { name: run.name, x: iterations, y, ...look(place), thin: true };
    }),
    ...band(curves[0], { name: "mean", colour: "var(--text)" }, 100),
  ]);
  const together = comparable();
  perRun("helping", (run) => helping(run, together));
}

export function oscillation() {
  perRun("periods", periods);
}

/**
 * @param {Run} run
 * @param {ReturnType<typeof comparable>} together
 */
function helping(run, together) {
  const { every, iterations, helping, hurting, zero, fraction, smoothed } = run.helping;
  const { smoothing_window: window } = run.helping;
  const [each, mean] = [fraction, smoothed].map((column) => column.map((value) => 100 * value));
  const raw = every > 1 ? `windows of ${every} steps` : "each step";
  const summed =
    every > 1 ? ` Counts are summed over ${every} steps, to keep this page small.` : "";
  const colour = "var(--help)";
  const curves = () => [
    ...(window > 1 ? [{ name: raw, x: iterations, y: each, colour, thin: true }] : []),
    { name: window > 1 ? `mean of ${window} steps` : raw, x: iterations, y: mean, colour },
  ];
  const rows = run.summary.helping.map(
    (row) =>
      `${row.probe}: ${percent(row.fraction_of_nonzero)} helping without zeros, ` +
      `${percent(row.fraction_of_all)} of all; mean LCA ${signed(row.mean)}`,
  );
  return [
    html("p", { class: "quiet" }, `${rows.join(". ")}. The curve is of the training probe.`),
    timeChart({
      label: "Parameters that help",
      unit: "% of those not zero",
      curves,
      together,
      base: 50,
      digits: (value) => percent(value / 100),
    }),
    note(`The line is at 50\u00a0%.${summed}`),
    behind("helping by step", ["iteration", "helping", "hurting", "zero", "% of not zero"], () =>
      Array.from(iterations, (iteration, place) => [
        String(iteration),
        count(helping[place]),
        count(hurting[place]),
        count(zero[place]),
        percent(fraction[place]),
      ]),
    ),
  ];
}

/** @param {Run} run */
function periods(run) {
  if (!run.oscillation) {
    return absent(`How fast parameters oscillate is not known. ${data.missing.totals}`);
  }
  const rows = run.oscillation;
  return [
    behind(
      "periods of oscillation by tensor",
      ["tensor", "moving", "period of steps", "period of gradients", "steps of one sign"],
      () =>
        rows.map((row) => [
          words(row.tensor),
          count(row.moving),
          maybe(row.step_period, short),
          maybe(row.gradient_period, short),
          count(row.step_no_sign_change),
        ]),
    ),
    note("Periods are in observed steps. Random signs give 4; lower is zig-zag, higher drift."),
  ];
}
