// The numbers of the figures against those of the command line.

import assert from "node:assert/strict";
import { nextFrame } from "./browser.mjs";

function near(one, other, relative = 1e-9, absolute = 1e-12) {
  assert.ok(
    Math.abs(one - other) <= absolute + relative * Math.abs(other),
    `${one} is not ${other}`,
  );
}

const marks = (page, figure, selector) =>
  page.$$eval(`[data-figure="${figure}"] ${selector}`, (nodes) =>
    nodes.map((node) => ({ ...node.dataset, d: node.getAttribute("d") })),
  );

export async function numberChecks(check, page, json, run) {
  await check("the reconciliation is that of `summary`", async () => {
    const [shown] = await marks(page, "grounded", "[data-numbers]");
    assert.deepEqual(JSON.parse(shown.numbers), json("summary", run).reconciliation);
  });

  await check("the verdict has the numbers of `summary`", async () => {
    const { reconciliation, helping } = json("summary", run);
    const verdict = await page.textContent("[data-verdict]");
    assert.equal(verdict, json("summary", run).verdict);
    const [off, share] = [...verdict.matchAll(/([\d.]+) %/g)].map((found) => Number(found[1]));
    near(off, 100 * reconciliation[0].relative_difference, 0, 0.05);
    near(share, 100 * helping[0].fraction_of_nonzero, 0, 0.051);
  });

  await check("curves are drawn where their numbers are", async () => {
    for (const figure of ["grounded", "helping", "trajectories"]) {
      const scales = await marks(page, figure, ".plot > svg");
      assert.ok(scales.length > 0, figure);
      const [scale] = scales;
      const curves = (await marks(page, figure, "path[data-series]")).slice(0, 2);
      for (const curve of curves) {
        const [iterations, values] = [JSON.parse(curve.iterations), JSON.parse(curve.values)];
        const points = [...curve.d.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map((match) => [
          Number(match[1]),
          Number(match[2]),
        ]);
        assert.ok(points.length > 1, `${figure} has ${points.length} points`);
        assert.ok(
          points.length === iterations.length || iterations.length > 2000,
          `${points.length} points of ${iterations.length}`,
        );
        const back = (pixel, [p0, p1], [v0, v1]) => v0 + ((pixel - p0) / (p1 - p0)) * (v1 - v0);
        const x = back(points.at(-1)[0], [+scale.left, +scale.right], [+scale.x0, +scale.x1]);
        near(x, iterations.at(-1), 0, 0.5);
        if (points.length !== iterations.length) continue;
        for (const [place, [, pixel]] of points.entries()) {
          const value = back(pixel, [+scale.bottom, +scale.top], [+scale.y0, +scale.y1]);
          near(value, values[place], 0, 2e-5 * Math.abs(scale.y1 - scale.y0));
        }
      }
    }
  });

  await check("the measured loss ends where `summary` says", async () => {
    const [loss] = await marks(page, "grounded", '[data-series="measured loss"]');
    const {
      reconciliation: [training],
    } = json("summary", run);
    assert.equal(JSON.parse(loss.values).at(-1), training.loss_after);
  });

  await check("percent helping is that of `noise`", async () => {
    const [curve] = await marks(page, "helping", '[data-series="each step"]');
    const values = JSON.parse(curve.values);
    for (const [place, step] of json("noise", run).helping.steps.entries()) {
      near(values[place], (100 * step.helping) / (step.helping + step.hurting));
    }
  });

  await check("bars of layers are those of `layers`", async () => {
    const bars = await marks(page, "layers", "rect[data-value]");
    const { layers } = json("layers", run);
    assert.equal(bars.length, layers.length);
    for (const bar of bars)
      near(Number(bar.value), layers.find((layer) => layer.name === bar.name).lca);
  });

  await check("bars per parameter are those of `layers`", async () => {
    const choose = (name) =>
      page.locator('[data-figure="layers"]').getByRole("button", { name, exact: true }).click();
    await choose("per parameter");
    await nextFrame(page);
    const bars = await marks(page, "layers", "rect[data-value]");
    const { layers } = json("layers", run);
    assert.equal(bars.length, layers.length);
    for (const bar of bars) {
      const layer = layers.find((layer) => layer.name === bar.name);
      near(Number(bar.value), layer.lca_per_parameter);
    }
    await choose("sum");
    await nextFrame(page);
  });

  await check("bars of the iterations in view are what the curves fall by there", async () => {
    const curves = await marks(page, "trajectories", "path[data-series]");
    await page.fill("#from", "10");
    await page.fill("#to", "30");
    await page.locator("#to").dispatchEvent("change");
    await nextFrame(page);
    for (const bar of await marks(page, "layers", "rect[data-value]")) {
      const curve = curves.find((curve) => curve.series === bar.name);
      const iterations = JSON.parse(curve.iterations);
      const at = (iteration) => JSON.parse(curve.values)[iterations.indexOf(iteration)];
      near(Number(bar.value), at(30) - at(9));
    }
    await page.click("#reset");
    await nextFrame(page);
  });

  await check("bars and curves of a chosen class are those of `layers --class`", async () => {
    await page.selectOption("#class", "3");
    await nextFrame(page);
    const bars = await marks(page, "layers", "rect[data-value]");
    const curves = await marks(page, "trajectories", "path[data-series]");
    const { layers } = json("layers", run, "--class", "3");
    assert.equal(bars.length, layers.length);
    for (const bar of bars) {
      const { lca } = layers.find((layer) => layer.name === bar.name);
      near(Number(bar.value), lca, 1e-7, 1e-9);
      near(
        JSON.parse(curves.find((curve) => curve.series === bar.name).values).at(-1),
        lca,
        1e-7,
        1e-9,
      );
    }
    const dots = await marks(page, "peaks", "circle[data-iteration]");
    assert.ok(dots.length > 0 && dots.every((dot) => dot.class === "3"));
    await page.selectOption("#class", "");
    await nextFrame(page);
  });

  await check("bars of the distribution and of heroes are those of `noise`", async () => {
    const noise = json("noise", run);
    const bins = await marks(page, "distribution", "[data-count]");
    assert.ok(bins.length > 20, `${bins.length} bins`);
    for (const bin of bins) {
      const known = noise.distribution.histogram.bars.find(
        ({ lower, upper }) => lower === Number(bin.lower) && upper === Number(bin.upper),
      );
      assert.equal(Number(bin.count), known?.count, `${bin.lower} to ${bin.upper}`);
    }
    const shares = await marks(page, "heroes", "[data-count]");
    const inBins = noise.heroes.bins.filter((bin) => bin.parameters > 0);
    assert.deepEqual(
      shares.map((share) => Number(share.count)),
      inBins.map((bin) => bin.parameters),
    );
    const [law] = await marks(page, "heroes", "path.law");
    near(JSON.parse(law.values)[20], noise.heroes.bins[10].by_chance);
  });

  await check("dots and marked moments are those of `peaks`", async () => {
    const peaks = json("peaks", run);
    const dots = await marks(page, "peaks", "circle[data-iteration]");
    const named = (rows) => rows.map((row) => row.join(" ")).sort();
    const known = peaks.series.flatMap((series) =>
      series.peaks.map((peak) => [series.layer, series.class ?? "", peak.iteration, peak.value]),
    );
    assert.deepEqual(
      named(dots.map((dot) => [dot.layer, dot.class, dot.iteration, dot.value])),
      named(known),
    );
    const lines = await marks(page, "peaks", "[data-moment]");
    assert.deepEqual(
      lines.map((line) => Number(line.moment)),
      peaks.moments.map((moment) => moment.iteration),
    );
  });

  await check("cells of classes are those of `layers --class`", async () => {
    const cells = await marks(page, "classes", "rect[data-value]");
    const { layers } = json("layers", run, "--class", "3");
    for (const layer of layers) {
      const cell = cells.find((cell) => cell.column === layer.name && cell.row === "class 3");
      near(Number(cell.value), layer.lca, 1e-7, 1e-9);
    }
    const [{ full }] = await marks(page, "classes", "[data-scale]");
    const classes = [...new Set(cells.map((cell) => cell.row.replace("class ", "")))];
    const sums = classes.flatMap((number) => json("layers", run, "--class", number).layers);
    near(Number(full), Math.max(...sums.map((layer) => Math.abs(layer.lca))), 1e-7);
  });

  await check("columns of classes over time are means that add up to the class's LCA", async () => {
    const cells = await marks(page, "class-times", "rect[data-value]");
    const observed = json("noise", run).helping.steps.map((step) => step.iteration);
    for (const number of ["0", "3"]) {
      const { layers } = json("layers", run, "--class", number);
      const ofClass = cells.filter((cell) => cell.row === `class ${number}`);
      assert.ok(ofClass.length > 10, `${ofClass.length} columns`);
      const sums = ofClass.map((cell) => {
        const steps = observed.filter((at) => at >= cell.iteration && at <= cell.last);
        return Number(cell.value) * steps.length;
      });
      const sum = (values) => values.reduce((sum, value) => sum + value, 0);
      near(sum(sums), sum(layers.map((layer) => layer.lca)), 1e-7, 1e-9);
    }
  });

  await check("dots of candidates are those of `candidates`", async () => {
    const dots = await marks(page, "candidates", "[data-value]");
    const {
      freeze: { tensors },
    } = json("candidates", run);
    assert.equal(dots.length, tensors.length);
    for (const dot of dots)
      assert.equal(
        Number(dot.value),
        tensors.find((tensor) => tensor.tensor === dot.name).training.lca,
      );
  });

  await check("traces are those of `trace`", async () => {
    const [curve] = await marks(page, "trace", '[data-series="LCA"]');
    const {
      parameters: [first],
    } = json("trace", run);
    for (const [place, value] of JSON.parse(curve.values).entries()) {
      near(value, first.steps[place].lca, 1e-6);
    }
  });

  await check(
    "a pixel of the microscope tells its parameter and, to the scale’s step, its value",
    async () => {
      const slider = page.locator('[data-figure="microscope"] input[type=range]').first();
      const frames = Number(await slider.getAttribute("max"));
      await slider.fill(String(Math.floor(frames / 2)));
      const canvas = page.locator('[data-figure="microscope"] canvas').nth(2);
      await canvas.scrollIntoViewIfNeeded();
      const box = await canvas.boundingBox();
      await page.mouse.move(box.x + box.width * 0.4, box.y + box.height * 0.6);
      const said = await page.textContent("[data-readout=microscope]");
      const found = said.match(/^(\S+) \[(\d+)\].* iteration (\d+): LCA of the step ([^;]*);/);
      assert.ok(found, said);
      const [, tensor, index, iteration, value] = found;
      const {
        parameters: [trace],
      } = json("trace", run, tensor, index);
      const known = trace.steps.find((step) => step.iteration === Number(iteration)).lca;
      const full = Number(await page.getAttribute("[data-scale=microscope]", "data-full"));
      const near = value.match(/^(negative|positive), below (\S+) in size$/);
      if (near) {
        assert.equal(near[1], known < 0 ? "negative" : "positive");
        assert.ok(Math.abs(known) < Number(near[2]), `${said}: ${known}`);
        return;
      }
      const shown = Number(value.match(/[-+]?[\d.]+(e-?\d+)?/)[0]);
      assert.equal(Math.sign(shown), Math.sign(known));
      const isBeyond = value.endsWith("or beyond") && Math.abs(known) >= Math.abs(shown) * 0.96;
      const isAbout = Math.abs(shown - known) <= (full / 15) * 0.51 + 0.001 * Math.abs(shown);
      assert.ok(isBeyond || isAbout, `${said}: ${known} at full ${full}`);
    },
  );
}

/** The figures of several runs, of the same steps, against what each run says for itself. */
export async function meanChecks(check, page, json, runs) {
  const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const name = `mean of ${runs.length} runs`;
  const chart = (figure, label) => `[data-figure="${figure}"] [data-chart="${label}, ${name}"]`;
  const curves = (place) =>
    page.$$eval(`${place} path[data-series]`, (paths) =>
      Object.fromEntries(
        paths.map(({ dataset }) => [
          dataset.series,
          { at: JSON.parse(dataset.iterations), values: JSON.parse(dataset.values) },
        ]),
      ),
    );

  await check("the means of several runs are those of their own numbers", async () => {
    const summaries = runs.map((run) => json("summary", run).reconciliation[0]);
    const loss = await curves(chart("grounded", "Measured loss"));
    near(loss.mean.values.at(-1), average(summaries.map((training) => training.loss_after)));
    const steps = runs.map((run) => json("noise", run).helping.steps);
    const helping = await curves(chart("helping", "Parameters that help"));
    assert.deepEqual(
      helping.mean.at,
      steps[0].map(({ iteration }) => iteration),
    );
    for (const [place, value] of helping.mean.values.entries()) {
      near(value, 100 * average(steps.map((of) => of[place].smoothed_of_nonzero)));
    }
    const layers = runs.map((run) => json("layers", run).layers);
    const sums = await curves(chart("trajectories", "Cumulative LCA by layer"));
    for (const [place, layer] of layers[0].entries()) {
      const own = layers.map((of) => of[place].lca);
      near(sums[layer.name].values.at(-1), average(own));
      const edges = ["−", "+"].map((sign) => sums[`${layer.name} ${sign} deviation`].values.at(-1));
      const squares = own.map((lca) => (lca - average(own)) ** 2);
      const deviation = Math.sqrt(
        squares.reduce((sum, square) => sum + square) / (runs.length - 1),
      );
      near((edges[1] - edges[0]) / 2, deviation, 1e-6);
    }
  });

  await check("so are those of parameters and classes", async () => {
    const count = (place) =>
      page.$$eval(`${place} [data-count]`, (bars) =>
        bars.map(({ dataset }) => [dataset.lower, dataset.count].map(Number)),
      );
    const found = runs.map((run) => json("noise", run));
    const shares = new Map(await count(chart("heroes", "How often parameters help")));
    for (const [place, { lower }] of found[0].heroes.bins.entries()) {
      const own = found.map(({ heroes }) => heroes.bins[place].parameters / heroes.moving);
      near(shares.get(lower) ?? 0, 100 * average(own));
    }
    const values = await count(chart("distribution", "LCA of single parameters at single steps"));
    const nonzero = found.map(({ distribution: { helping, hurting, zero } }) => {
      return (helping + hurting) / (helping + hurting + zero);
    });
    near(
      values.reduce((sum, [, share]) => sum + share, 0),
      100 * average(nonzero),
    );
    const cells = await page.$$eval(
      `${chart("classes", "LCA by class and layer")} rect[data-value]`,
      (cells) => cells.map(({ dataset }) => ({ ...dataset })),
    );
    const ofClass = runs.map((run) => json("layers", run, "--class", "3").layers);
    for (const [place, { name }] of ofClass[0].entries()) {
      const cell = cells.find(({ row, column }) => row === "class 3" && column === name);
      near(Number(cell.value), average(ofClass.map((layers) => layers[place].lca)), 1e-7);
    }
  });
}
