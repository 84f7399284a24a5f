// Scales and axes.

import { firstRun } from "../data.js";
import { svg } from "../dom.js";
import { spanInView, timeAxisChosen, view } from "../view.js";

/**
 * Values to pixels, and the range of the values; back for iterations.
 * @typedef {((value: number) => number) & { domain: [number, number] }} Scale
 * @typedef {Scale & { back: (pixel: number) => number }} TimeScale
 * The part of a figure that has marks, in pixels.
 * @typedef {{ left: number, right: number, top: number, bottom: number }} Area
 */

/**
 * Round numbers in a range, at most about so many.
 * @param {number} from
 * @param {number} to
 * @param {number} most
 * @returns {number[]}
 */
export function ticks(from, to, most, whole = false) {
  const width = to - from;
  if (!(width > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(width / most));
  const fits = (/** @type {number} */ factor) => width / (factor * power) <= most + 0.2;
  let step = power * ([1, 2, 2.5, 5].find(fits) ?? 10);
  if (whole) step = Math.max(1, Math.round(step));
  const found = [];
  for (let place = Math.ceil(from / step - 1e-9); place * step <= to + step * 1e-9; place += 1) {
    // −0 would be shown with its sign.
    found.push(place * step + 0);
  }
  // One mark says nothing of the scale.
  return found.length < 2 && most < 8 && !whole ? ticks(from, to, most + 1) : found;
}

/**
 * Labels of ticks with as many decimals as tell them apart.
 * @param {number[]} values
 */
export function tickTexts(values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : Math.abs(values[0]) || 1;
  const greatest = Math.max(...values.map(Math.abs));
  const power = Math.floor(Math.log10(step) + 1e-9);
  if (greatest >= 1e4 && greatest < 1e9 && values.every(Number.isInteger)) {
    return values.map((value) => value.toLocaleString("en-US"));
  }
  if (greatest >= 1e5 || (greatest > 0 && greatest < 1e-3)) {
    const digits = Math.max(0, Math.floor(Math.log10(greatest)) - power);
    const finer = Math.abs(step / 10 ** power - 2.5) < 1e-6 ? 1 : 0;
    const text = (/** @type {number} */ value) =>
      value.toExponential(digits + finer).replace("e+", "e");
    return values.map((value) => (value === 0 ? "0" : text(value)));
  }
  let decimals = Math.max(0, -power);
  if (Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals += 1;
  return values.map((value) => (Math.abs(value) < step * 1e-9 ? "0" : value.toFixed(decimals)));
}

/**
 * A linear scale from values to pixels.
 * @param {number} from
 * @param {number} to
 * @param {number} start
 * @param {number} end
 * @returns {Scale}
 */
export function linear(from, to, start, end) {
  const scale = (/** @type {number} */ value) =>
    start + ((value - from) / (to - from || 1)) * (end - start);
  return Object.assign(scale, { domain: /** @type {[number, number]} */ ([from, to]) });
}

/**
 * Widens a range so that marks don't touch the frame; a range of nothing gets a width.
 * @param {number} low
 * @param {number} high
 * @returns {[number, number]}
 */
export function widened(low, high) {
  if (!(low <= high)) return [-1, 1];
  if (low === high) {
    const by = Math.abs(low) * 0.1 || 1;
    return [low - by, high + by];
  }
  const by = (high - low) * 0.05;
  return [low === 0 ? 0 : low - by, high === 0 ? 0 : high + by];
}

/**
 * An empty picture as wide as its place, and the part of it that has marks.
 * @param {HTMLElement} host
 * @param {number} height
 * @param {Area} margin
 */
export function frame(host, height, margin) {
  const width = Math.max(220, Math.round(host.clientWidth || 600));
  const area = {
    left: margin.left,
    right: width - margin.right,
    top: margin.top,
    bottom: height - margin.bottom,
  };
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  return { root, area };
}

/**
 * Writes the scales on a picture, so that marks can be read back.
 * @param {SVGElement} root
 * @param {Scale} x
 * @param {Scale} y
 * @param {Area} area
 */
export function writeScales(root, x, y, area) {
  const [x0, x1] = x.domain;
  const [y0, y1] = y.domain;
  Object.assign(root.dataset, { x0, x1, y0, y1, ...area });
}

/**
 * The iterations in view to pixels, as the axis was chosen. On a logarithmic one the first
 * iteration of all is at 1.
 * @param {number} left
 * @param {number} right
 * @returns {TimeScale}
 */
export function timeScale(left, right) {
  const [from, to] = spanInView();
  const isLog = timeAxisChosen() === "log";
  const place = (/** @type {number} */ at) =>
    isLog ? Math.log(1 + Math.max(0, at - view.first)) : at;
  const scale = linear(place(from), place(to), left, right);
  const [start, end] = scale.domain;
  const back = (/** @type {number} */ pixel) => {
    const at = start + ((pixel - left) / (right - left)) * (end - start);
    return isLog ? view.first + Math.expm1(at) : at;
  };
  const domain = /** @type {[number, number]} */ ([from, to]);
  return Object.assign((/** @type {number} */ at) => scale(place(at)), { domain, back });
}

/** Pixels between the marks of an axis of iterations, at least. */
const APART = 44;

/**
 * Iterations with the texts of their marks.
 * @param {TimeScale} x
 * @param {number} most
 * @returns {[number, string][]}
 */
function timeMarks(x, most) {
  const [from, to] = x.domain;
  const chosen = timeAxisChosen();
  const isInView = (/** @type {[number, string]} */ [at]) => at >= from && at <= to;
  if (chosen === "epoch") {
    return firstRun.epochs
      .map(
        ({ epoch, last_iteration: last }) => /** @type {[number, string]} */ ([last, `${epoch}`]),
      )
      .filter(isInView);
  }
  if (chosen === "log") {
    const powers = Array.from({ length: 16 }, (_, power) => 10 ** power);
    const marks = [0, ...powers.flatMap((power) => [power, 2 * power, 5 * power])];
    return marks.map((at) => /** @type {[number, string]} */ ([at, String(at)])).filter(isInView);
  }
  return ticks(from, to, most, true)
    .filter(Number.isInteger)
    .map((at) => [at, String(at)]);
}

/**
 * Iterations below the plot, or the ends of epochs.
 * @param {SVGElement} root
 * @param {Area} area
 */
export function timeAxis(root, area) {
  const { left, right, bottom } = area;
  const x = timeScale(left, right);
  let free = left - APART;
  for (const [mark, text] of timeMarks(x, Math.max(2, Math.floor((right - left) / 70)))) {
    const at = x(mark);
    root.append(svg("line", { class: "axis", x1: at, x2: at, y1: bottom, y2: bottom + 4 }));
    if (at < free) continue;
    free = at + APART;
    root.append(svg("text", { x: at, y: bottom + 16, "text-anchor": "middle" }, text));
  }
  const texts = { iteration: "iteration", log: "iteration, logarithmic", epoch: "end of epoch" };
  root.append(
    svg("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }),
    svg("text", { x: right, y: bottom + 30, "text-anchor": "end" }, texts[timeAxisChosen()]),
  );
  return x;
}

/**
 * Values left of the plot, with a grid.
 * @param {SVGElement} root
 * @param {Area} area
 * @param {number} low
 * @param {number} high
 * @param {(values: number[]) => string[]} format
 */
export function valueAxis(root, area, low, high, format = tickTexts) {
  const { left, right, top, bottom } = area;
  const y = linear(low, high, bottom, top);
  const marks = ticks(low, high, Math.max(3, Math.floor((bottom - top) / 32)));
  for (const [place, text] of format(marks).entries()) {
    const at = y(marks[place]);
    const kind = marks[place] === 0 ? "zero" : "grid";
    root.append(
      svg("line", { class: kind, x1: left, x2: right, y1: at, y2: at }),
      svg("text", { x: left - 6, y: at + 4, "text-anchor": "end" }, text),
    );
  }
  return y;
}
