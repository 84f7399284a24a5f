// Do layers learn in sync?

/** @import { Peaks, Run } from "../types.d.ts" */

import { dots } from "../charts/dots.js";
import { follow } from "../charts/figure.js";
import { absent, html, note } from "../dom.js";
import { classText, count, maybe, plural, short, signed } from "../format.js";
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
        groups: () => groups(found, layersOf(run)),
        moments: () => moments(found),
      }),
      note(
        `The ${run.peaks_top} strongest of each layer and class; in a layer, one line a class. ` +
          `Vertical lines: at least ${found.min_layers} layers peak together for a class.`,
      ),
      html(
        "p",
        {},
        follow(() => hiddenText(found)),
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
      run.alignment_left_out > 0
        ? note(
            `The table leaves out ${plural(run.alignment_left_out, "row")} without peaks at the ` +
              "same iteration, or nearer to chance.",
          )
        : null,
    ];
  });
}

/** @param {Peaks} found */
function syncText(found) {
  const row = found.alignment.find(({ layers }) => layers === found.min_layers);
  if (!row) return "There are too few layers with peaks to ask whether they line up.";
  const known = found.layers.length;
  if (row.observed === 0 && row.expected === 0) {
    const most = found.alignment.findLast(({ observed }) => observed > 0)?.layers ?? 1;
    return (
      `At no iteration do ${row.layers} of ${known} layers peak together, nor would they by ` +
      `chance; the most at once are ${most}.`
    );
  }
  const enough = row.layers === known ? `All ${known}` : `At least ${row.layers} of ${known}`;
  return (
    `${enough} layers peak at the very same iteration ${count(row.observed)} times (over ` +
    `all classes); by chance it would be ${short(row.expected)} times, p = ${short(row.p)} of ` +
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
function hiddenText(found) {
  const hidden = found.layers.length - shownLayers(found).length;
  return hidden > 0 ? `${plural(hidden, "layer")} that are left out above are not drawn.` : "";
}

/** @param {Peaks} found */
const shownLayers = (found) => found.layers.filter((layer) => !view.hidden.has(layer));

/**
 * Also those without peaks, which have colours as well.
 * @param {Run} run
 */
const layersOf = (run) => run.trajectories[0]?.layers.map(({ layer }) => layer) ?? [];

/**
 * @param {Peaks} found
 * @param {string[]} places
 */
const groups = (found, places) =>
  shownLayers(found).map((layer) => ({
    name: layer,
    place: places.indexOf(layer),
    rows: found.series
      .filter((series) => series.layer === layer && isClassInView(series.class))
      .map((series) => {
        const number = maybe(series.class, String);
        const name = series.class === null ? "" : classText(classNames.get(number) ?? number);
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
