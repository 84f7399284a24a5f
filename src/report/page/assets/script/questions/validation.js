// Training against validation.

import { signedBars } from "../charts/bars.js";
import { comparable, follow, look } from "../charts/figure.js";
import { timeChart } from "../charts/timechart.js";
import { data } from "../data.js";
import { absent } from "../dom.js";
import { perRun } from "../runs.js";
import { layerSums, ofProbe, shownText, sumInView } from "../sums.js";
import { behind, lcaCell, words } from "../table.js";
import { view } from "../view.js";

export function validation() {
  const together = comparable();
  perRun("validation", (run) => {
    if (run.loss.length < 2) {
      return absent(data.missing.validation);
    }
    const curves = () =>
      run.loss.map(({ probe, iterations, loss }, place) => ({
        name: probe,
        x: iterations,
        y: loss,
        ...look(place),
        dash: place > 0 ? "6 3" : "",
      }));
    const label = "Measured loss of the probes";
    return timeChart({ label, unit: "loss", curves, together, positive: true });
  });
  generalisation();
}

function generalisation() {
  const together = comparable();
  perRun("generalisation", (run) => {
    const [training, other] = run.trajectories;
    if (!other) return null;
    const sumOf = (/** @type {string} */ probe, /** @type {string} */ layer) => {
      const found = layerSums(run, probe);
      const row = found?.layers.find((row) => row.layer === layer);
      return found && row ? sumInView(found.iterations, row.sums, row.before) : null;
    };
    const rows = () =>
      (layerSums(run, training.probe)?.layers ?? [])
        .filter(({ layer }) => !view.hidden.has(layer))
        .map(({ layer }) => ({
          name: layer,
          bars: [
            { of: training.probe, value: sumOf(training.probe, layer) },
            { of: other.probe, value: sumOf(other.probe, layer), lighter: true },
          ],
        }));
    const about = () => `full colour: ${shownText(run, training.probe)}; pale: ${other.probe}`;
    return [
      signedBars({
        label: "LCA by layer, training and validation",
        unit: "loss",
        rows,
        together,
        options: [follow(about)],
      }),
      behind("layers on both probes", ["layer", training.probe, other.probe], () => {
        const others = ofProbe(run.layers, other.probe)?.layers ?? [];
        return (ofProbe(run.layers, training.probe)?.layers ?? []).map(({ name, lca }) => [
          words(name),
          lcaCell(lca),
          lcaCell(others.find((row) => row.name === name)?.lca),
        ]);
      }),
    ];
  });
}
