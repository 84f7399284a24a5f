// A headless Chromium that notes every error and every request.

import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const launch = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
  ],
};

export async function withBrowser(use) {
  const browser = await chromium.launch(launch);
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

/** Opens a file or an address, and hands over what went wrong while it was open. */
export async function open(browser, file, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  const problems = [];
  page.on(
    "console",
    (message) =>
      ["error", "warning"].includes(message.type()) && problems.push(`console: ${message.text()}`),
  );
  page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
  const isServed = file.startsWith("http:");
  const address = isServed ? file : pathToFileURL(resolve(file)).href;
  page.on("request", (request) => {
    const url = request.url();
    const own = ["data", "zoom?", "trace?", "microscope?"].map((path) => address + path);
    if (isServed && own.some((start) => url.startsWith(start))) return;
    if (url.split("#")[0] !== address && !url.startsWith("data:") && !url.startsWith("blob:"))
      problems.push(`request: ${url}`);
  });
  await page.goto(address);
  await page.waitForSelector("html[data-ready=true]", { timeout: 30_000 }).catch((error) => {
    throw new Error([...problems, error.message].join("\n"));
  });
  return { page, problems, close: () => context.close() };
}

/** Waits until what was asked for is drawn. */
export const nextFrame = (page) =>
  page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );

/** Milliseconds after which something that must happen has not. */
const PATIENCE = 60_000;

/** Waits until something is so, and returns what it is. */
export async function until(what, ask) {
  const start = Date.now();
  while (Date.now() - start < PATIENCE) {
    const found = await ask();
    if (found) return found;
    await sleep(100);
  }
  throw new Error(`after ${PATIENCE / 1000} s still not: ${what}`);
}
