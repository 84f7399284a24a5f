// The questions' figures.

const several = data.runs.length > 1;
const absent = (text) => html("p", { class: "quiet", "data-missing": text }, text);

/** Fills the place of a figure with one part a run, side by side. */
function perRun(name, make) {
  const host = document.querySelector(`[data-figure="${name}"]`);
  const grid = html("div", { class: "runs" });
  for (const run of data.runs) {
    const part = html("div", { "data-run": run.name }, several ? html("h3", {}, run.name) : null);
    part.append(...[make(run)].flat().filter(Boolean));
    grid.append(part);
  }
  host.append(grid);
}

const ofProbe = (list, probe = view.probe) => list.find((entry) => entry.probe === probe) ?? null;

/** The layers' LCA summed up over time, of a probe and the class in view; null without such. */
function layerSums(run, probe = view.probe) {
  const all = ofProbe(run.trajectories, probe);
  if (view.class === "" || all === null) return all;
  const found = ofProbe(run.class_series, probe);
  const row = found ? found.classes.findIndex((entry) => String(entry.class) === view.class) : -1;
  if (row < 0) return null;
  // A window's sum is reached with its last step.
  const iterations = found.iterations.map((_, place) => (found.iterations[place + 1] ?? run.summary.last_iteration + 1) - 1);
  const layers = found.layers.map((layer, column) => {
    let total = 0;
    return { layer, parameters: all.layers.find((one) => one.layer === layer)?.parameters, sum: Array.from(windowsOf(found, column, row), (lca) => (total += isNumber(lca) ? lca : 0)) };
  });
  return { probe, every: found.every, iterations, layers };
}

/** What the LCA in view is of, such as "training, class 3, iterations 5 to 9". */
function inView(run, probe = view.probe) {
  if (view.class === "") return `${probe}, ${rangeText()}`;
  return `${probe}, loss of class ${classNames.get(view.class)}, ${rangeText()}${windowText(ofProbe(run.class_series, probe)?.every)}`;
}

const windowText = (every) => (every > 1 ? `, in windows of ${every} steps` : "");

/** Sums between the ends of the view, of a curve of sums. */
function sumInView(iterations, sums) {
  const last = iterations.length > 0 && iterations[0] <= view.to ? sums[placeOf(iterations, view.to)] : 0;
  const before = iterations.length > 0 && iterations[0] < view.from ? sums[placeOf(iterations, view.from - 1)] : 0;
  return last - before;
}

const rangeText = () => (view.from === view.first && view.to === view.last ? "all iterations" : `iterations ${view.from} to ${view.to}`);

/** Words that follow the probe and the range in view. */
function follow(text) {
  const place = html("span", { class: "quiet" });
  drawn(() => { place.textContent = text(); });
  return place;
}

function grounded() {
  const together = comparable();
  const rest = comparable();
  perRun("grounded", (run) => {
    const rows = run.summary.reconciliation;
    const main = rows[0];
    const share = Math.abs(main.difference / main.loss_change);
    const verdict = html("p", { class: "verdict" },
      (isNumber(main.loss_change)
        ? `${main.probe}: the loss went from ${short(main.loss_before)} to ${short(main.loss_after)}, a change of ${signed(main.loss_change)}; LCA sums to ${signed(main.lca)}. `
          + `The difference is ${signed(main.difference)}${isNumber(share) ? `, ${(100 * share).toPrecision(2)} % of the change` : ""}. `
        : `${main.probe}: the loss began or ended at a value that is not finite, so there is nothing that LCA could add up to; where it was finite, LCA sums to ${signed(main.lca)}. `)
      + `${plural(main.capped, "step")} reached the cap on refinement; ${plural(main.not_finite, "step")} had no finite loss${main.not_finite > 0 ? " and are left out of the sums" : ""}.`);
    const moving = rows.some((row) => row.buffers !== null);
    const reconciliation = table("Reconciliation",
      ["probe", "steps", "loss before", "after", "change", "sum of LCA", ...(moving ? ["buffers"] : []), "difference", "worst residual", "at", "capped", "not finite"],
      rows.map((row) => [words(row.probe), count(row.steps), short(row.loss_before), short(row.loss_after), lcaCell(row.loss_change), lcaCell(row.lca),
        ...(moving ? [maybe(row.buffers)] : []), short(row.difference), maybe(row.worst_residual, (worst) => signed(worst.residual)),
        maybe(row.worst_residual, (worst) => count(worst.iteration)), count(row.capped), count(row.not_finite)]));
    reconciliation.dataset.numbers = JSON.stringify(rows);
    const loss = () => ofProbe(run.loss);
    const curves = () => {
      const found = loss();
      if (!found) return [];
      return [
        { name: "measured loss", x: found.iterations, y: found.loss, ...look(0) },
        { name: "loss(0) + ΣLCA", x: found.iterations, y: found.explained, colour: "var(--c1)", dash: "6 4" },
      ];
    };
    const residuals = () => {
      const found = loss();
      return found ? [{ name: found.every > 1 ? `residual of ${found.every} steps` : "residual of the step", x: found.iterations, y: found.residual, colour: "var(--c3)" }] : [];
    };
    return [verdict, reconciliation,
      timeChart({ label: "Measured loss, and what LCA adds up to", unit: "loss", curves, together }),
      timeChart({ label: "Residual: loss change − LCA", unit: "loss", curves: residuals, height: 130, zero: true, together: rest, digits: signed }),
      run.loss[0].every > 1 ? note(`Kept at every ${run.loss[0].every}th step, with the residuals up to there summed, to keep this page small.`) : null,
      behind("loss by step", ["iteration", "probe", "loss after", "loss(0) + ΣLCA", "residual"], () => run.loss.flatMap((curve) =>
        Array.from(curve.iterations, (iteration, place) => [count(iteration), words(curve.probe), short(curve.loss[place]), short(curve.explained[place]), short(curve.residual[place])]))),
    ];
  });
}

