// The page in dark, narrow and in print; contrast and names for those who don't see it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { open } from "./browser.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Axe is handed in through the debugger: the page itself lets no other script in. */
async function violations(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ["violations"] }),
  );
  return found.violations.map(
    (violation) =>
      `${violation.id}: ${violation.nodes
        .slice(0, 3)
        .map((node) => `${node.target} ${node.failureSummary.split("\n")[1] ?? ""}`)
        .join("; ")}`,
  );
}

async function shoot(page, name) {
  if (!process.env.SHOTS) return;
  await page.screenshot({ path: join(process.env.SHOTS, `${name}.png`), fullPage: true });
}

export async function lookChecks(check, browser, one, all) {
  const looks = [
    ["light", one, {}],
    ["dark", one, { colorScheme: "dark" }],
    ["narrow", one, { viewport: { width: 400, height: 800 } }],
    ["narrow-dark", one, { viewport: { width: 400, height: 800 }, colorScheme: "dark" }],
    ["several", all, {}],
    ["several-narrow", all, { viewport: { width: 400, height: 800 } }],
  ];
  for (const [name, file, options] of looks) {
    await check(`${name}: nothing wider than the screen, and axe has nothing to mark`, async () => {
      const { page, problems, close } = await open(browser, file, options);
      await page.waitForTimeout(500);
      await shoot(page, name);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${wide} pixels too wide`);
      assert.deepEqual(await violations(page), []);
      for (const button of ["#palette", "#theme"]) await page.click(button);
      await page.waitForTimeout(200);
      assert.deepEqual(await violations(page), [], "with the other colours");
      assert.deepEqual(problems, []);
      await close();
    });
  }
  for (const [width, file] of [
    [1280, one],
    [1280, all],
    [390, one],
  ]) {
    await check(`at ${width} pixels no pixel moves from under the pointer`, async () => {
      const { page, close } = await open(browser, file, { viewport: { width, height: 900 } });
      const canvas = page.locator('[data-figure="microscope"] canvas').first();
      await canvas.scrollIntoViewIfNeeded();
      const before = await canvas.boundingBox();
      await canvas.hover({ position: { x: 9, y: 9 } });
      const said = await page.textContent("[data-readout=microscope]");
      assert.match(said, /gradient/);
      assert.deepEqual(await canvas.boundingBox(), before);
      await close();
    });
  }
  await check("in print the page is light, without controls", async () => {
    const { page, close } = await open(browser, one, { colorScheme: "dark" });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const seen = await page.evaluate(() => [
      getComputedStyle(document.body).backgroundColor,
      getComputedStyle(document.getElementById("toolbar")).display,
    ]);
    assert.deepEqual(seen, ["rgb(255, 255, 255)", "none"]);
    if (process.env.SHOTS)
      await page.pdf({ path: join(process.env.SHOTS, "print.pdf"), format: "A4" });
    await close();
  });
}
