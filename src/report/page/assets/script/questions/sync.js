// Do layers learn in sync?

/** @import { Peaks } from "../types.d.ts" */

import { dots } from "../charts/dots.js";
import { absent, note } from "../dom.js";
import { count, maybe, short, signed } from "../format.js";
import { perRun } from "../runs.js";
import { behind, lcaCell, words } from "../table.js";
import { classNames, view } from "../view.js";

/** @param {number | null} number */
const isClassInView = (number) =>
  view.class === "" || number === null || String(number) === view.class;

export function sync() {
  perRun("peaks", (run) => {
    const found = run.peaks;
    if (!found) return absent(`Peaks could not be looked for: ${run.peaks_missing}.`);
    return [
      note(syncText(found)),
      dots({
        label: "Peaks of helping, by layer and class",
        groups: () => groups(found),
        moments: () => moments(found),
      }),
      note(
        `The ${run.peaks_top} strongest of each layer and class; in a layer, one line a class. ` +
          `Vertical lines: at least ${found.min_layers} layers peak together for a class.`,
      ),
      behind("moments", ["iteration", "classes", "LCA, strongest class"], () =>
        found.moments.map((moment) => [
          String(moment.iteration),
          words(moment.classes.map((row) => row.name ?? row.class ?? "all").join(", ")),
          lcaCell(moment.value),
        ]),
      ),
      behind("layers that line up, against chance", ["layers", "observed", "by chance", "p"], () =>
        found.alignment.map((row) => [
          `${row.layers} or more`,
          count(row.observed),
          short(row.expected),
          short(row.p),
        ]),
      ),
    ];
  });
}

/** @param {Peaks} found */
function syncText(found) {
  const all = found.alignment[found.alignment.length - 1];
  if (!all) return "There are too few layers with peaks to ask whether they line up.";
  return (
    `All ${all.layers} layers peak at the very same iteration ${count(all.observed)} times (over ` +
    `all classes); by chance it would be ${short(all.expected)} times, p = ${short(all.p)} of ` +
    `${count(found.permutations)} random shifts.`
  );
}

/** @param {Peaks} found */
const moments = (found) =>
  found.moments
    .filter((moment) => moment.classes.some((row) => isClassInView(row.class)))
    .map((moment) => {
      const said = moment.classes.map(
        (row) => `${row.name ?? row.class ?? "all classes"} (${row.layers} layers)`,
      );
      const tip = `iteration ${moment.iteration}: ${said.join(", ")}`;
      return { x: moment.iteration, tip };
    });

/** @param {Peaks} found */
const groups = (found) =>
  found.layers.map((layer) => ({
    name: layer,
    rows: found.series
      .filter((series) => series.layer === layer && isClassInView(series.class))
      .map((series) => {
        const number = maybe(series.class, String);
        const name = series.class === null ? "" : `class ${classNames.get(number) ?? number}`;
        const dots = series.peaks.map(({ iteration, value, height }) => ({
          x: iteration,
          value,
          height,
          tip:
            `${layer} ${name} · iteration ${iteration} · LCA ${signed(value)}, ` +
            `${short(height)} below its surroundings`,
        }));
        return { name, class: series.class, dots };
      }),
  }));
