// A plot over iterations: keys, dragging and the cursor that all such plots share.

import { dress, html, svg } from "../dom.js";
import { KEYS, pan, pointed, setCursor, setRange, shift, timeKeys, view, zoom } from "../view.js";
import { timeScale } from "./axes.js";

/** Pixels from which on a press that moves is a range and no click. */
const DRAG = 6;

/**
 * Returns the place of the last of ascending numbers that is not above a value; at least 0.
 * @param {ArrayLike<number>} ascending
 * @param {number} value
 */
export function placeOf(ascending, value) {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/**
 * The picture of a plot, with the scales that are written on it.
 * @param {HTMLElement} plot
 */
function picture(plot) {
  const root = plot.querySelector("svg");
  if (root === null) return null;
  const of = (/** @type {string} */ name) => Number(root.dataset[name]);
  const [left, right, top, bottom] = ["left", "right", "top", "bottom"].map(of);
  return { root, left, right, top, bottom, x: timeScale(left, right) };
}

/**
 * Makes a plot over iterations; `values` says what is at one.
 * @param {string} label
 * @param {(iteration: number) => string} values
 */
export function timePlot(label, values) {
  const plot = html("div", {
    class: "plot",
    tabindex: 0,
    role: "slider",
    "aria-label": `${label}: cursor over iterations`,
    "aria-description": KEYS,
    keydown: timeKeys,
  });
  dragging(plot);
  wheeling(plot);
  plot.addEventListener("dblclick", () => setRange(view.first, view.last));
  pointed(() => {
    const shown = picture(plot);
    if (shown === null) return;
    const at = view.cursor ?? view.to;
    dress(plot, {
      "aria-valuemin": view.from,
      "aria-valuemax": view.to,
      "aria-valuenow": at,
      "aria-valuetext": `iteration ${at}: ${values(at)}`,
    });
    shown.root.querySelector(".cursor")?.remove();
    if (view.cursor === null) return;
    const x = shown.x(view.cursor);
    const line = { class: "cursor", x1: x, x2: x, y1: shown.top, y2: shown.bottom };
    shown.root.append(svg("line", line));
  });
  return plot;
}

/**
 * The iteration under the pointer.
 * @param {HTMLElement} plot
 * @param {MouseEvent} event
 */
function iterationAt(plot, event) {
  const shown = picture(plot);
  if (shown === null) return view.from;
  const box = shown.root.getBoundingClientRect();
  const pixel = ((event.clientX - box.left) * shown.root.viewBox.baseVal.width) / box.width;
  return shown.x.back(Math.max(shown.left, Math.min(shown.right, pixel)));
}

/** By how much a notch of the wheel zooms or pans. */
const NOTCH = { pixels: 100, zoom: 1.25, pan: 0.2 };

/**
 * Zooms around the pointer with Ctrl and the wheel, as a pinch does, and pans with Shift or a wheel
 * that goes sideways. The wheel alone scrolls the page.
 * @param {HTMLElement} plot
 */
function wheeling(plot) {
  const turn = (/** @type {WheelEvent} */ event) => {
    const isZoom = event.ctrlKey || event.metaKey;
    const aside = event.deltaX || (event.shiftKey ? event.deltaY : 0);
    if (!isZoom && Math.abs(aside) <= Math.abs(event.shiftKey ? 0 : event.deltaY)) return;
    event.preventDefault();
    const notches = (isZoom ? event.deltaY : aside) / NOTCH.pixels;
    if (isZoom) zoom(NOTCH.zoom ** Math.max(-4, Math.min(4, notches)), iterationAt(plot, event));
    else if (aside !== 0) shift(NOTCH.pan * notches);
  };
  plot.addEventListener("wheel", turn, { passive: false });
}

/**
 * Moves the cursor with the pointer, and zooms to a range that is dragged over; with Shift the
 * range goes with the pointer.
 * @param {HTMLElement} plot
 */
function dragging(plot) {
  /** @type {{ iteration: number, x: number, pans: boolean } | null} */
  let anchor = null;
  /** @type {SVGElement | null} */
  let brush = null;
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    anchor = { iteration: iterationAt(plot, event), x: event.clientX, pans: event.shiftKey };
    if (anchor.pans) plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    const iteration = iterationAt(plot, event);
    if (anchor?.pans) {
      pan(view.from + Math.round(anchor.iteration - iteration));
      return;
    }
    setCursor(iteration);
    const shown = picture(plot);
    if (!anchor || !shown || Math.abs(event.clientX - anchor.x) < DRAG) return;
    if (!brush) {
      brush = svg("rect", { class: "brush" });
      shown.root.append(brush);
      plot.setPointerCapture(event.pointerId);
    }
    const [start, end] = [anchor.iteration, iteration].map(shown.x).sort((a, b) => a - b);
    const height = shown.bottom - shown.top;
    dress(brush, { x: start, width: end - start, y: shown.top, height });
  });
  const release = (/** @type {PointerEvent} */ event) => {
    if (brush && anchor) {
      brush.remove();
      const iteration = iterationAt(plot, event);
      const isRange = Math.abs(iteration - anchor.iteration) >= 1;
      if (event.type === "pointerup" && isRange) setRange(anchor.iteration, iteration);
    }
    [anchor, brush] = [null, null];
  };
  plot.addEventListener("pointerup", release);
  plot.addEventListener("pointercancel", release);
}
