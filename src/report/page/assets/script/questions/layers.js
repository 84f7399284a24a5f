// Which layers learn, which hurt?

/** @import { Means } from "../types.d.ts" */

import { signedBars } from "../charts/bars.js";
import { comparable, follow, look } from "../charts/figure.js";
import { timeChart } from "../charts/timechart.js";
import { kept, keptChoice } from "../choices.js";
import { data, firstRun } from "../data.js";
import { html, note, placeOfFigure } from "../dom.js";
import { count, maybe, plural, short, signed } from "../format.js";
import { perRun } from "../runs.js";
import { keptText, layerSums, perParameter, shownText, sumInView } from "../sums.js";
import { behind, lcaCell, words } from "../table.js";
import { band, overRuns } from "../together.js";
import { flippedLayers, redraw, view } from "../view.js";

/** Layers beyond this number begin hidden. */
const MOST_SHOWN = 12;

export function layers() {
  const known = hideSmallLayers();
  if (known > 1) choose(known);
  seeds();
  bars();
  trajectories(known > MOST_SHOWN);
}

/** Shows or hides all layers at once, and finds one by a part of its name. @param {number} known */
function choose(known) {
  const show = (/** @type {(layer: string) => boolean} */ isHidden) => () => {
    const layers = data.runs.flatMap((run) => run.trajectories[0]?.layers ?? []);
    view.hidden = new Set(layers.map(({ layer }) => layer).filter(isHidden));
    redraw();
  };
  const button = (/** @type {string} */ text, /** @type {() => void} */ click) =>
    html("button", { type: "button", click }, text);
  const isNotFound = (/** @type {string} */ layer) => !layer.toLowerCase().includes(view.search);
  const isSmall = (/** @type {string} */ layer) => view.hiddenAtFirst.has(layer);
  const { value, choose: keep } = kept("layer search", "");
  const field = html("input", {
    type: "search",
    placeholder: "Find layers",
    "aria-label": "Find layers by a part of their name",
    value: value(),
    input: () => {
      keep(field.value);
      view.search = field.value.toLowerCase();
      redraw();
    },
  });
  view.search = value().toLowerCase();
  placeOfFigure("layers").append(
    html(
      "p",
      { class: "options", "data-layers": known },
      `${count(known)} layers. Show:`,
      button(
        "all",
        show(() => false),
      ),
      known > MOST_SHOWN ? button(`the ${MOST_SHOWN} that moved most`, show(isSmall)) : null,
      button(
        "none",
        show(() => true),
      ),
      ...(known > MOST_SHOWN ? [field, button("those found", show(isNotFound))] : []),
    ),
  );
}

/**
 * Hides all but the layers that moved the loss most, unless the reader chose which to show;
 * returns how many there are.
 */
function hideSmallLayers() {
  /** @type {Map<string, number>} */
  const sizes = new Map();
  for (const { layer, reach } of data.runs.flatMap((run) => run.trajectories[0]?.layers ?? [])) {
    sizes.set(layer, Math.max(sizes.get(layer) ?? 0, reach ?? 0));
  }
  const order = [...sizes].sort(([, a], [, b]) => b - a);
  if (flippedLayers().length === 0) {
    view.hiddenAtFirst = new Set(order.slice(MOST_SHOWN).map(([layer]) => layer));
    view.hidden = new Set(view.hiddenAtFirst);
    for (const layer of view.flipAtFirst.splice(0).filter((layer) => sizes.has(layer))) {
      if (!view.hidden.delete(layer)) view.hidden.add(layer);
    }
  }
  return order.length;
}

/** What several runs of one model say together about each layer. */
function seeds() {
  const found = data.layers;
  if (!found) return;
  const runs = `${found.runs.length} runs`;
  const rows = () =>
    found.layers
      .filter(({ name }) => !view.hidden.has(name))
      .map(({ name, lca, deviation, spread, significance }) => {
        const p = maybe(significance?.p_t_corrected, short);
        const note = `standard deviation ${maybe(deviation, short)}, p ${p}`;
        return { name, bars: [{ value: lca, interval: spread, note }] };
      });
  const about = `${found.probe}, all iterations; lines: one standard deviation over runs`;
  const { caution } = found;
  placeOfFigure("seeds").append(
    ...(caution === null ? [] : [note(caution)]),
    signedBars({
      label: `LCA by layer, mean of ${runs}`,
      unit: "loss",
      rows,
      options: [html("span", { class: "quiet" }, about)],
    }),
    behind(
      `layers over ${runs}`,
      ["layer", "mean LCA", "standard deviation", "p (t-test, Holm)", "p (sign flips, Holm)"],
      () =>
        found.layers.map(({ name, lca, deviation, significance }) => [
          words(name),
          lcaCell(lca),
          maybe(deviation, short),
          maybe(significance?.p_t_corrected, short),
          maybe(significance?.p_sign_flip_corrected, short),
        ]),
    ),
  );
}

