// What is behind a zoom: a served page has windows of many steps, and asks for those in view.

/** @import { Closer, Run } from "./types.d.ts" */

import { data, has, leaveCloser, parsed, takeCloser, wholeOf } from "./data.js";
import { find } from "./dom.js";
import { isAllInView, view } from "./view.js";

/** Milliseconds for which the view must rest before it is asked for. */
const REST = 150;

/**
 * @typedef {{
 *   path: string,
 *   fields: (keyof Run)[],
 *   isThinned: (run: Run) => boolean,
 *   isSeen: () => boolean,
 *   range: [number, number] | null,
 *   last: number,
 *   asking: AbortController | null,
 *   timer: ReturnType<typeof setTimeout> | undefined,
 * }} Part
 */

/** @param {Run} run */
function hasWindows(run) {
  const series = [run.loss[0], run.helping, ...run.trajectories, ...run.class_series];
  return series.some(({ every }) => every > 1);
}

/** @param {Run} run */
function hasGaps({ microscope }) {
  return microscope !== null && microscope?.recorded_iterations > microscope?.iterations.length;
}

/** @param {string} id */
function isOnScreen(id) {
  const { top, bottom } = find(`#${id}`).getBoundingClientRect();
  return top < innerHeight && bottom > 0;
}

/** @type {Pick<Part, "range" | "last" | "asking" | "timer">} */
const unasked = { range: null, last: -1, asking: null, timer: undefined };

/** @type {Part[]} */
const PARTS = [
  {
    path: "zoom",
    fields: ["loss", "helping", "trajectories", "class_series"],
    isThinned: hasWindows,
    isSeen: () => true,
    ...unasked,
  },
  {
    path: "microscope",
    fields: ["microscope"],
    isThinned: hasGaps,
    // It is read of every value of the run.
    isSeen: () => isOnScreen("microscope"),
    ...unasked,
  },
];

/** Whether there is a server to ask. */
let isServed = false;

/** @type {() => void} */
let showAnew = () => {};

/**
 * Begins to look closer; `show` makes the figures anew.
 * @param {() => void} show
 */
export function lookCloser(show) {
  isServed = true;
  showAnew = show;
  addEventListener("scroll", followView, { passive: true });
}

/**
 * Asks the server for something about the iterations in view; null if there is no server to ask.
 * @param {string} path
 * @param {Record<string, number>} numbers
 * @param {AbortSignal} [signal]
 */
export async function askServer(path, numbers, signal) {
  if (!isServed) return null;
  const query = Object.entries({ from: view.from, to: view.to, ...numbers })
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  const response = await fetch(`${path}?${query}`, { cache: "no-store", signal });
  const text = await response.text();
  return response.status === 200
    ? { found: parsed(text), reason: null }
    : { found: null, reason: text };
}

/** @param {Part} part */
function leave(part) {
  part.range = null;
  leaveCloser(part.fields);
}

/**
 * Follows the view: what is closer than it is left, and what is behind it asked for. Figures that
 * are being drawn are made anew a moment later.
 */
export function followView() {
  // The page may be scrolled before there are data.
  if (!isServed || !has(["loss"])) return;
  for (const part of PARTS) {
    const { range } = part;
    const isLeft =
      range !== null &&
      (view.from < range[0] || view.to > range[1] || view.last < part.last || isAllInView());
    if (isLeft) {
      leave(part);
      setTimeout(showAnew);
    }
    if (isAllInView() || !part.isSeen() || !data.runs.some(part.isThinned)) continue;
    const isThere = part.range?.[0] === view.from && part.range[1] === view.to;
    if (isThere || (part.timer !== undefined && !isLeft)) continue;
    clearTimeout(part.timer);
    part.timer = setTimeout(() => ask(part), REST);
  }
}

/** @param {Part} part */
async function ask(part) {
  part.timer = undefined;
  part.asking?.abort();
  part.asking = new AbortController();
  const { from, to, last } = view;
  try {
    const { found } = (await askServer(part.path, {}, part.asking.signal)) ?? {};
    /** @type {Closer | null | undefined} */
    const closer = found;
    const isWanted = from <= view.from && to >= view.to && !isAllInView();
    if (!closer || !isWanted || !takeCloser(closer)) return;
    [part.range, part.last] = [[from, to], last];
    showAnew();
  } catch (error) {
    // The server is gone, which the page says elsewhere, or something else is in view by now.
    if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
  }
}

/** Forgets what is closer if it is not of the runs that there are now. */
export function keepCloser() {
  for (const part of PARTS) {
    const isKnown = data.runs.every((run) =>
      part.fields.some((field) => run[field] !== wholeOf(run, field)),
    );
    if (!isKnown) part.range = null;
  }
}
