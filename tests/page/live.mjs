// The page of `burn-lca serve`, while a training writes the run that it shows.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nextFrame, open, until } from "./browser.mjs";

/** Which run is in a folder; none before its tables have rows. */
function runIn(folder) {
  try {
    const { run_id } = JSON.parse(readFileSync(join(folder, "run.json"), "utf8"));
    const hasRows = ["steps", "tensors", "classes", "parameters"].every(
      (table) => readdirSync(join(folder, table)).length > 0,
    );
    return hasRows ? run_id : null;
  } catch {
    // There is no such folder yet.
    return null;
  }
}

/** Starts a program that is ended with the test, and hands over the first line that it says. */
function start(program, words, started) {
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  const line = new Promise((done, fail) => {
    let said = "";
    child.stdout.on("data", (text) => {
      said += text;
      if (said.includes("\n")) done(said.split("\n")[0]);
    });
    child.on("exit", (code) => fail(new Error(`${program} ended with ${code}`)));
  });
  line.catch(() => {});
  return { child, line };
}

const ended = (child) =>
  child.exitCode !== null || child.signalCode !== null
    ? undefined
    : new Promise((done) => child.on("exit", done));

/** What a reader sees of the page. */
const seen = (page) =>
  page.evaluate(() => ({
    last: Number(document.querySelector("#to").max),
    range: [document.documentElement.dataset.from, document.documentElement.dataset.to].map(Number),
    chosen: document.querySelector("#class").value,
    about: document.querySelector("#about").textContent,
    status: document.querySelector("#live").textContent,
    isOpen: document.querySelector('[data-table="loss by step"]').open,
    perParameter: document
      .querySelector('[data-figure="layers"] [data-value="mean"]')
      .getAttribute("aria-pressed"),
    quantity: document.querySelector('[data-figure="microscope"] [aria-pressed="true"]')
      ?.textContent,
    focus: document.activeElement.textContent,
    top: document.querySelector("#microscope").getBoundingClientRect().top,
  }));

/** The part files of a run. */
const parts = (folder) =>
  ["steps", "parameters"].map((table) => readdirSync(join(folder, table)).join());

/** Lets a training go on until it has written more: it runs in spurts, so that the run is short. */
async function spurt(trainer, folder) {
  const before = parts(folder);
  trainer.kill("SIGCONT");
  await until("more of the run", () => parts(folder).every((now, at) => now !== before[at]));
  trainer.kill("SIGSTOP");
}

/** The last iteration that a run has. */
const recorded = (folder) =>
  Math.max(...readdirSync(join(folder, "steps")).map((part) => Number(part.split("-")[1])));

/** Waits until the page shows more of the run than it did. */
const grown = (page, last) =>
  until(`more than ${last} iterations on the page`, async () => {
    const now = await seen(page);
    return now.last > last && now;
  });

async function chooseAll(page) {
  await page.fill("#from", "5");
  await page.fill("#to", "20");
  await page.locator("#to").dispatchEvent("change");
  await page.selectOption("#class", "3");
  await page.locator('[data-table="loss by step"] summary').click();
  await page.locator('[data-figure="layers"] [data-value="mean"]').click();
  const microscope = page.locator('[data-figure="microscope"]');
  await microscope.getByRole("button", { name: "gradient", exact: true }).click();
  await nextFrame(page);
}

export async function liveChecks(check, browser, program, folder, training) {
  const started = [];
  const train = async () => {
    const before = runIn(folder);
    const { child } = start(training[0], training.slice(1), started);
    await until(`steps in ${folder}`, () => (runIn(folder) ?? before) !== before);
    child.kill("SIGSTOP");
    return child;
  };
  try {
    let trainer = await train();
    const { line } = start(program, ["serve", folder], started);
    const address = await line;
    assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    const { page, problems } = await open(browser, address);
    const complete = () => page.waitForSelector("html[data-complete=true]");
    await complete();

    await check("what was chosen stays as the run grows, and the page does not move", async () => {
      await chooseAll(page);
      const before = await seen(page);
      await spurt(trainer, folder);
      assert.deepEqual(before.range, [5, 20]);
      assert.deepEqual([before.chosen, before.isOpen, before.perParameter], ["3", true, "true"]);
      assert.deepEqual([before.quantity, before.focus], ["gradient", "gradient"]);
      const now = await grown(page, before.last);
      const { last, about, status, top, ...kept } = now;
      const { last: _last, about: _about, status: _status, top: topBefore, ...known } = before;
      assert.deepEqual(kept, known);
      assert.ok(Math.abs(top - topBefore) < 2, `moved by ${top - topBefore} pixels`);
      assert.match(about, /still running/);
      assert.match(status, new RegExp(`^Live: up to iteration ${last}`));
    });

    await check("a reload keeps what was chosen", async () => {
      await page.waitForURL(/from=5&to=20/);
      const { range, chosen, isOpen, perParameter, quantity } = await seen(page);
      await page.reload();
      await complete();
      const now = await seen(page);
      assert.deepEqual(
        [now.range, now.chosen, now.isOpen, now.perParameter, now.quantity],
        [range, chosen, isOpen, perParameter, quantity],
      );
    });

    await check("a run that is seen as a whole is still seen as a whole", async () => {
      await page.click("#reset");
      await nextFrame(page);
      const before = await seen(page);
      assert.equal(before.range[1], before.last);
      await spurt(trainer, folder);
      const now = await grown(page, before.last);
      assert.equal(now.range[1], now.last);
    });

    await check("nothing changes while updates are held", async () => {
      // An answer that is on its way would still be drawn.
      await until("all of the run", async () => (await seen(page)).last === recorded(folder));
      await page.click("#hold");
      const before = await seen(page);
      await spurt(trainer, folder);
      assert.equal((await seen(page)).last, before.last);
      await page.click("#hold");
      await grown(page, before.last);
    });

    await check(
      "an update is drawn within three seconds, whatever else the machine does",
      async () => {
        const times = await page.evaluate(() =>
          performance.getEntriesByName("renewal").map((entry) => entry.duration),
        );
        const median = times.sort((a, b) => a - b)[times.length >> 1];
        console.log(`      median of ${times.length} updates: ${median.toFixed(0)} ms`);
        assert.ok(median < 3000, `${median} ms`);
      },
    );

    await check(
      "a run that is killed is shown as such, and so is the run that replaces it",
      async () => {
        trainer.kill("SIGKILL");
        await ended(trainer);
        await until("killed", async () => (await seen(page)).about.includes("killed"));
        const { last } = await seen(page);
        trainer = await train();
        const now = await until("the new run", async () => {
          const now = await seen(page);
          return now.about.includes("still running") && now.last < last && now;
        });
        await spurt(trainer, folder);
        await grown(page, now.last);
      },
    );

    await check("the page says that its server is gone, and shows what it has", async () => {
      const { last } = await seen(page);
      assert.deepEqual(problems, []);
      started[1].kill("SIGKILL");
      await until("no answer", async () => (await seen(page)).status.includes("doesn’t answer"));
      assert.ok((await seen(page)).last >= last);
      // The browser itself notes each question without an answer.
      const others = problems.filter((problem) => !problem.includes("net::ERR_"));
      assert.deepEqual(others, []);
    });
  } finally {
    for (const child of started) child.kill("SIGKILL");
    await Promise.all(started.map(ended));
  }
}
