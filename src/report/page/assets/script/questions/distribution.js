// How are the values distributed?

/** @import { Bin, Distribution, Run } from "../types.d.ts" */
/** @import { HistogramLine } from "../charts/histogram.js" */

import { histogram } from "../charts/histogram.js";
import { absent, note } from "../dom.js";
import { count, isNumber, maybe, percent, short, signed } from "../format.js";
import { perRun } from "../runs.js";
import { behind, lcaCell } from "../table.js";

export function distribution() {
  perRun("distribution", sizes);
}

/** @param {Run} run */
function sizes(run) {
  const found = run.distribution;
  if (!found) {
    return absent(
      "The distribution is not known: neither parameters nor histograms were recorded. Record " +
        "with Recorder::standard().",
    );
  }
  const bins = found.bins.filter((bin) => bin.count > 0);
  const table = behind("bins", ["from", "to", "count"], () =>
    bins.map((bin) => [short(bin.lower), short(bin.upper), count(bin.count)]),
  );
  const scale = signedLogarithmic(bins);
  if (!scale) return [absent("Every value is exactly zero, or none is finite."), table];
  const all = found.helping + found.hurting + found.zero;
  const bars = bins
    .flatMap(finite)
    .filter((bin) => bin.lower !== bin.upper)
    .map((bin) => ({
      from: scale.place(bin.lower),
      to: scale.place(bin.upper),
      lower: bin.lower,
      upper: bin.upper,
      count: bin.count,
      kind: bin.lower < 0 ? "help" : "hurt",
      tip:
        `${short(bin.lower)} to ${short(bin.upper)}: ${count(bin.count)} values ` +
        `(${percent((100 * bin.count) / all)})`,
    }))
    .filter((bar) => bar.to - bar.from > 1e-6);
  const above = isNumber(found.mean)
    ? { place: scale.place(found.mean), value: found.mean, text: `mean ${signed(found.mean)}` }
    : null;
  return [
    note(distributionText(found)),
    histogram({
      label: "LCA of single parameters at single steps",
      unit: "values per bin",
      bars,
      lines: laws(found, bars),
      marks: powersOfTen(scale),
      above,
      below: "← helps · LCA (logarithmic either side of zero) · hurts →",
    }),
    note(
      `Not drawn, but in the table: exact zeros, and sizes below ${short(scale.floor)} ` +
        `(${count(scale.hidden)} values).`,
    ),
    table,
    behind("quantiles", ["share of values (%)", "LCA", "bin from", "to"], () =>
      found.quantiles.map((row) => [
        short(100 * row.probability),
        lcaCell(row.value),
        short(row.lower),
        short(row.upper),
      ]),
    ),
  ];
}

/** @typedef {{ lower: number, upper: number, count: number }} FiniteBin */

/**
 * @param {Bin} bin
 * @returns {FiniteBin[]}
 */
const finite = ({ lower, upper, count }) =>
  isNumber(lower) && isNumber(upper) ? [{ lower, upper, count }] : [];

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

/**
 * @param {Distribution} found
 * @param {{ from: number, to: number, lower: number, upper: number }[]} bars
 * @returns {HistogramLine[]}
 */
function laws(found, bars) {
  const fit = found.fits.double_weibull;
  if (!fit) return [];
  const beyond = (/** @type {number} */ size) => Math.exp(-((size / fit.scale) ** fit.shape));
  return [-1, 1].map((sign) => ({
    name: `double Weibull ${sign < 0 ? "helping" : "hurting"}`,
    points: bars
      .filter((bar) => Math.sign(bar.lower || bar.upper) === sign)
      .map((bar) => {
        const sizes = [Math.abs(bar.lower), Math.abs(bar.upper)].sort((a, b) => a - b);
        const expected = 0.5 * fit.fit.values * (beyond(sizes[0]) - beyond(sizes[1]));
        return [(bar.from + bar.to) / 2, expected];
      }),
  }));
}

/**
 * Places on the axis: sizes fall from the left to the middle, and rise to the right.
 * @param {Bin[]} bins
 */
function signedLogarithmic(bins) {
  const sized = bins.flatMap(finite).filter((bin) => bin.lower !== bin.upper);
  const total = sized.reduce((sum, bin) => sum + bin.count, 0);
  const least = (/** @type {FiniteBin} */ bin) =>
    Math.min(Math.abs(bin.lower), Math.abs(bin.upper));
  const most = (/** @type {FiniteBin} */ bin) => Math.max(Math.abs(bin.lower), Math.abs(bin.upper));
  let below = 0;
  let floor = Infinity;
  for (const bin of [...sized].sort((a, b) => least(a) - least(b))) {
    below += bin.count;
    if (below > 1e-3 * total && least(bin) > 0) {
      floor = least(bin);
      break;
    }
  }
  const top = Math.max(...sized.map(most));
  if (!(floor < top)) return null;
  const decades = Math.log10(top / floor);
  const place = (/** @type {number} */ value) => {
    if (value === 0) return 0.5;
    const part = Math.max(0, Math.min(1, Math.log10(Math.abs(value) / floor) / decades));
    return 0.5 + Math.sign(value) * (0.03 + 0.47 * part);
  };
  const hidden = sized.filter((bin) => most(bin) <= floor).reduce((sum, bin) => sum + bin.count, 0);
  return { place, floor, top, hidden };
}

/**
 * @param {{ place: (value: number) => number, floor: number, top: number }} scale
 * @returns {[number, string][]}
 */
function powersOfTen({ place, floor, top }) {
  const first = Math.ceil(Math.log10(floor));
  const last = Math.floor(Math.log10(top));
  const powers = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
  /** @type {(sign: number) => [number, string][]} */
  const side = (sign) =>
    powers.map((power) => [place(sign * 10 ** power), `${sign < 0 ? "-" : ""}1e${power}`]);
  return [...side(-1).reverse(), [0.5, "0"], ...side(1)];
}
