// The page in use: pointer, keys, choices.

import assert from "node:assert/strict";
import { nextFrame, until } from "./browser.mjs";

/** First and last iteration in view, and the cursor. */
const range = (page) =>
  page.$eval("html", ({ dataset }) => [dataset.from, dataset.to, dataset.cursor].map(Number));

export async function useChecks(check, page) {
  const plot = page.locator('[data-figure="grounded"] .plot').first();
  const reset = async () => {
    await page.click("#reset");
    await nextFrame(page);
  };

  await check("one cursor goes over all figures in time", async () => {
    await plot.scrollIntoViewIfNeeded();
    const box = await plot.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + 40);
    const [, , cursor] = await range(page);
    assert.ok(cursor > 0);
    const [plots, lines] = await page.evaluate(() => [
      document.querySelectorAll(".plot").length,
      document.querySelectorAll("line.cursor").length,
    ]);
    assert.equal(lines, plots);
    const value = await page
      .locator('[data-figure="grounded"] [data-value-of="measured loss"]')
      .first()
      .textContent();
    assert.match(value, /\d/);
  });

  await check(
    "dragging zooms in time, everywhere, and a double-click shows all again",
    async () => {
      const before = await range(page);
      const box = await plot.boundingBox();
      await page.mouse.move(box.x + box.width * 0.3, box.y + 60);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 5 });
      await page.mouse.up();
      await nextFrame(page);
      const [from, to] = await range(page);
      assert.ok(from > before[0] && to < before[1] && to > from, `${from} to ${to}`);
      const scales = await page.$$eval(".plot > svg", (nodes) =>
        nodes.map((node) => [Number(node.dataset.x0), Number(node.dataset.x1)]),
      );
      for (const scale of scales) assert.deepEqual(scale, [from, to]);
      await plot.dblclick();
      await nextFrame(page);
      assert.deepEqual((await range(page)).slice(0, 2), before.slice(0, 2));
    },
  );

  await check("keys move the cursor and zoom, and the figure says what it shows", async () => {
    await plot.focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowRight");
    const [from, to, cursor] = await range(page);
    assert.equal(cursor, from + 1);
    assert.match(await plot.getAttribute("aria-valuetext"), /^iteration \d+: measured loss [\d.]+/);
    await page.keyboard.press("+");
    await nextFrame(page);
    const zoomed = await range(page);
    assert.ok(zoomed[1] < to);
    await page.keyboard.press("0");
    await nextFrame(page);
    assert.deepEqual((await range(page)).slice(0, 2), [from, to]);
  });

  await check("a readout never tells the number that a bar had before", async () => {
    const figure = page.locator('[data-figure="layers"]');
    const readout = figure.locator(".readout").first();
    await figure.locator("rect[data-value]").first().hover();
    const before = await readout.textContent();
    assert.match(before, /\d/);
    await page.fill("#from", "10");
    await page.locator("#from").dispatchEvent("change");
    await nextFrame(page);
    const tips = await figure
      .locator("rect[data-tip]")
      .evaluateAll((bars) => bars.map((bar) => bar.dataset.tip));
    const now = await readout.textContent();
    assert.ok(now !== before && ["", ...tips].includes(now), `${before}, then ${now}`);
    await reset();
  });

  await check("a field keeps what is being typed while the page is drawn anew", async () => {
    await page.fill("#from", "10");
    await page.locator("#from").dispatchEvent("change");
    await page.$eval("#to", (to) => {
      to.focus();
      to.value = "20";
    });
    await nextFrame(page);
    await page.locator("#to").dispatchEvent("change");
    await nextFrame(page);
    assert.deepEqual((await range(page)).slice(0, 2), [10, 20]);
    await reset();
  });

  await check("a reload keeps what is in view, and a link goes on keeping it", async () => {
    await page.fill("#from", "10");
    await page.fill("#to", "20");
    await page.locator("#to").dispatchEvent("change");
    await page.selectOption("#class", "3");
    await page.click("#theme");
    await page.locator('#contents a[href="#classes"]').click();
    // The address follows a moment later.
    await page.waitForURL(/#classes&from=10&to=20/);
    await page.reload();
    await page.waitForSelector("html[data-ready=true]");
    assert.deepEqual((await range(page)).slice(0, 2), [10, 20]);
    assert.equal(await page.inputValue("#class"), "3");
    assert.equal(await page.getAttribute("html", "data-theme"), "dark");
    await page.click("#theme");
    await page.selectOption("#class", "");
    await reset();
    await page.waitForURL((url) => !/from|class=|probe/.test(url.href));
  });

  await check("a section that does not follow a choice says so, and only then", async () => {
    const said = () =>
      page.$$eval("[data-ignores]", (places) =>
        places.map((place) => [place.nextElementSibling.dataset.figure, place.textContent]),
      );
    for (const [figure, text] of await said()) assert.equal(text, "", figure);
    await page.fill("#from", "10");
    await page.locator("#from").dispatchEvent("change");
    await page.selectOption("#class", "3");
    await nextFrame(page);
    const now = Object.fromEntries(await said());
    assert.match(now.heroes, /of all classes together, all iterations\./);
    assert.match(now.microscope, /of all classes together\./);
    assert.equal(now.peaks, "");
    await page.selectOption("#class", "");
    await reset();
  });

  await check("Tab reaches every control", async () => {
    await page.evaluate(() => {
      document.activeElement.blur();
      scrollTo(0, 0);
    });
    const wanted = await page.evaluate(
      () =>
        [
          ...document.querySelectorAll("button, select, input, a[href], summary, [tabindex='0']"),
        ].filter((node) => node.checkVisibility()).length,
    );
    const seen = new Set();
    for (let press = 0; press < wanted + 20; press += 1) {
      await page.keyboard.press("Tab");
      const place = await page.evaluate(() =>
        [...document.querySelectorAll("*")].indexOf(document.activeElement),
      );
      if (seen.has(place)) break;
      seen.add(place);
    }
    assert.ok(seen.size >= wanted, `${seen.size} of ${wanted}`);
  });

  await check("a layer can be left out of all figures, and comes back", async () => {
    const button = page.locator('[data-figure="trajectories"] .legend button').first();
    const layer = await button.getAttribute("data-layer");
    const bars = () =>
      page.$$eval(
        `[data-figure="layers"] [data-value]`,
        (nodes, layer) => nodes.filter((node) => node.dataset.name === layer).length,
        layer,
      );
    assert.equal(await bars(), 1);
    await button.click();
    assert.equal(await bars(), 0);
    await page.locator('[data-figure="trajectories"] .legend button').first().click();
    assert.equal(await bars(), 1);
  });

  await check("the other probe shows other numbers", async () => {
    const ends = () =>
      page.$$eval('[data-figure="grounded"] [data-series="measured loss"]', (nodes) =>
        nodes.map((node) => JSON.parse(node.dataset.values).at(-1)),
      );
    const before = await ends();
    await page.selectOption("#probe", "validation");
    await nextFrame(page);
    assert.notDeepEqual(await ends(), before);
    assert.match(await page.textContent('[data-figure="grounded"] .verdict'), /^validation: /);
    await page.selectOption("#probe", "training");
    await nextFrame(page);
  });

  await check(
    "the slider, the keys and Play move the microscope, and quantities differ",
    async () => {
      const figure = page.locator('[data-figure="microscope"]');
      const slider = figure.locator("input[type=range]").first();
      const picture = () =>
        figure
          .locator("canvas")
          .first()
          .evaluate((canvas) => canvas.toDataURL());
      await slider.fill("0");
      const first = await picture();
      await slider.focus();
      await page.keyboard.press("ArrowRight");
      assert.equal(await slider.inputValue(), "1");
      assert.notEqual(await picture(), first);
      for (const name of ["cumulative LCA", "step", "gradient"]) {
        const before = await picture();
        await figure.getByRole("button", { name, exact: true }).first().click();
        await until(`another picture of ${name}`, async () => (await picture()) !== before);
      }
      await figure.getByRole("button", { name: "LCA of the step" }).first().click();
      await figure.getByRole("button", { name: "Play" }).first().click();
      await until("the third step", async () => Number(await slider.inputValue()) >= 3);
      await figure.getByRole("button", { name: "Pause" }).first().click();
      const width = () =>
        figure
          .locator("canvas")
          .first()
          .evaluate((canvas) => canvas.getBoundingClientRect().width);
      const before = await width();
      await figure.getByRole("button", { name: "Zoom in" }).first().click();
      assert.equal(await width(), 2 * before);
      await figure.getByRole("button", { name: "Zoom out" }).first().click();
    },
  );

  await check(
    "the microscope's slider stays where it is put, whatever the others show",
    async () => {
      const slider = page.locator('[data-figure="microscope"] input[type=range]').first();
      await page.fill("#from", "10");
      await page.fill("#to", "20");
      await page.locator("#to").dispatchEvent("change");
      await nextFrame(page);
      for (const end of ["max", "min"]) {
        const wanted = await slider.getAttribute(end);
        await slider.fill(wanted);
        await nextFrame(page);
        assert.equal(await slider.inputValue(), wanted);
      }
      await plot.hover();
      const [from, to, cursor] = await range(page);
      const shown = await page.textContent("[data-frame=microscope]");
      const iteration = Number(shown.match(/\d+/)[0]);
      assert.ok(iteration <= cursor && cursor - iteration < 5, `${shown} at ${cursor}`);
      assert.deepEqual([from, to], [10, 20]);
      await reset();
    },
  );

  await check("tables behind the figures open", async () => {
    for (const box of await page.locator("details[data-table]").all()) {
      await box.locator("summary").click();
      await box.locator("table").waitFor();
      await box.locator("summary").click();
    }
  });
  await reset();
}
