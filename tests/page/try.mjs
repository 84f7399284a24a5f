import { spawn } from "node:child_process";
import { open, withBrowser, nextFrame } from "./browser.mjs";
const [program, ...runs] = process.argv.slice(2);
const child = spawn(program, ["serve", ...runs], { stdio: ["ignore", "pipe", "inherit"] });
const address = await new Promise((done) => child.stdout.on("data", (t) => done(String(t).trim())));
const t0 = Date.now();
const log = (...w) => console.log(((Date.now() - t0) / 1000).toFixed(2), ...w);
try {
  await withBrowser(async (browser) => {
    const { page, problems } = await open(browser, address);
    log("ready");
    await page.waitForSelector('[data-figure="layers"] rect[data-value]', { timeout: 120000 });
    log("layers");
    await page.waitForSelector("html[data-complete=true]", { timeout: 240000 });
    log("complete");
    console.log(await page.evaluate(() => performance.getEntriesByName("renewal").map((e) => Math.round(e.duration))));
    const state = () => page.evaluate(() => ({
      loss: [...document.querySelectorAll('[data-figure="grounded"] path[data-series="measured loss"]')].map((p) => JSON.parse(p.dataset.iterations)).map((x) => [x.length, x[0], x.at(-1)]),
      layers: [...document.querySelectorAll('[data-figure="layers"] rect[data-value]')].map((b) => [b.dataset.name, b.dataset.value]),
      cells: document.querySelectorAll('[data-figure="class-times"] rect[data-value]').length,
      key: document.querySelector('[data-figure="class-times"] .legend')?.textContent,
    }));
    console.log(JSON.stringify(await state()));
    await page.fill("#from", "4000"); await page.fill("#to", "4199");
    await page.locator("#to").dispatchEvent("change");
    await nextFrame(page);
    console.log(JSON.stringify(await state()));
    const z = Date.now();
    await page.waitForFunction(() => JSON.parse(document.querySelector('[data-figure="grounded"] path[data-series="measured loss"]').dataset.iterations)[0] >= 4000, null, { timeout: 60000 });
    log("zoomed after", Date.now() - z);
    console.log(JSON.stringify(await state()));
    await page.locator("#microscope").scrollIntoViewIfNeeded();
    await page.waitForFunction(() => Number(document.querySelector('[data-figure="microscope"] input[type=range]').max) === 99, null, { timeout: 1000 }).catch(() => {});
    await page.waitForTimeout(3000);
    log(await page.textContent('[data-figure="microscope"] figure > .quiet:last-child'));
    const canvas = page.locator('[data-figure="microscope"] canvas').nth(2);
    await canvas.scrollIntoViewIfNeeded();
    const box = await canvas.boundingBox();
    await page.mouse.click(box.x + box.width * 0.4, box.y + box.height * 0.6);
    log(await page.textContent("[data-readout=microscope]"));
    await page.waitForTimeout(8000);
    log(await page.evaluate(() => [document.querySelector('[data-figure="trace"] select').value, JSON.parse(document.querySelector('[data-figure="trace"] path[data-series=lca]')?.dataset.iterations ?? "[]").length]));
    await page.screenshot({ path: "/tmp/pg/served.png" });
    await page.click("#reset");
    await page.waitForTimeout(1500);
    console.log(JSON.stringify(await state()));
    await page.screenshot({ path: "/tmp/pg/served-full.png", fullPage: true });
    console.log(problems, page.url());
  });
} finally { child.kill("SIGKILL"); }
