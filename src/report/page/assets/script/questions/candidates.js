// What could I act on?

/** @import { Candidates } from "../types.d.ts" */

import { signedBars } from "../charts/bars.js";
import { data, several } from "../data.js";
import { absent, coded, html, note, placeOfFigure } from "../dom.js";
import { count, maybe, plural, short } from "../format.js";
import { behind, lcaCell, words } from "../table.js";

/** Tensors that are drawn, and entries of a list; the rest is in the table, or counted. */
const MOST_DRAWN = 40;
const MOST_LISTED = 8;

export function candidates() {
  const host = placeOfFigure("candidates");
  const found = data.candidates;
  if (!found) {
    host.append(absent(`Candidates could not be found: ${data.candidates_missing}.`));
    return;
  }
  host.append(...tensors(found), ...lists(found));
}

/** @param {Candidates} found */
function tensors(found) {
  const { tensors, method } = found.freeze;
  const isTested = tensors.some((row) => row.training.interval !== null);
  const rows = () =>
    [...tensors]
      .sort((a, b) => (b.training.lca ?? 0) - (a.training.lca ?? 0))
      .slice(0, MOST_DRAWN)
      .map(({ tensor, training, p_corrected }) => ({
        name: tensor,
        bars: [
          {
            value: training.lca,
            interval: training.interval,
            note: p_corrected === null ? null : `p ${short(p_corrected)}`,
          },
        ],
      }));
  const runs = plural(found.runs.length, "run");
  const level = isTested ? ` A candidate has a corrected p of at most ${found.alpha}.` : "";
  return [
    note(`Over ${runs}${several ? " together" : ""}. ${method}${level}`),
    signedBars({
      label: `LCA by tensor${isTested ? ", with 95 % intervals" : ""}`,
      unit: "loss",
      rows,
      dots: true,
    }),
    tensors.length > MOST_DRAWN
      ? note(`The ${MOST_DRAWN} tensors that hurt most are drawn; all are in the table.`)
      : "",
    behind("tensors", ["tensor", "LCA", "from", "to", "p corrected", "candidate", "reason"], () =>
      tensors.map(({ tensor, training, p_corrected, candidate, reason }) => [
        words(tensor),
        lcaCell(training.lca),
        maybe(training.interval?.[0], short),
        maybe(training.interval?.[1], short),
        maybe(p_corrected, short),
        words(candidate ? "yes" : "no"),
        { text: reason, kind: "words long" },
      ]),
    ),
  ];
}

/**
 * Candidates with their reasons; a text says why there are none, another what is not judged.
 * @typedef {{
 *   heading: string,
 *   entries: { name: string, reason: string }[],
 *   none: string,
 *   unjudged?: string | null,
 * }} List
 */

/** @param {Candidates} found */
const lists = (found) =>
  listsOf(found).flatMap(({ heading, entries, none, unjudged }) => {
    const shown = entries.slice(0, MOST_LISTED);
    const rest = entries.length - shown.length;
    const items = shown.map(({ name, reason }) =>
      html("li", { "data-candidate": name }, html("strong", {}, name), ...coded(`: ${reason}`)),
    );
    return [
      html("h3", { class: "title" }, heading),
      entries.length > 0 ? html("ul", {}, ...items) : note(none),
      rest > 0 ? note(`And ${count(rest)} more.`) : "",
      unjudged ? note(unjudged) : "",
    ];
  });

/**
 * @param {Candidates} found
 * @returns {List[]}
 */
function listsOf(found) {
  const { freeze, overfitting, lags, units, parameters } = found;
  const { missing } = data;
  const nameOfRun = (/** @type {number} */ run) => (several ? `, ${data.runs[run].name}` : "");
  const isTested = freeze.test.test !== "too_few_steps";
  const beyondChance = (/** @type {number} */ tests, /** @type {string} */ what) =>
    isTested
      ? `None at a corrected p of at most ${found.alpha} (Holm, ${tests} ${what}).`
      : "Not tested: the run is too short.";
  const inSum = (/** @type {string} */ what, /** @type {{ tensor: string }[]} */ rows) => {
    const names = [...new Set(rows.map((row) => row.tensor))];
    if (names.length === 0) return `In sum, none ${what}.`;
    const rest = names.length > MOST_LISTED ? ` and ${names.length - MOST_LISTED} more` : "";
    return `In sum, these ${what}: ${names.slice(0, MOST_LISTED).join(", ")}${rest}.`;
  };
  const fit = overfitting?.tensors ?? [];
  const opposed = fit.filter((row) => row.opposed);
  const hurting = freeze.tensors.filter((row) => row.hurts);
  return [
    {
      heading: "To freeze: tensors that hurt",
      entries: freeze.tensors
        .filter((row) => row.candidate)
        .map(({ tensor, reason }) => ({ name: tensor, reason })),
      none: `${beyondChance(freeze.tensors.length, "tensors")} ${inSum("hurt", hurting)}`,
    },
    {
      heading: "Over-fitting: help training, hurt validation",
      entries: fit
        .filter((row) => row.candidate)
        .map(({ tensor, portion, reason }) => ({
          name: `${tensor}, ${portion === "whole_run" ? "whole run" : "second half"}`,
          reason,
        })),
      none: overfitting
        ? `${beyondChance(fit.length, "tensors and portions")} ${inSum("did both", opposed)}`
        : missing.validation,
    },
    {
      heading: "Behind: layers that lag the network",
      entries: lags.layers
        .filter((row) => row.candidate)
        .map(({ layer, reason }) => ({ name: layer, reason })),
      none:
        lags.unknown ??
        `None at a corrected p of at most ${found.alpha} (Holm, ${lags.layers.length} layers).`,
    },
    {
      heading: "Units that are dead or hardly ever help",
      entries: units.flatMap(({ layer, run, candidates }) =>
        candidates.map(({ unit, reason }) => ({
          name: `${layer} unit ${unit}${nameOfRun(run)}`,
          reason,
        })),
      ),
      none: units.length > 0 ? "None at the recorded steps." : missing.units,
      unjudged: found.units_unjudged,
    },
    {
      heading: "Parameters that never moved or hardly ever help",
      entries: parameters.flatMap(({ tensor, run, reason }) =>
        reason === null ? [] : [{ name: `${tensor}${nameOfRun(run)}`, reason }],
      ),
      none: parameters.length > 0 ? "None." : missing.totals,
      unjudged: found.parameters_unjudged,
    },
  ];
}
