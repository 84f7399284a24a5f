// Makes a report of runs and reads it back in a browser.
//
//   node page.mjs BURN_LCA RUN [RUN…]      of a run that was recorded in full, with classes and a
//                                          validation probe; more runs to stand beside it
//   node page.mjs --open FOLDER            only opens the pages in a folder
//   node page.mjs --served BURN_LCA RUN    of a run of 1,200 steps or more, recorded in full
//   node page.mjs --live BURN_LCA FOLDER TRAINING…
//                                          of a run that a training is recording in a folder
//
// CHROMIUM names the browser, /usr/bin/chromium by default; SHOTS a folder for screenshots.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open, withBrowser } from "./browser.mjs";
import { controlChecks, searchChecks } from "./controls.mjs";
import { liveChecks } from "./live.mjs";
import { loads } from "./loads.mjs";
import { lookChecks } from "./look.mjs";
import { meanChecks, numberChecks } from "./numbers.mjs";
import { servedChecks } from "./served.mjs";
import { typeChecks } from "./types.mjs";
import { useChecks } from "./use.mjs";

let failed = 0;

async function check(name, test) {
  try {
    await test();
    console.log(`ok    ${name}`);
  } catch (error) {
    failed += 1;
    console.log(
      `FAIL  ${name}\n      ${String(error.message ?? error)
        .split("\n")
        .join("\n      ")}`,
    );
  }
}

async function openAll(folder) {
  const pages = readdirSync(folder).filter((name) => name.endsWith(".html"));
  await check("the data of every page is what its types say", () =>
    typeChecks(pages.map((name) => join(folder, name))),
  );
  await withBrowser(async (browser) => {
    for (const name of pages) {
      await check(`${name} opens, with every figure or what is missing`, () =>
        loads(browser, join(folder, name)),
      );
    }
    await searchChecks(check, browser, folder);
  });
}

async function readBack(program, runs) {
  const folder = mkdtempSync(join(tmpdir(), "burn-lca-page-"));
  const ask = (...words) => execFileSync(program, words, { maxBuffer: 1 << 29 });
  const json = (...words) => JSON.parse(ask(...words, "--format", "json"));
  const one = join(folder, "one.html");
  const all = join(folder, "all.html");
  try {
    ask("report", runs[0], "-o", one);
    ask("report", ...runs, "-o", all);
    await withBrowser(async (browser) => {
      await check("the page is small enough to send", () => {
        const bytes = statSync(one).size;
        if (bytes > 5_000_000) throw new Error(`${bytes} bytes`);
      });
      await check("the data is what its types say", () => typeChecks([one, all]));
      await check("the page opens without errors and without a network", () => loads(browser, one));
      await check("several runs stand side by side", () => loads(browser, all, runs.length));
      const page = await open(browser, one);
      await numberChecks(check, page.page, json, runs[0]);
      await useChecks(check, page.page);
      await controlChecks(check, page.page, json, runs[0]);
      await check("using the page raised no error and asked for nothing", () => {
        if (page.problems.length > 0) throw new Error(page.problems.join("\n"));
      });
      await page.close();
      const several = await open(browser, all);
      await meanChecks(check, several.page, json, runs);
      await several.close();
      await lookChecks(check, browser, one, all);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const live = ([program, folder, ...training]) =>
  withBrowser((browser) => liveChecks(check, browser, program, folder, training));

const served = ([program, run]) =>
  withBrowser((browser) => servedChecks(check, browser, program, run));

const [first, ...others] = process.argv.slice(2);
if (!first || others.length === 0) {
  console.error("usage: node page.mjs BURN_LCA RUN [RUN…] | --open FOLDER | --served … | --live …");
  process.exit(2);
}
if (first === "--open") await openAll(others[0]);
else if (first === "--live") await live(others);
else if (first === "--served") await served(others);
else await readBack(first, others);
console.log(failed === 0 ? "all held" : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
