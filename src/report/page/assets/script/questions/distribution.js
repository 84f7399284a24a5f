// How are the values distributed?

/** @import { Distribution, LcaHistogram, Run } from "../types.d.ts" */

import { histogram } from "../charts/histogram.js";
import { data } from "../data.js";
import { absent, note } from "../dom.js";
import { count, isNumber, maybe, percent, short, signed } from "../format.js";
import { perRun } from "../runs.js";
import { behind, lcaCell } from "../table.js";
import { sharesOverRuns } from "../together.js";

const SIZES_BELOW = "← helps · LCA (logarithmic either side of zero) · hurts →";

export function distribution() {
  const { edges = [], linear_below = null } = data.value_shares ?? {};
  const ends = { linear_below: linear_below ?? 1, outermost: edges[edges.length - 1] ?? 1 };
  const all = { label: "LCA of single parameters at single steps", unit: "% of values per bar" };
  const chart = { ...all, marks: powersOfTen(ends), below: SIZES_BELOW };
  sharesOverRuns("distribution", data.value_shares, chart, placeOn(ends), (lower) =>
    lower < 0 ? "help" : "hurt",
  );
  perRun("distribution", sizes);
}

/** @param {Run} run */
function sizes(run) {
  const found = run.distribution;
  if (!found) {
    return absent(`The distribution is not known. ${data.missing.values}`);
  }
  const table = behind("bins", ["from", "to", "count"], () =>
    found.bins
      .filter((bin) => bin.count > 0)
      .map((bin) => [short(bin.lower), short(bin.upper), count(bin.count)]),
  );
  const drawn = found.histogram;
  if (!drawn) return [absent("Every value is exactly zero, or none is finite."), table];
  const place = placeOn(drawn);
  const bars = drawn.bars.map((bar) => ({
    ...bar,
    from: place(bar.lower),
    to: place(bar.upper),
    kind: bar.lower < 0 ? "help" : "hurt",
    tip:
      `${short(bar.lower)} to ${short(bar.upper)}: ${count(bar.count)} values ` +
      `(${percent(bar.fraction)})`,
  }));
  // The bars next to zero hold all that is nearer to it: a law has no line there.
  const expected = [-1, 1].map((sign) => {
    const side = bars.filter((bar) => bar.lower * bar.upper > 0 && bar.lower * sign > 0);
    return side.flatMap(({ from, to, double_weibull }) =>
      double_weibull === null
        ? []
        : [/** @type {[number, number]} */ ([(from + to) / 2, double_weibull])],
    );
  });
  const above = isNumber(found.mean)
    ? { place: place(found.mean), value: found.mean, text: `mean ${signed(found.mean)}` }
    : null;
  return [
    note(distributionText(found)),
    histogram({
      label: "LCA of single parameters at single steps",
      unit: "values per bar",
      bars,
      lines: expected.map((points) => ({ name: "double Weibull", points })),
      marks: powersOfTen(drawn),
      above,
      below: SIZES_BELOW,
    }),
    note(
      `Exact zeros are not drawn; values nearer to zero than ${short(drawn.linear_below)} have ` +
        "one bar a side.",
    ),
    table,
    behind("quantiles", ["share of values", "LCA", "bin from", "to"], () =>
      found.quantiles.map((row) => [
        percent(row.probability),
        lcaCell(row.value),
        short(row.lower),
        short(row.upper),
      ]),
    ),
  ];
}

/** @param {Distribution} found */
function distributionText(found) {
  const odd = found.not_finite > 0 ? `, ${count(found.not_finite)} not finite and left out` : "";
  const source = found.source === "histograms" ? "histograms" : "the recorded parameters";
  const counts =
    `${count(found.helping)} helping, ${count(found.hurting)} hurting, ` +
    `${count(found.zero)} exactly zero${odd}; from ${source}.`;
  const fit = found.fits.double_weibull;
  if (!fit) return `${counts} No distribution could be fitted.`;
  const nearer = maybe(found.fits.aic_advantage, (advantage) =>
    advantage > 0 ? "; nearer than a Gaussian" : "; not as near as a Gaussian",
  );
  return (
    `${counts} Dashed: double Weibull distribution of shape ${short(fit.shape)} and scale ` +
    `${short(fit.scale)}, KS statistic ${short(fit.fit.ks_statistic)}` +
    `${nearer === "–" ? "" : nearer}.`
  );
}

/** @typedef {Pick<LcaHistogram, "linear_below" | "outermost">} Ends */

/** Bars for a factor of ten, which are as wide as the one next to zero. */
const PER_DECADE = 4;

/**
 * From values to places between 0 and 1: linear next to zero, logarithmic beyond.
 * @param {Ends} found
 */
function placeOn({ linear_below, outermost }) {
  const bars = (/** @type {number} */ size) =>
    size <= linear_below
      ? size / linear_below
      : 1 + PER_DECADE * Math.log10(Math.min(size, outermost) / linear_below);
  return (/** @type {number} */ value) =>
    0.5 + (0.5 * Math.sign(value) * bars(Math.abs(value))) / bars(outermost);
}

/**
 * @param {Ends} found
 * @returns {[number, string][]}
 */
function powersOfTen(found) {
  const place = placeOn(found);
  const first = Math.round(Math.log10(found.linear_below));
  const last = Math.floor(Math.log10(found.outermost) + 1e-9);
  const powers = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
  /** @type {(sign: number) => [number, string][]} */
  const side = (sign) =>
    powers.map((power) => [place(sign * 10 ** power), `${sign < 0 ? "-" : ""}1e${power}`]);
  return [...side(-1).reverse(), [0.5, "0"], ...side(1)];
}
