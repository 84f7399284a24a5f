// The questions about layers in sync, classes, validation, and what to act on.

const classLabel = (peaks, number) => peaks.classes.find((entry) => entry.class === number)?.name ?? String(number);

function sync() {
  perRun("peaks", (run) => {
    const found = run.peaks;
    if (!found) return absent(`Peaks could not be looked for: ${run.peaks_missing}.`);
    const ofView = (number) => view.class === "" || number === null || String(number) === view.class;
    const moments = () => found.moments.filter((moment) => moment.classes.some((row) => ofView(row.class))).map((moment) => {
      const said = moment.classes.map((row) => `${row.name ?? row.class ?? "all classes"} (${row.layers} layers)`).join(", ");
      return { x: moment.iteration, tip: `iteration ${moment.iteration}: ${said}` };
    });
    const groups = () => found.layers.map((layer) => ({
      name: layer,
      rows: found.series.filter((series) => series.layer === layer && ofView(series.class)).map((series) => {
        const name = series.class === null ? "" : `class ${classLabel(found, series.class)}`;
        return { name, class: series.class, dots: series.peaks.map((peak) => ({
          x: peak.iteration, value: peak.value, height: peak.height,
          tip: `${layer} ${name} · iteration ${peak.iteration} · LCA ${signed(peak.value)}, ${short(peak.height)} below its surroundings`,
        })) };
      }),
    }));
    const all = found.alignment[found.alignment.length - 1];
    const verdict = all
      ? `All ${all.layers} layers peak at the very same iteration ${count(all.observed)} times (over all classes); by chance it would be ${short(all.expected)} times, p = ${short(all.p)} of ${count(found.permutations)} random shifts.`
      : "There are too few layers with peaks to ask whether they line up.";
    return [
      note(verdict),
      dots({ label: "Peaks of helping, by layer and class", groups, moments }),
      note(`The ${run.peaks_top} strongest of each layer and class; in a layer, one line a class. Vertical lines: at least ${found.at_least} layers peak together for a class.`),
      behind("moments", ["iteration", "classes", "LCA of these layers"], () => found.moments.map((moment) => [count(moment.iteration), words(moment.classes.map((row) => row.name ?? row.class ?? "all").join(", ")), lcaCell(sum(moment.classes.map((row) => row.value)))])),
      behind("layers that line up, against chance", ["layers", "observed", "by chance", "p"], () => found.alignment.map((row) => [`${row.layers} or more`, count(row.observed), short(row.expected), short(row.p)])),
    ];
  });
}

function classes() {
  const noClasses = "LCA was not split by class in this run. Record with Probe::classes.";
  const [cells, times] = [comparable(), comparable()];
  perRun("classes", (run) => {
    if (run.class_series.length === 0) return absent(noClasses);
    const first = run.class_series[0];
    const found = () => ofProbe(run.class_series) ?? first;
    const value = (row, column) => sum(first.classes.length > 0 ? inWindows(found(), column, row) : []);
    return [
      heatMap({
        label: "LCA by class and layer", unit: "loss of the class", rows: first.classes.map((entry) => `class ${entry.name}`), columns: first.layers, value, together: cells,
        options: [follow(() => `${found().probe}, ${rangeText()}${windowText(first.every)}`)],
      }),
      behind("classes and layers, all iterations", ["class", ...first.layers], () => first.classes.map((entry, row) => [words(entry.name), ...first.layers.map((_, column) => lcaCell(sum(windowsOf(first, column, row))))])),
      first.every > 1 ? note(`Kept as sums of ${first.every} recorded steps each, to keep this page small.`) : null,
    ];
  });
  const state = { layer: "" };
  const names = data.runs[0].class_series[0]?.layers ?? [];
  if (names.length > 0) {
    const select = html("select", { change: (event) => {
      state.layer = event.target.value;
      redraw();
    } }, html("option", { value: "" }, "all layers"), ...names.map((name) => html("option", { value: name }, name)));
    document.querySelector('[data-figure="class-times"]').append(html("p", {}, html("label", {}, "Layer ", select)));
  }
  perRun("class-times", (run) => {
    if (run.class_series.length === 0) return null;
    const first = run.class_series[0];
    const values = (row) => {
      const found = ofProbe(run.class_series) ?? first;
      const picked = found.layers.flatMap((layer, column) => (state.layer === "" || state.layer === layer ? [windowsOf(found, column, row)] : []));
      return { x: found.iterations, y: found.iterations.map((_, place) => sum(picked.map((windows) => windows[place]))) };
    };
    return timeMap({ label: "LCA by class over time", unit: "loss of the class", rows: first.classes.map((entry) => `class ${entry.name}`), values, together: times, options: [follow(() => (ofProbe(run.class_series) ?? first).probe)] });
  });
}

function windowsOf(found, layer, classPlace) {
  const windows = found.iterations.length;
  const start = (layer * found.classes.length + classPlace) * windows;
  return found.lca.slice(start, start + windows);
}

function inWindows(found, layer, classPlace) {
  return Array.from(windowsOf(found, layer, classPlace)).filter((_, place) => found.iterations[place] >= view.from && found.iterations[place] <= view.to);
}

