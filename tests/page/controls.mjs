// Controls of the figures: wheel and Shift, axes, tables, saving, pixels, and the search for layers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nextFrame, open } from "./browser.mjs";

/** First and last iteration in view. */
const range = (page) => page.$eval("html", ({ dataset }) => [+dataset.from, +dataset.to]);

/** A file that a button saves, with its name. */
async function saved(page, label, kind) {
  const menu = page.locator(`[aria-label="Save: ${label}"]`).first();
  await menu.click();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.locator(`[aria-label="${label} as ${kind}"]`).first().click(),
  ]);
  const bytes = readFileSync(await file.path());
  await menu.click();
  return { name: file.suggestedFilename(), bytes };
}

const lines = (bytes) => {
  const rows = bytes.toString().split("\r\n");
  assert.equal(rows.pop(), "", "the last line is ended, too");
  return rows.map((row) => row.split(","));
};

export async function controlChecks(check, page, json, run) {
  const plot = page.locator('[data-figure="grounded"] .plot').first();
  const chart = page.locator('[data-figure="grounded"] figure').first();
  const reset = async () => {
    await page.click("#reset");
    await nextFrame(page);
  };
  const wheel = async (key, aside, down) => {
    if (key) await page.keyboard.down(key);
    await page.mouse.wheel(aside, down);
    if (key) await page.keyboard.up(key);
    await nextFrame(page);
    return range(page);
  };

  await check("Ctrl and the wheel zoom where the pointer is; the wheel alone scrolls", async () => {
    await reset();
    await plot.scrollIntoViewIfNeeded();
    const all = await range(page);
    const box = await plot.boundingBox();
    await page.mouse.move(box.x + 0.75 * box.width, box.y + 60);
    const at = await page.$eval("html", ({ dataset }) => Number(dataset.cursor));
    const [from, to] = await wheel("Control", 0, -300);
    assert.ok(from < at && at < to, `${at} is not in ${from} to ${to}`);
    // A notch is a factor of 1.25, and what is under the pointer stays there.
    assert.ok(Math.abs((to - from) / (all[1] - all[0]) - 1.25 ** -3) < 0.05, `${from} to ${to}`);
    const part = (at - from) / (to - from);
    assert.ok(Math.abs(part - (at - all[0]) / (all[1] - all[0])) < 0.05, `at ${part}`);
    await wheel("Control", 0, 300);
    assert.deepEqual(await wheel("Control", 0, 300), all);
    const before = await page.evaluate(() => scrollY);
    assert.deepEqual(await wheel(null, 0, 100), all);
    await page.waitForFunction((before) => scrollY !== before, before);
  });

  await check("Shift pans with the wheel and the pointer, as far as there are steps", async () => {
    await plot.scrollIntoViewIfNeeded();
    await page.fill("#from", "10");
    await page.fill("#to", "20");
    await page.locator("#to").dispatchEvent("change");
    await nextFrame(page);
    await plot.hover();
    assert.deepEqual(await wheel("Shift", 0, 100), [12, 22]);
    assert.deepEqual(await wheel(null, -100, 0), [10, 20]);
    const box = await plot.boundingBox();
    const y = box.y + 60;
    await page.keyboard.down("Shift");
    await page.mouse.move(box.x + 0.5 * box.width, y);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.8 * box.width, y, { steps: 4 });
    await page.mouse.up();
    await nextFrame(page);
    const [from, to] = await range(page);
    assert.ok(from < 10 && to === from + 10, `${from} to ${to}`);
    await page.mouse.move(box.x + 0.1 * box.width, y);
    await page.mouse.down();
    await page.mouse.move(box.x + 2 * box.width, y, { steps: 3 });
    await page.mouse.up();
    await page.keyboard.up("Shift");
    await nextFrame(page);
    assert.deepEqual(await range(page), [0, 10]);
    await reset();
  });

  await check("iterations and losses have logarithmic axes, and epochs their own", async () => {
    const paths = () =>
      chart.locator("path[data-series]").evaluateAll((curves) =>
        curves.map((curve) => {
          const points = [...curve.getAttribute("d").matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)];
          return points.map(([, x, y]) => [Number(x), Number(y)]);
        }),
      );
    const area = () => plot.locator("svg").evaluate(({ dataset }) => ({ ...dataset }));
    const [[, to], { left, right }] = [await range(page), await area()];
    await page.selectOption("#axis", "log");
    await nextFrame(page);
    const values = JSON.parse(
      await chart.locator('[data-series="measured loss"]').getAttribute("data-values"),
    );
    const at = JSON.parse(
      await chart.locator('[data-series="measured loss"]').getAttribute("data-iterations"),
    );
    for (const [place, [x]] of (await paths())[0].entries()) {
      const part = Math.log(1 + at[place]) / Math.log(1 + to);
      assert.ok(Math.abs(x - (+left + part * (right - left))) < 0.1, `${x} at ${at[place]}`);
    }
    assert.match(await chart.textContent(), /iteration, logarithmic/);
    await chart.getByRole("button", { name: "logarithmic" }).click();
    await nextFrame(page);
    const ys = (await paths())[0].map(([, y]) => y);
    // Equal ratios of losses are equally high.
    const [high, low] = [values[0], values.at(-1)].map(Math.log);
    const [top, bottom] = [ys[0], ys.at(-1)];
    for (const [place, y] of ys.entries()) {
      const part = (high - Math.log(values[place])) / (high - low);
      assert.ok(Math.abs(y - (top + part * (bottom - top))) < 0.2, `${y} at ${place}`);
    }
    await chart.getByRole("button", { name: "linear" }).click();
    await page.selectOption("#axis", "epoch");
    await nextFrame(page);
    assert.match(await chart.textContent(), /end of epoch/);
    await page.selectOption("#axis", "iteration");
    await nextFrame(page);
  });

  await check("a table is sorted by any of its columns, up and down", async () => {
    const box = page.locator('details[data-table="layers, all iterations"]');
    await box.locator("summary").click();
    await box.locator("table").waitFor();
    const column = (place) =>
      box
        .locator("tbody tr")
        .evaluateAll((rows, place) => rows.map((row) => row.cells[place].textContent), place);
    const press = (name) => box.locator("th button", { hasText: new RegExp(`^${name}$`) }).click();
    const before = await column(1);
    const numbers = async () => (await column(2)).map((text) => Number(text.replaceAll(",", "")));
    await press("parameters");
    const up = await numbers();
    assert.ok(up.length > 2 && up[0] < up.at(-1));
    assert.deepEqual(
      up,
      up.toSorted((a, b) => a - b),
    );
    assert.equal(await box.locator("th[aria-sort=ascending]").textContent(), "parameters");
    await press("parameters");
    assert.deepEqual(await numbers(), up.toReversed());
    await press("layer");
    assert.deepEqual(await column(1), before.toSorted());
    await box.locator("summary").click();
  });

  await check("a figure is saved with its numbers and as it looks", async () => {
    const label = "LCA by layer";
    const table = await saved(page, label, "CSV");
    assert.match(table.name, /LCA-by-layer\.csv$/);
    const [headings, ...rows] = lines(table.bytes);
    const { layers } = json("layers", run);
    assert.equal(rows.length, layers.length);
    for (const layer of layers) {
      const row = rows.find((row) => row[headings.indexOf("name")] === layer.name);
      const value = Number(row[headings.indexOf("value")]);
      assert.ok(Math.abs(value - layer.lca) < 1e-9, `${layer.name}: ${value}`);
    }
    const curves = lines((await saved(page, "Cumulative LCA by layer", "CSV")).bytes);
    assert.deepEqual(curves[0], ["curve", "iteration", "value"]);
    for (const layer of layers) {
      const last = curves.filter(([name]) => name === layer.name).at(-1);
      assert.ok(Math.abs(Number(last[2]) - layer.lca) < 1e-9, last.join());
    }
    const picture = (await saved(page, label, "SVG")).bytes.toString();
    const { bars, looks } = await page.evaluate((text) => {
      const found = new DOMParser().parseFromString(text, "image/svg+xml");
      const broken = found.querySelector("parsererror");
      if (broken) throw new Error(broken.textContent);
      const bars = [...found.querySelectorAll("rect[data-value]")];
      return { bars: bars.length, looks: bars.map((bar) => bar.getAttribute("fill")) };
    }, picture);
    assert.equal(bars, layers.length);
    // With its colours, though the style sheet of the page is not there.
    for (const fill of looks) assert.match(fill, /^rgb\(/);
    const { bytes } = await saved(page, label, "PNG");
    const colours = await page.evaluate(async (base64) => {
      const image = new Image();
      image.src = `data:image/png;base64,${base64}`;
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.width, image.height];
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    }, bytes.toString("base64"));
    assert.ok(colours > 10, `${colours} colours`);
  });

  await check("a click on a pixel shows what its parameter did in the pictures", async () => {
    const figure = '[data-figure="trace"]';
    const listed = await page
      .locator(`${figure} option`)
      .evaluateAll((options) => options.map(({ value }) => value));
    // The one that moved most at a step, of those of which the page has no curves: row-major, and
    // drawn with an output a row.
    const [inputs, outputs] = [32, 10];
    const all = Array.from({ length: inputs * outputs }, (_, index) => index);
    const traces = json("trace", run, "fc3.weight", ...all.map(String)).parameters;
    assert.deepEqual(
      traces.map(({ index }) => index),
      all,
    );
    const moved = (index) => Math.max(...traces[index].steps.map(({ step }) => Math.abs(step)));
    const others = all.filter((index) => !listed.includes(`fc3.weight [${index}]`));
    const index = others.reduce((most, index) => (moved(index) > moved(most) ? index : most));
    const [across, down] = [Math.floor(index / outputs) + 0.5, (index % outputs) + 0.5];
    const canvas = page.getByRole("img", { name: /fc3\.weight/ });
    const { width, height } = await canvas.boundingBox();
    const position = { x: (across / inputs) * width, y: (down / outputs) * height };
    await canvas.click({ position });
    await nextFrame(page);
    assert.equal(await page.inputValue(`${figure} select`), `fc3.weight [${index}]`);
    const curve = page.locator(`${figure} path[data-series="step"]`);
    await page.waitForFunction(
      (figure) => !document.querySelector(figure).textContent.includes("Reading …"),
      figure,
    );
    const steps = new Map(traces[index].steps.map(({ iteration, step }) => [iteration, step]));
    const at = JSON.parse(await curve.getAttribute("data-iterations"));
    const values = JSON.parse(await curve.getAttribute("data-values"));
    const full = await page.$eval("#data", (data) => {
      const { pictures } = JSON.parse(data.textContent).runs[0].microscope;
      return pictures.find(({ quantity }) => quantity === "step").values.at(-1);
    });
    assert.ok(values.length > 10 && values.some((value) => value !== 0), `${values}`);
    for (const [place, value] of values.entries()) {
      const exact = steps.get(at[place]);
      const within = Math.sign(exact) * Math.min(Math.abs(exact), full);
      // Rounded to one of 15 colours to either side of zero, of which the first is drawn as zero.
      const off = value === 0 ? 0.11 : 0.04;
      assert.ok(Math.abs(value - within) <= off * full, `${value} for ${exact} at ${at[place]}`);
    }
    await page.selectOption(`${figure} select`, { index: 0 });
  });
}

/** Of the page of a run with many layers. */
export async function searchChecks(check, browser, folder) {
  await check("of many layers those are found that are looked for", async () => {
    const { page, problems, close } = await open(browser, join(folder, "long.html"));
    const bars = () =>
      page.$$eval('[data-figure="layers"] rect[data-name]', (bars) =>
        bars.map(({ dataset }) => dataset.name),
      );
    const figure = page.locator('[data-figure="layers"]');
    const press = async (name) => {
      await figure.getByRole("button", { name, exact: true }).click();
      await nextFrame(page);
    };
    const first = await bars();
    assert.equal(first.length, 12);
    await page.getByRole("searchbox").fill("BLOCK1");
    await press("those found");
    // The first, and all from ten to nineteen.
    const found = ["block1.conv", ...Array.from({ length: 10 }, (_, at) => `block1${at}.conv`)];
    assert.deepEqual((await bars()).toSorted(), found.toSorted());
    await press("none");
    assert.deepEqual(await bars(), []);
    await press("all");
    assert.equal((await bars()).length, 20);
    await press("the 12 that moved most");
    assert.deepEqual(await bars(), first);
    assert.deepEqual(problems, []);
    await close();
  });
}