/** The running mean over a window of steps, of numbers only. */
function smooth(values, width) {
  const half = Math.floor(width / 2);
  return values.map((_, place) => {
    const near = values.slice(Math.max(0, place - half), place + half + 1).filter(isNumber);
    return near.length > 0 ? sum(near) / near.length : null;
  });
}

function helping() {
  const together = comparable();
  perRun("helping", (run) => {
    const steps = run.helping;
    const share = (part, all) => (all > 0 ? (100 * part) / all : null);
    const nonzero = Array.from(steps.helping, (helps, place) => share(helps, helps + steps.hurting[place]));
    const width = 2 * Math.floor(nonzero.length / 60) + 1;
    const mean = smooth(nonzero, width);
    const curves = () => [
      ...(width > 1 ? [{ name: steps.every > 1 ? `each ${steps.every} steps` : "each step", x: steps.iterations, y: nonzero, colour: "var(--help)", thin: true }] : []),
      { name: width > 1 ? `mean of ${width * steps.every} steps` : "each step", x: steps.iterations, y: mean, colour: "var(--help)" },
    ];
    const rows = run.summary.helping;
    return [
      html("p", { class: "quiet" }, rows.map((row) => `${row.probe}: ${percent(row.percent_of_nonzero)} helping without zeros, ${percent(row.percent_of_all)} of all; mean LCA ${signed(row.mean)}`).join(". ") + ". The curve is of the training probe."),
      timeChart({ label: "Parameters that help", unit: "% of those not zero", curves, together, digits: percent }),
      steps.every > 1 ? note(`Counts are summed over ${steps.every} steps, to keep this page small.`) : null,
      behind("helping by step", ["iteration", "helping", "hurting", "zero", "% of not zero"], () => Array.from(steps.iterations, (iteration, place) =>
        [count(iteration), count(steps.helping[place]), count(steps.hurting[place]), count(steps.zero[place]), percent(nonzero[place])])),
    ];
  });
  perRun("periods", (run) => {
    const periods = run.oscillation;
    if (!periods) return absent("How fast parameters oscillate is not known: parameter_totals was not recorded (or no epoch has ended yet). Record with Recorder::standard().");
    return [behind("periods of oscillation by tensor", ["tensor", "moving", "period of steps", "period of gradients", "steps never turned"], () =>
      periods.map((row) => [words(row.tensor), count(row.moving), maybe(row.step_period), maybe(row.gradient_period), count(row.step_never_turned)])),
    note("Periods are in observed steps; signs without pattern have a period of 4, less is bouncing, more is drifting.")];
  });
}

