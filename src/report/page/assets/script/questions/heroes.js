// Who are the heroes and villains?

/** @import { HelpingParameter, Heroes, Inequality, Run } from "../types.d.ts" */

import { histogram } from "../charts/histogram.js";
import { data } from "../data.js";
import { absent, note } from "../dom.js";
import { count, maybe, percent, plural, short, signClass, signed } from "../format.js";
import { perRun } from "../runs.js";
import { behind, lcaCell, words } from "../table.js";
import { sharesOverRuns } from "../together.js";

/** @type {[number, string][]} */
const QUARTERS = [0, 0.25, 0.5, 0.75, 1].map((place) => [place, `${100 * place}`]);

const STEPS_BELOW = "% of its steps at which a parameter helped";

export function heroes() {
  const all = { label: "How often parameters help", unit: "% of parameters" };
  const chart = { ...all, marks: QUARTERS, below: STEPS_BELOW };
  sharesOverRuns(
    "heroes",
    data.hero_shares,
    chart,
    (edge) => edge,
    () => "nil",
  );
  perRun("heroes", spread);
}

/** @param {Run} run */
function spread(run) {
  const found = run.heroes;
  if (!found) {
    return absent(`How often single parameters helped is not known. ${data.missing.totals}`);
  }
  const bars = found.bins.map((bin) => {
    const when = `${(100 * bin.lower).toFixed(0)} to ${(100 * bin.upper).toFixed(0)} % of steps`;
    const many = plural(bin.parameters, "parameter");
    const expected = count(Math.round(bin.by_chance));
    return {
      from: bin.lower,
      to: bin.upper,
      lower: bin.lower,
      upper: bin.upper,
      count: bin.parameters,
      kind: signClass(bin.lca ?? NaN),
      tip: `helped at ${when}: ${many}, ${expected} by chance, LCA ${signed(bin.lca)}`,
    };
  });
  /** @type {[number, number][]} */
  const points = found.bins.flatMap((bin) => [
    [bin.lower, bin.by_chance],
    [bin.upper, bin.by_chance],
  ]);
  const headings = ["tensor", "index", "helping", "hurting", "LCA", "standard deviations"];
  return [
    note(heroesText(found) + few(run)),
    histogram({
      label: "How often parameters help",
      unit: "parameters",
      bars,
      marks: QUARTERS,
      lines: [{ name: "by chance", points }],
      below: STEPS_BELOW,
    }),
    note("Dashed: by chance. Colour: what the parameters of a bar did in sum."),
    behind("heroes", headings, () => rows(found.top_heroes)),
    behind("villains", headings, () => rows(found.top_villains)),
  ];
}

/** @param {HelpingParameter[]} list */
const rows = (list) =>
  list.map((row) => [
    words(row.tensor),
    // No thousands marked off: it is to be pasted into `--index`.
    String(row.index),
    count(row.helping),
    count(row.hurting),
    lcaCell(row.lca),
    signed(row.deviations),
  ]);

/** @param {Heroes} found */
function heroesText(found) {
  const p = maybe(found.p_value, (p) => (p === 0 ? "below 1e-300" : short(p)));
  const share = percent(found.helping_fraction);
  return (
    `${count(found.heroes)} heroes (LCA ${signed(found.heroes_lca)}) help more often than chance ` +
    `explains, ${count(found.villains)} villains (LCA ${signed(found.villains_lca)}) less often, ` +
    `of ${plural(found.moving, "parameter")} that moved the loss; ${count(found.still)} never ` +
    "did. " +
    `${found.caution ?? ""}${found.caution ? " " : ""}` +
    `All together helped at ${share} of their steps; the spread is ` +
    `${maybe(found.variance_ratio, short)} times that of chance (p ${p}).`
  );
}

/**
 * How few parameters do most of the work.
 * @param {Run} run
 */
function few({ concentration }) {
  const said = (/** @type {string} */ name, /** @type {Inequality | undefined} */ amount) => {
    const foremost = amount?.top.find((entry) => entry.of_parameters === 0.01);
    if (!amount || !foremost) return [];
    return [`${percent(foremost.of_amount)} of all ${name} (Gini ${maybe(amount.gini, short)})`];
  };
  const both = [...said("help", concentration?.help), ...said("harm", concentration?.harm)];
  if (both.length === 0) return "";
  return ` Over the run, the foremost 1 % of the parameters have ${both.join(" and ")}.`;
}