function validation() {
  const together = comparable();
  const bars = comparable();
  perRun("validation", (run) => {
    if (run.loss.length < 2) return absent("There is no validation probe in this run. Record one with LcaMetric::validation.");
    const curves = () => run.loss.map((loss, place) => ({ name: loss.probe, x: loss.iterations, y: loss.loss, ...look(place), dash: place > 0 ? "6 3" : "" }));
    return timeChart({ label: "Measured loss of the probes", unit: "loss", curves, together });
  });
  perRun("generalisation", (run) => {
    if (run.trajectories.length < 2) return null;
    const [training, other] = run.trajectories.map(({ probe }) => probe);
    const rows = () => {
      const [one, two] = [layerSums(run, training), layerSums(run, other)];
      return (one?.layers ?? []).filter(({ layer }) => !view.hidden.has(layer)).map((layer) => {
        const same = two?.layers.find((row) => row.layer === layer.layer);
        return { name: layer.layer, bars: [
          { of: training, value: sumInView(one.iterations, layer.sum) },
          { of: other, value: same ? sumInView(two.iterations, same.sum) : NaN, lighter: true },
        ] };
      });
    };
    return [
      signedBars({ label: "LCA by layer, training and validation", unit: "loss", rows, together: bars, options: [follow(() => `full colour: ${inView(run, training)}; pale: ${other}`)] }),
      behind("layers on both probes", ["layer", training, other, "difference"], () => run.trajectories[0].layers.map((layer) => {
        const same = run.trajectories[1].layers.find((row) => row.layer === layer.layer);
        const [one, two] = [layer.sum[layer.sum.length - 1], same?.sum[same.sum.length - 1] ?? NaN];
        return [words(layer.layer), lcaCell(one), lcaCell(two), lcaCell(two - one)];
      })),
    ];
  });
}

function testText({ test, runs, block, resamples, least }) {
  if (test === "student_t") return `one-sided t-test over the sums of ${runs} runs, corrected after Holm`;
  if (test === "block_bootstrap") return `block bootstrap over the steps of one run (${count(resamples)} draws of blocks of ${block} steps), corrected after Holm; another seed may differ`;
  return `no test: fewer than ${least} steps`;
}

function candidates() {
  const host = document.querySelector('[data-figure="candidates"]');
  const found = data.candidates;
  if (!found) {
    host.append(absent(`Candidates could not be found: ${data.candidates_missing}.`));
    return;
  }
  const tensors = found.freeze.tensors;
  const rows = () => [...tensors].sort((one, other) => other.training.lca - one.training.lca).slice(0, 40).map((row) => ({
    name: row.tensor,
    bars: [{ value: row.training.lca, low: row.training.interval?.[0], high: row.training.interval?.[1], note: row.p_corrected === null ? null : `p ${short(row.p_corrected)}` }],
  }));
  host.append(
    note(`Over ${plural(found.runs.length, "run")}${found.runs.length > 1 ? " together" : ""}; ${testText(found.freeze.test)}. A candidate has a corrected p of at most ${found.level}.`),
    signedBars({ label: "LCA by tensor, with 95 % intervals", unit: "loss", rows, dots: true }),
    tensors.length > 40 ? note("The 40 tensors that hurt most are drawn; all are in the table.") : "",
    behind("tensors", ["tensor", "LCA", "from", "to", "p corrected", "candidate", "reason"], () => tensors.map((row) => [words(row.tensor), lcaCell(row.training.lca), maybe(row.training.interval?.[0]), maybe(row.training.interval?.[1]), maybe(row.p_corrected), words(row.candidate ? "yes" : "no"), { text: row.reason, kind: "words long" }])),
  );
  const lists = [
    ["To freeze: tensors that hurt", tensors.filter((row) => row.candidate).map((row) => [row.tensor, row.reason])],
    ["Over-fitting: help training, hurt validation", found.overfitting?.tensors.filter((row) => row.candidate).map((row) => [`${row.tensor}, ${row.span === "run" ? "whole run" : "second half"}`, row.reason]) ?? null],
    ["Behind: layers that lag the network", found.lags.layers.filter((row) => row.candidate).map((row) => [row.layer, row.reason])],
    ["Units that are dead or hardly ever help", found.units.flatMap((row) => row.candidates.map((unit) => [`${row.layer} unit ${unit.unit}${several ? `, run ${row.run + 1}` : ""}`, unit.reason ?? ""]))],
    ["Parameters that never moved or hardly ever help", found.parameters.filter((row) => row.reason).map((row) => [`${row.tensor}${several ? `, run ${row.run + 1}` : ""}`, row.reason])],
  ];
  for (const [heading, entries] of lists) {
    const shown = (entries ?? []).slice(0, 8);
    host.append(html("h3", { class: "title" }, heading));
    if (entries === null) host.append(note("Not known: there is no validation probe."));
    else if (entries.length === 0) host.append(note("None."));
    else host.append(html("ul", {}, ...shown.map(([name, reason]) => html("li", { "data-candidate": name }, html("strong", {}, name), `: ${reason}`))),
      entries.length > shown.length ? note(`And ${plural(entries.length - shown.length, "more")}.`.replace("mores", "more")) : "");
  }
}