/** The layers with the largest sums; the rest begin hidden where there are many. */
function hideSmallLayers() {
  const sizes = new Map();
  for (const run of data.runs) {
    for (const { layer, sum: sums } of run.trajectories[0]?.layers ?? []) {
      sizes.set(layer, Math.max(sizes.get(layer) ?? 0, Math.abs(sums[sums.length - 1] ?? 0)));
    }
  }
  const order = [...sizes].sort((one, other) => other[1] - one[1]);
  order.slice(12).forEach(([layer]) => view.hidden.add(layer));
  return order.length;
}

/** What several runs of one model say together about each layer. */
function seeds() {
  const found = data.layers;
  if (!found) return;
  const p = (row) => row.significance?.p_t_corrected ?? null;
  const rows = () => found.layers.filter(({ name }) => !view.hidden.has(name)).map((row) => {
    const spread = row.deviation ?? 0;
    return { name: row.name, bars: [{ value: row.lca, low: row.lca - spread, high: row.lca + spread, note: `standard deviation ${short(spread)}, p ${maybe(p(row))}` }] };
  });
  document.querySelector('[data-figure="seeds"]').append(
    signedBars({ label: `LCA by layer, mean of ${found.runs.length} runs`, unit: "loss", rows, options: [html("span", { class: "quiet" }, `${found.probe}, all iterations; lines: one standard deviation over runs`)] }),
    behind(`layers over ${found.runs.length} runs`, ["layer", "mean LCA", "standard deviation", "p (t-test, Holm)", "p (sign flips, Holm)"], () => found.layers.map((row) =>
      [words(row.name), lcaCell(row.lca), maybe(row.deviation), maybe(p(row)), maybe(row.significance?.p_sign_flip_corrected)])));
}

function layers() {
  seeds();
  const many = hideSmallLayers();
  const state = { per: "sum" };
  const bars = comparable();
  const lines = comparable();
  const choose = choice("Bars of layers", [["sum", "sum"], ["mean", "per parameter"]], "sum", (per) => {
    state.per = per;
    redraw();
  });
  document.querySelector('[data-figure="layers"]').append(choose);
  perRun("layers", (run) => {
    const value = (layer, iterations) => {
      const all = sumInView(iterations, layer.sum);
      return state.per === "mean" ? all / layer.parameters : all;
    };
    const rows = () => {
      const { iterations, layers } = layerSums(run) ?? { layers: [] };
      return layers.filter(({ layer }) => !view.hidden.has(layer)).map((layer) => ({ name: layer.layer, bars: [{ value: value(layer, iterations) }] }));
    };
    return [
      signedBars({ label: "LCA by layer", unit: "loss", rows, together: bars, options: [follow(() => `${inView(run)}${state.per === "mean" ? ", divided by the layer’s parameters" : ""}`)] }),
      behind("layers, all iterations", ["probe", "layer", "parameters", "LCA", "per parameter"], () => run.trajectories.flatMap((trajectory) => trajectory.layers.map((layer) => {
        const all = layer.sum[layer.sum.length - 1];
        return [words(trajectory.probe), words(layer.layer), count(layer.parameters), lcaCell(all), lcaCell(all / layer.parameters)];
      }))),
    ];
  });
  perRun("trajectories", (run) => {
    const curves = () => {
      const found = layerSums(run);
      if (!found) return [];
      return found.layers.map((layer, place) => ({ name: layer.layer, layer: layer.layer, x: found.iterations, y: layer.sum, ...look(place) }));
    };
    const every = run.trajectories[0]?.every ?? 1;
    const leftOut = run.trajectories[0]?.left_out ?? 0;
    return [
      timeChart({ label: "Cumulative LCA by layer", unit: "loss", curves, together: lines, zero: true, height: 280, digits: signed, options: [follow(() => (view.class === "" ? "" : inView(run)))] }),
      every > 1 ? note(`Kept of every ${every}th step, to keep this page small; sums are exact there.`) : null,
      leftOut > 0 ? note(`${plural(leftOut, "step")} without finite LCA left out.`) : null,
      many > 12 ? note(`The 12 layers with the largest sums are shown; press a name to show or hide it in all figures.`) : null,
    ];
  });
}

/** How few parameters do most of the work. */
function spreadText(found) {
  const most = (amount) => amount.top.find((entry) => entry.fraction === 0.01);
  const said = [["help", found?.help], ["harm", found?.harm]].filter(([, amount]) => amount && most(amount))
    .map(([name, amount]) => `${percent(100 * most(amount).share)} of all ${name} (Gini ${maybe(amount.gini)})`);
  return said.length > 0 ? ` Over the run, the foremost 1 % of the parameters have ${said.join(" and ")}.` : "";
}

