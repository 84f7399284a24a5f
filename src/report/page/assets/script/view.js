// What all figures share: the iterations in view, the cursor, probe and class, the hidden layers.

import { data, firstRun, has } from "./data.js";

export const view = {
  // Nothing is seen before there are data.
  first: 0,
  last: -1,
  from: 0,
  to: -1,
  /** @type {number | null} */
  cursor: null,
  probe: "",
  probeAtFirst: "",
  /** The number of a class as a text; empty is all of them together. */
  class: "",
  /** Layers. @type {Set<string>} */
  hidden: new Set(),
  /** @type {Set<string>} */
  hiddenAtFirst: new Set(),
  /** A part of the names of layers that are looked for, in small letters. */
  search: "",
  /** Layers that are to be hidden if they are shown at first, and shown if not. */
  flipAtFirst: /** @type {string[]} */ ([]),
  /** What was chosen in single figures; see `choices.js`. @type {Map<string, string>} */
  choices: new Map(),
};

/** The classes that LCA is split by, number to name. @type {Map<string, string>} */
export const classNames = new Map();

/** Layers that are hidden though they were shown at first, and the other way round. */
export const flippedLayers = () => [
  ...[...view.hidden].filter((layer) => !view.hiddenAtFirst.has(layer)),
  ...[...view.hiddenAtFirst].filter((layer) => !view.hidden.has(layer)),
];

/** Whether all iterations are in view. */
export const isAllInView = () => view.from === view.first && view.to === view.last;

/**
 * Fits what is in view to new data, and forgets the figures of the old: a run that has grown is
 * still seen as a whole, a part of it stays that part.
 */
export function refitView() {
  [drawers.length, pointers.length] = [0, 0];
  const wasAll = isAllInView();
  view.first = Math.min(...data.runs.map((run) => run.summary.first_iteration));
  view.last = Math.max(...data.runs.map((run) => run.summary.last_iteration));
  const [from, to] = wasAll ? [view.first, view.last] : [view.from, view.to];
  // A run that was begun anew may not have got there yet.
  const isThere = from <= view.last && to >= view.first;
  view.from = isThere ? Math.max(from, view.first) : view.first;
  view.to = isThere ? Math.min(to, view.last) : view.last;
  if (view.cursor !== null) view.cursor = clamped(view.cursor);
  classNames.clear();
  for (const series of data.runs.flatMap((run) => run.class_series)) {
    for (const entry of series.classes) classNames.set(String(entry.class), entry.name);
  }
  // Classes may be still to come.
  if (has(["class_series"]) && !classNames.has(view.class)) view.class = "";
  view.probeAtFirst = firstRun.probes[0];
  const isProbe = data.runs.some((run) => run.probes.includes(view.probe));
  if (!isProbe) view.probe = view.probeAtFirst;
}

/** @type {(() => void)[]} */
const drawers = [];
/** @type {(() => void)[]} */
const pointers = [];
let waiting = false;

/**
 * Has a function called now, and whenever range, probe, class, layers or widths change.
 * @param {() => void} draw
 */
export function drawn(draw) {
  drawers.push(draw);
}

/**
 * Has a function called whenever the cursor moves.
 * @param {() => void} point
 */
export function pointed(point) {
  pointers.push(point);
}

export function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(redrawNow);
}

export function redrawNow() {
  waiting = false;
  for (const draw of drawers) draw();
  point();
}

/** What is in view can be read from outside, too. */
function point() {
  const { from, to, cursor } = view;
  Object.assign(document.documentElement.dataset, { from, to, cursor: cursor ?? "" });
  for (const pointer of pointers) pointer();
}

/**
 * @param {number} from
 * @param {number} to
 */
export function setRange(from, to) {
  const [low, high] = [Math.round(Math.min(from, to)), Math.round(Math.max(from, to))];
  view.from = Math.max(view.first, Math.min(low, view.last));
  view.to = Math.max(view.from, Math.min(high, view.last));
  if (view.cursor !== null) view.cursor = clamped(view.cursor);
  redraw();
}

/** @param {number} iteration */
const clamped = (iteration) => Math.max(view.from, Math.min(view.to, iteration));

/** @param {number | null} iteration */
export function setCursor(iteration) {
  view.cursor = iteration === null ? null : clamped(Math.round(iteration));
  point();
}

/**
 * Zooms by a factor around an iteration: the cursor, or else the middle.
 * @param {number} factor
 */
export function zoom(factor, centre = view.cursor ?? (view.from + view.to) / 2) {
  const from = centre - (centre - view.from) * factor;
  const to = centre + (view.to - centre) * factor;
  if (factor < 1 && to - from < 2) return;
  setRange(from, to);
}

/**
 * Moves the range so that it begins at an iteration, as far as there are iterations.
 * @param {number} start
 */
export function pan(start) {
  const width = view.to - view.from;
  const from = Math.max(view.first, Math.min(view.last - width, start));
  setRange(from, from + width);
}

/**
 * Moves the range by a part of its width.
 * @param {number} part
 */
export function shift(part) {
  const by = Math.max(1, Math.round((view.to - view.from) * Math.abs(part)));
  pan(view.from + by * Math.sign(part));
}

/** The iterations in view have a width even if there is one only. */
export const spanInView = () =>
  view.to > view.from ? [view.from, view.to] : [view.from - 0.5, view.from + 0.5];

/** How iterations are laid out along their axis. @returns {"iteration" | "log" | "epoch"} */
export function timeAxisChosen() {
  const chosen = view.choices.get("axis");
  return chosen === "log" || chosen === "epoch" ? chosen : "iteration";
}

/** The iterations in view, in words. */
export const rangeText = () =>
  isAllInView() ? "all iterations" : `iterations ${view.from} to ${view.to}`;

/**
 * Keys of a figure over time; see `KEYS`.
 * @param {KeyboardEvent} event
 */
export function timeKeys(event) {
  const by = event.shiftKey ? Math.max(1, Math.round((view.to - view.from) / 20)) : 1;
  /** @type {Record<string, () => void>} */
  const moves = {
    ArrowRight: () => setCursor((view.cursor ?? view.from - 1) + by),
    ArrowLeft: () => setCursor((view.cursor ?? view.to + 1) - by),
    PageDown: () => shift(0.5),
    PageUp: () => shift(-0.5),
    Home: () => setCursor(view.from),
    End: () => setCursor(view.to),
    "+": () => zoom(0.5),
    "=": () => zoom(0.5),
    "-": () => zoom(2),
    0: () => setRange(view.first, view.last),
    Escape: () => setCursor(null),
  };
  const move = moves[event.key];
  if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  move();
}

export const KEYS =
  "Drag to zoom in time, Shift and drag to pan; Ctrl and wheel zoom, Shift and wheel pan; " +
  "double-click for all. Keys: ← → move the cursor (with Shift, faster), + and − zoom, " +
  "Page Up and Page Down pan, 0 shows all.";
