// What all figures share: the iterations in view, the cursor, probe and class, the layers left out.

const view = {
  first: Math.min(...data.runs.map((run) => run.summary.first_iteration)),
  last: Math.max(...data.runs.map((run) => run.summary.last_iteration)),
  from: 0,
  to: 0,
  cursor: null,
  probe: data.runs[0].probes[0],
  /** The number of a class as a text; empty is all of them together. */
  class: "",
  hidden: new Set(),
};
view.from = view.first;
view.to = view.last;

/** The classes that LCA is split by, number to name. */
const classNames = new Map(data.runs.flatMap((run) => run.class_series).flatMap((series) => series.classes).map((entry) => [String(entry.class), entry.name]));

const drawers = [];
const pointers = [];
let waiting = false;

/** Has a function called now, and whenever range, probe, class, layers or widths change. */
function drawn(draw) {
  drawers.push(draw);
}

/** Has a function called whenever the cursor moves. */
function pointed(point) {
  pointers.push(point);
}

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(redrawNow);
}

function redrawNow() {
  waiting = false;
  for (const draw of drawers) draw();
  for (const point of pointers) point();
}

function setRange(from, to) {
  let [low, high] = [Math.round(Math.min(from, to)), Math.round(Math.max(from, to))];
  low = Math.max(view.first, Math.min(low, view.last));
  high = Math.max(low, Math.min(high, view.last));
  [view.from, view.to] = [low, high];
  if (view.cursor !== null) view.cursor = Math.max(low, Math.min(high, view.cursor));
  redraw();
}

function setCursor(iteration) {
  view.cursor = iteration === null ? null : Math.max(view.from, Math.min(view.to, Math.round(iteration)));
  for (const point of pointers) point();
}

/** Zooms by a factor around the cursor, or the middle. */
function zoom(factor) {
  const centre = view.cursor ?? (view.from + view.to) / 2;
  const from = centre - (centre - view.from) * factor;
  const to = centre + (view.to - centre) * factor;
  if (factor < 1 && to - from < 2) return;
  setRange(from, to);
}

function shift(part) {
  const width = view.to - view.from;
  const by = Math.max(1, Math.round(width * Math.abs(part))) * Math.sign(part);
  const from = Math.max(view.first, Math.min(view.last - width, view.from + by));
  setRange(from, from + width);
}

/** The iterations in view have a width even if there is one only. */
const spanInView = () => (view.to > view.from ? [view.from, view.to] : [view.from - 0.5, view.from + 0.5]);

/** Keys of a figure over time; see `KEYS`. */
function timeKeys(event) {
  const width = Math.max(1, Math.round((view.to - view.from) / 20));
  const cursor = view.cursor ?? view.from - 1;
  const moves = {
    ArrowRight: () => setCursor(cursor + (event.shiftKey ? width : 1)),
    ArrowLeft: () => setCursor((view.cursor ?? view.to + 1) - (event.shiftKey ? width : 1)),
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

const KEYS = "Drag to zoom in time, double-click for all. Keys: ← → move the cursor (with Shift, faster), + and − zoom, Page Up and Page Down shift, 0 shows all.";