function heroes() {
  perRun("heroes", (run) => {
    const found = run.heroes;
    if (!found) return absent("How often single parameters helped is not known: parameter_totals was not recorded (or no epoch has ended yet). Record with Recorder::standard().");
    const bars = found.bins.map((bin) => ({
      from: bin.lower, to: bin.upper, count: bin.parameters, kind: signClass(bin.lca), data: bin,
      tip: `helped at ${(100 * bin.lower).toFixed(0)} to ${(100 * bin.upper).toFixed(0)} % of steps: ${plural(bin.parameters, "parameter")}, ${count(Math.round(bin.by_chance))} by chance, LCA ${signed(bin.lca)}`,
    }));
    const points = found.bins.flatMap((bin) => [[bin.lower, bin.by_chance], [bin.upper, bin.by_chance]]);
    const marks = [0, 0.25, 0.5, 0.75, 1].map((place) => [place, `${100 * place}`]);
    const rows = (list) => list.map((row) => [words(row.tensor), count(row.index), count(row.helping), count(row.hurting), lcaCell(row.lca), signed(row.deviations)]);
    const headings = ["tensor", "index", "helping", "hurting", "LCA", "standard deviations from chance"];
    return [
      note(`${count(found.heroes)} heroes (LCA ${signed(found.heroes_lca)}) and ${count(found.villains)} villains (LCA ${signed(found.villains_lca)}) of ${plural(found.moving, "moving parameter")}; ${count(found.still)} never moved. `
        + `All together helped at ${found.share === null ? "–" : percent(100 * found.share)} of their steps; the spread is ${maybe(found.variance_ratio)} times that of chance (p ${maybe(found.p_value, (p) => (p === 0 ? "below 1e-300" : short(p)))}).`
        + spreadText(run.concentration)),
      histogram({ label: "How often parameters help", unit: "parameters", bars, marks, lines: [{ name: "by chance", points }], below: "share of steps at which it helped (%); dashed: by chance; colour: what a bar’s parameters did in sum" }),
      behind("heroes", headings, () => rows(found.top_heroes)),
      behind("villains", headings, () => rows(found.top_villains)),
    ];
  });
  perRun("trace", (run) => {
    if (!run.trace) return absent("Single parameters over time are not known: the table parameters was not recorded. Record with Recorder::full().");
    if (run.trace.length === 0) return absent("No single parameter can be traced: none has a finite LCA.");
    const state = { place: 0 };
    const names = run.trace.map((row) => `${row.tensor} [${row.index}], LCA ${signed(row.lca_sum)}`);
    const select = html("select", { "aria-label": "Parameter", change: (event) => {
      state.place = event.target.selectedIndex;
      redraw();
    } }, ...names.map((name) => html("option", {}, name)));
    const chart = (label, unit, column, colour) => timeChart({ label, unit, height: 120, zero: true, digits: signed,
      curves: () => [{ name: column, x: run.trace[state.place].iterations, y: run.trace[state.place][column], colour }] });
    return [title("Single parameters: those that helped and hurt most"), html("p", {}, select),
      chart("LCA of the parameter", "loss", "lca", "var(--c0)"), chart("Its step", "", "step", "var(--c1)"), chart("Its gradient", "loss per unit", "gradient", "var(--c2)"),
      run.trace[0].every > 1 ? note(`LCA and step are summed over ${run.trace[0].every} recorded steps, the gradient is their mean, to keep this page small.`) : null];
  });
}

/** Places on the axis: sizes fall from the left to the middle, and rise to the right. */
function signedLogarithmic(bins) {
  const sized = bins.filter((bin) => bin.lower !== bin.upper && bin.count > 0 && isNumber(bin.lower) && isNumber(bin.upper));
  const total = sum(sized.map((bin) => bin.count));
  const least = (bin) => Math.min(Math.abs(bin.lower), Math.abs(bin.upper));
  let below = 0;
  let floor = Infinity;
  for (const bin of [...sized].sort((one, other) => least(one) - least(other))) {
    below += bin.count;
    if (below > 1e-3 * total && least(bin) > 0) {
      floor = least(bin);
      break;
    }
  }
  const top = Math.max(...sized.map((bin) => Math.max(Math.abs(bin.lower), Math.abs(bin.upper))));
  if (!(floor < top)) return null;
  const decades = Math.log10(top / floor);
  const place = (value) => {
    const part = value === 0 ? 0 : Math.max(0, Math.min(1, Math.log10(Math.abs(value) / floor) / decades));
    return 0.5 + Math.sign(value) * (0.03 + 0.47 * part);
  };
  return { place, floor, top, hidden: sum(sized.filter((bin) => Math.max(Math.abs(bin.lower), Math.abs(bin.upper)) <= floor).map((bin) => bin.count)) };
}