function bars() {
  const together = comparable();
  /** @type {[string, string][]} */
  const quantities = [
    ["sum", "sum"],
    ["mean", "per parameter"],
  ];
  const { row, chosen } = keptChoice("bars", "Bars of layers", quantities, redraw);
  const isMean = () => chosen() === "mean";
  placeOfFigure("layers").append(row);
  perRun("layers", (run) => {
    const rows = () => {
      const found = layerSums(run);
      return (found?.layers ?? [])
        .filter(({ layer }) => !view.hidden.has(layer))
        .map((row) => {
          const sum = sumInView(found?.iterations ?? row.sums, row.sums, row.before);
          return { name: row.layer, bars: [{ value: isMean() ? perParameter(row, sum) : sum }] };
        });
    };
    const divided = ", divided by the layer’s parameters";
    const isSampled = run.layers.some(({ layers }) => layers.some(({ margin }) => margin !== null));
    return [
      signedBars({
        label: "LCA by layer",
        unit: "loss",
        rows,
        together,
        options: [follow(() => `${shownText(run)}${isMean() ? divided : ""}`)],
      }),
      behind(
        "layers, all iterations",
        ["probe", "layer", "parameters", "LCA", ...(isSampled ? ["± 95 %"] : []), "per parameter"],
        () =>
          run.layers.flatMap(({ probe, layers }) =>
            layers.map(({ name, parameters, lca, margin, lca_per_parameter }) => [
              words(probe),
              words(name),
              count(parameters),
              lcaCell(lca),
              ...(isSampled ? [maybe(margin, short)] : []),
              lcaCell(lca_per_parameter),
            ]),
          ),
      ),
    ];
  });
}

/** @param {boolean} someHidden */
function trajectories(someHidden) {
  const all = { label: "Cumulative LCA by layer", unit: "loss", base: 0, height: 280 };
  const of = `Of the ${firstRun.probes[0]} probe, all classes together. `;
  const curves = (/** @type {Means} */ found) =>
    found.curves.flatMap((curve, place) => {
      const { name } = curve;
      return band(curve, { name, layer: name, ...look(place) });
    });
  overRuns("trajectories", data.mean_layers, { ...all, digits: signed }, curves, of);
  const together = comparable();
  perRun("trajectories", (run) => {
    const ofRun = () => {
      const found = layerSums(run);
      return (found?.layers ?? []).flatMap(({ layer, sums, margins }, place) => {
        const curve = { name: layer, layer, x: found?.iterations ?? [], y: sums, ...look(place) };
        if (!margins) return [curve];
        const edge = (/** @type {number} */ sign) => ({
          ...curve,
          name: `${layer} ${sign > 0 ? "+" : "−"} 95 %`,
          y: sums.map((sum, step) => sum + sign * margins[step]),
          thin: true,
          edge: true,
        });
        return [edge(-1), edge(1), curve];
      });
    };
    const isSampled = run.trajectories[0]?.layers.some(({ margins }) => margins !== null);
    const every = run.trajectories[0]?.every ?? 1;
    const leftOut = run.trajectories[0]?.left_out ?? 0;
    return [
      timeChart({
        label: "Cumulative LCA by layer",
        unit: "loss",
        curves: ofRun,
        together,
        base: 0,
        height: 280,
        digits: signed,
        options: [follow(() => (view.class === "" ? "" : shownText(run)))],
      }),
      every > 1 ? note(keptText(every)) : null,
      isSampled
        ? note(
            "The sums are estimates from samples: over all examples they lie between the thin " +
              "lines with 95 % confidence.",
          )
        : null,
      leftOut > 0 ? note(`${plural(leftOut, "step")} without finite LCA left out.`) : null,
      someHidden
        ? note(
            `The ${MOST_SHOWN} layers that moved the loss most are shown; press a name to show ` +
              "or hide it in all figures.",
          )
        : null,
    ];
  });
}
