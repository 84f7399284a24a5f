// Did it add up?

/** @import { Reconciliation, Run } from "../types.d.ts" */

import { comparable, follow, look } from "../charts/figure.js";
import { timeChart } from "../charts/timechart.js";
import { data } from "../data.js";
import { html, note } from "../dom.js";
import { count, isNumber, maybe, plural, short, signed } from "../format.js";
import { perRun } from "../runs.js";
import { ofProbe } from "../sums.js";
import { behind, lcaCell, table, words } from "../table.js";
import { band, overRuns } from "../together.js";
import { drawn, view } from "../view.js";

export function grounded() {
  const together = comparable();
  const rest = comparable();
  const all = { label: "Measured loss", unit: "loss", positive: true };
  overRuns("grounded", data.mean_loss, all, ({ curves }) => {
    const mean = curves.find(({ name }) => name === view.probe) ?? curves[0];
    return [
      ...data.runs.map((run, place) => {
        const { iterations, loss } = ofProbe(run.loss) ?? run.loss[0];
        return { name: run.name, x: iterations, y: loss, ...look(place), thin: true };
      }),
      ...band(mean, { name: "mean", colour: "var(--text)" }),
    ];
  });
  perRun("grounded", (run) => {
    const rows = run.summary.reconciliation;
    const curves = () => {
      const found = ofProbe(run.loss);
      if (!found) return [];
      const { iterations: x, loss, explained } = found;
      return [
        { name: "measured loss", x, y: loss, ...look(0) },
        { name: "loss(0) + ΣLCA", x, y: explained, colour: "var(--c1)", dash: "6 4" },
      ];
    };
    const residuals = () => {
      const found = ofProbe(run.loss);
      if (!found) return [];
      const of = found.every > 1 ? `${found.every} steps` : "the step";
      const { iterations: x, residual: y } = found;
      return [{ name: `residual of ${of}`, x, y, colour: "var(--c3)" }];
    };
    const { every } = run.loss[0];
    const kept = `Of every ${every} steps the last is kept, with their residuals summed, to keep`;
    return [
      verdict(rows),
      reconciliation(rows),
      timeChart({
        label: "Measured loss, and what LCA adds up to",
        unit: "loss",
        options: [probeInView(run)],
        curves,
        together,
        positive: true,
      }),
      run.loss.some(({ probe }) => isSampled(run, probe))
        ? note(
            "Every step was measured on examples of its own: the curves may part by as much as " +
              "such samples differ, the residual should be small.",
          )
        : null,
      timeChart({
        label: "Residual: loss change − LCA",
        unit: "loss",
        options: [probeInView(run)],
        curves: residuals,
        height: 130,
        base: 0,
        together: rest,
        digits: signed,
      }),
      every > 1 ? note(`${kept} this page small.`) : null,
      behind(
        "loss by step",
        ["iteration", "probe", "loss after", "loss(0) + ΣLCA", "residual"],
        () =>
          run.loss.flatMap(({ probe, iterations, loss, explained, residual }) =>
            Array.from(iterations, (iteration, place) => [
              String(iteration),
              words(probe),
              short(loss[place]),
              short(explained[place]),
              short(residual[place]),
            ]),
          ),
      ),
    ];
  });
}

/**
 * Says which of several probes curves are of.
 * @param {Run} run
 */
const probeInView = (run) =>
  run.loss.length > 1 ? follow(() => ofProbe(run.loss)?.probe ?? "") : null;

/**
 * What became of the probe in view.
 * @param {Reconciliation[]} rows
 */
function verdict(rows) {
  const text = html("p", { class: "verdict" });
  drawn(() => text.replaceChildren(groundedText(ofProbe(rows) ?? rows[0])));
  return text;
}

/**
 * Whether every step has examples of its own.
 * @param {Run} run
 * @param {string} probe
 */
const isSampled = ({ summary }, probe) =>
  summary.reconciliation.some((row) => row.probe === probe && row.margin !== null);

/** @param {Reconciliation} main */
function groundedText(main) {
  const sum = signed(main.lca);
  const share = main.relative_difference;
  const off = isNumber(share) ? `, ${(100 * share).toPrecision(2)} % of the change` : "";
  const change = signed(main.loss_change);
  const unobserved =
    `the ${count(main.steps)} observed steps changed the loss by ${change} in all, and what the ` +
    `${count(main.unobserved)} between them did is not known; LCA sums to ${sum}`;
  const summed = isNumber(main.margin)
    ? `the steps changed the loss of their samples by ${change} in all; LCA sums to ${sum}, ` +
      `± ${short(main.margin)} as an estimate for all examples (95 % confidence)`
    : main.unobserved > 0
      ? unobserved
      : `the loss went from ${short(main.loss_before)} to ${short(main.loss_after)}, a change of ` +
        `${change}; LCA sums to ${sum}`;
  const said = isNumber(main.loss_change)
    ? `${main.probe}: ${summed}. The difference is ${signed(main.difference)}${off}.`
    : `${main.probe}: the loss began or ended at a value that is not finite, so there is nothing ` +
      `that LCA could add up to; where it was finite, LCA sums to ${sum}.`;
  const capped = `${plural(main.capped, "step")} stopped at the limit on refinement.`;
  const odd = `${plural(main.not_finite, "step")} had no finite loss and are left out of the sums.`;
  return [said, main.capped > 0 ? capped : "", main.not_finite > 0 ? odd : ""].join(" ").trim();
}

/** @param {Reconciliation[]} rows */
function reconciliation(rows) {
  const isMoving = rows.some((row) => row.buffers !== null);
  const buffers = (/** @type {Reconciliation} */ row) =>
    isMoving ? [maybe(row.buffers, short)] : [];
  const isSampled = rows.some((row) => row.margin !== null);
  const margin = (/** @type {Reconciliation} */ row) =>
    isSampled ? [maybe(row.margin, short)] : [];
  const headings = ["probe", "steps", "loss before", "after", "change", "sum of LCA"];
  if (isSampled) headings.push("± 95 %");
  if (isMoving) headings.push("buffers");
  headings.push("difference", "worst residual", "at", "capped", "not finite");
  const box = table(
    "Reconciliation",
    headings,
    rows.map((row) => [
      words(row.probe),
      count(row.steps),
      short(row.loss_before),
      short(row.loss_after),
      lcaCell(row.loss_change),
      lcaCell(row.lca),
      ...margin(row),
      ...buffers(row),
      short(row.difference),
      maybe(row.worst_residual, (worst) => signed(worst.residual)),
      maybe(row.worst_residual, (worst) => String(worst.iteration)),
      count(row.capped),
      count(row.not_finite),
    ]),
  );
  box.dataset.numbers = JSON.stringify(rows);
  return box;
}