function distribution() {
  perRun("distribution", (run) => {
    const found = run.distribution;
    if (!found) return absent("The distribution is not known: neither parameters nor histograms were recorded. Record with Recorder::standard().");
    const scale = signedLogarithmic(found.bins);
    const rows = behind("bins", ["from", "to", "count"], () => found.bins.filter((bin) => bin.count > 0).map((bin) => [short(bin.lower), short(bin.upper), count(bin.count)]));
    if (!scale) return [absent("Every value is exactly zero, or none is finite."), rows];
    const bars = found.bins.filter((bin) => bin.count > 0 && isNumber(bin.lower) && isNumber(bin.upper)).map((bin) => {
      const zero = bin.lower === bin.upper;
      const side = bin.lower < 0 ? [scale.place(bin.lower), scale.place(bin.upper)] : [scale.place(bin.lower), scale.place(bin.upper)];
      const [from, to] = zero ? [0.478, 0.522] : side;
      return { from, to, count: bin.count, kind: zero ? "nil" : bin.lower < 0 ? "help" : "hurt", data: bin,
        tip: zero ? `exactly zero: ${count(bin.count)} values` : `${short(bin.lower)} to ${short(bin.upper)}: ${count(bin.count)} values (${percent((100 * bin.count) / (found.helping + found.hurting + found.zero))})` };
    }).filter((bar) => bar.to - bar.from > 1e-6);
    const law = found.tail.double_weibull;
    const lines = [];
    if (law) {
      const beyond = (size) => Math.exp(-((size / law.scale) ** law.shape));
      const expected = (bin) => {
        const sizes = [Math.abs(bin.lower), Math.abs(bin.upper)].sort((one, other) => one - other);
        return 0.5 * law.fit.values * (beyond(sizes[0]) - beyond(sizes[1]));
      };
      for (const sign of [-1, 1]) {
        const half = bars.filter((bar) => bar.data.lower !== bar.data.upper && Math.sign(bar.data.lower || bar.data.upper) === sign);
        lines.push({ name: `double Weibull ${sign < 0 ? "helping" : "hurting"}`, points: half.map((bar) => [(bar.from + bar.to) / 2, expected(bar.data)]) });
      }
    }
    const powers = [];
    for (let power = Math.ceil(Math.log10(scale.floor)); power <= Math.log10(scale.top); power += 1) powers.push(power);
    const marks = [...[...powers].reverse().map((power) => [scale.place(-(10 ** power)), `-1e${power}`]), [0.5, "0"], ...powers.map((power) => [scale.place(10 ** power), `1e${power}`])];
    const above = isNumber(found.mean) ? { place: scale.place(found.mean), value: found.mean, text: `mean ${signed(found.mean)}` } : null;
    return [
      note(`${count(found.helping)} helping, ${count(found.hurting)} hurting, ${count(found.zero)} exactly zero${found.not_finite > 0 ? `, ${count(found.not_finite)} not finite and left out` : ""}; from ${found.source === "parameters" ? "the recorded parameters" : "histograms"}. `
        + (law ? `Double Weibull: shape ${short(law.shape)}, scale ${short(law.scale)}, greatest distance ${short(law.fit.distance)}${isNumber(found.tail.aic_advantage) ? `; ${found.tail.aic_advantage > 0 ? "nearer than" : "not as near as"} a Gaussian` : ""}.` : "No law could be fitted.")),
      histogram({ label: "LCA of single parameters at single steps", unit: "values per bin", bars, lines, marks, above, below: "← helps · LCA (logarithmic either side of zero) · hurts →" }),
      note(`Sizes below ${short(scale.floor)} (${count(scale.hidden)} values) are not drawn but are in the table.`),
      rows,
      behind("quantiles", ["share of values (%)", "LCA", "bin from", "to"], () => found.quantiles.map((row) => [short(100 * row.probability), lcaCell(row.value), short(row.lower), short(row.upper)])),
    ];
  });
}
