// The page of `burn-lca serve`, of a run that has ended and is too long for a page that is sent.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { nextFrame, open, until } from "./browser.mjs";

/** Zooms to some iterations. */
async function zoom(page, from, to) {
  await page.fill("#from", String(from));
  await page.fill("#to", String(to));
  await page.locator("#to").dispatchEvent("change");
  await nextFrame(page);
}

/** Waits until the page says something. */
const says = (page, selector, pattern) =>
  until(`${selector} says ${pattern}`, async () => {
    const text = await page.locator(selector).first().textContent();
    return pattern.test(text) && text;
  });

const sum = (values) => values.reduce((sum, value) => sum + value, 0);

export async function servedChecks(check, browser, program, run) {
  const child = spawn(program, ["serve", run], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = await once(child.stdout, "data");
    const { page, problems } = await open(browser, String(line).trim());
    await page.waitForSelector("html[data-complete=true]", { timeout: 300_000 });
    const key = '[data-figure="class-times"] .legend';
    const notes = '[data-figure="microscope"] figure > p:last-child';

    await check("a zoom shows every step where the whole has windows of several", async () => {
      assert.match(
        await page.textContent('[data-figure="classes"]'),
        /Of every \d+ steps the last/,
      );
      await zoom(page, 600, 659);
      await says(page, key, /one column: a recorded step/);
      const ofClass = await page.$$eval(
        '[data-figure="class-times"] rect[data-row="class 3"]',
        (cells) => cells.map(({ dataset }) => [dataset.iteration, dataset.value].map(Number)),
      );
      assert.deepEqual(
        ofClass.map(([iteration]) => iteration),
        Array.from({ length: 60 }, (_, place) => 600 + place),
      );
      // The same from the bars of layers, which are differences of sums over the whole run.
      await page.selectOption("#class", "3");
      await nextFrame(page);
      const bars = await page.$$eval('[data-figure="layers"] rect[data-value]', (bars) =>
        bars.map((bar) => Number(bar.dataset.value)),
      );
      const difference = sum(bars) - sum(ofClass.map(([, value]) => value));
      assert.ok(Math.abs(difference) < 1e-9, `${difference}`);
      await page.selectOption("#class", "");
    });

    await check("the microscope shows every recorded step of a zoom", async () => {
      await page.locator("#microscope").scrollIntoViewIfNeeded();
      await until("more than some of the steps", async () => {
        const some = /recorded iterations are shown/;
        return !some.test(await page.textContent(notes));
      });
      const slider = page.locator('[data-figure="microscope"] input[type=range]').first();
      assert.equal(await slider.getAttribute("max"), "59");
      await slider.fill("7");
      await says(page, "[data-frame=microscope]", /^iteration 607$/);
    });

    await check("a click on a pixel shows its parameter over time, as `trace` has it", async () => {
      const canvas = page.locator('[data-figure="microscope"] canvas').nth(2);
      await canvas.scrollIntoViewIfNeeded();
      const box = await canvas.boundingBox();
      await page.mouse.move(box.x + box.width * 0.4, box.y + box.height * 0.6);
      const said = await page.textContent("[data-readout=microscope]");
      const [, tensor, index] = said.match(/^(\S+) \[(\d+)\]/);
      const figure = '[data-figure="trace"]';
      // What is chosen is said at once, not with the next frame.
      const chosen = await canvas.evaluate((canvas, select) => {
        canvas.click();
        return document.querySelector(select).value;
      }, `${figure} select`);
      assert.equal(chosen, `${tensor} [${index}]`);
      const curve = page.locator(`${figure} path[data-series="LCA"]`);
      await curve.waitFor({ state: "attached", timeout: 60_000 });
      const text = execFileSync(program, ["trace", run, tensor, index, "--format", "json"]);
      const known = JSON.parse(text).parameters[0].steps;
      const at = JSON.parse(await curve.getAttribute("data-iterations"));
      const values = JSON.parse(await curve.getAttribute("data-values"));
      assert.deepEqual([at[0], at.at(-1), at.length], [600, 659, 60]);
      for (const [place, value] of values.entries()) {
        assert.equal(Math.fround(value), Math.fround(known[600 + place].lca));
      }
    });

    await check("all iterations are shown again, and nothing else was asked for", async () => {
      await page.click("#reset");
      await says(page, key, /one column: the mean of \d+ steps/);
      await says(page, notes, /\d+ of \d+ recorded iterations are shown/);
      assert.deepEqual(problems, []);
    });
  } finally {
    child.kill("SIGKILL");
  }
}
