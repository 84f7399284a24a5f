// Whether a page opens as it should.

import assert from "node:assert/strict";
import { open } from "./browser.mjs";

const FIGURES = [
  "grounded",
  "helping",
  "periods",
  "layers",
  "trajectories",
  "heroes",
  "trace",
  "distribution",
  "peaks",
  "classes",
  "validation",
  "candidates",
  "microscope",
];

/** Every place of a figure has marks, or says what is missing. */
export async function loads(browser, file, runs = 1) {
  const { page, problems, close } = await open(browser, file);
  const found = await page.evaluate(
    (names) =>
      names.map((name) => {
        const place = document.querySelector(`[data-figure="${name}"]`);
        const marks = place.querySelectorAll(
          "[data-value], [data-series], [data-count], [data-iteration], [data-moment], canvas, table, details",
        ).length;
        return {
          name,
          marks,
          missing: place.querySelectorAll("[data-missing]").length,
          runs: place.querySelectorAll(":scope > .runs > [data-run]").length,
        };
      }),
    FIGURES,
  );
  for (const figure of found) {
    assert.ok(figure.marks + figure.missing > 0, `figure ${figure.name} is empty`);
    if (figure.name !== "candidates")
      assert.ok(figure.runs >= 1, `figure ${figure.name} has ${figure.runs} runs`);
    if (runs > 1 && figure.name === "grounded") assert.equal(figure.runs, runs);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `the page is ${wide} pixels too wide`);
  assert.equal(await page.evaluate(() => window.broken), undefined, "a name was run as a script");
  assert.deepEqual(problems, []);
  await close();
}
