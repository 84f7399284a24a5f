// Curves over iterations.

/** @import { Child } from "../dom.js" */
/** @import { Area, Scale } from "./axes.js" */

import { keptChoice } from "../choices.js";
import { html, svg } from "../dom.js";
import { isNumber, short } from "../format.js";
import { drawn, pointed, redraw, redrawNow, view } from "../view.js";
import { frame, timeAxis, valueAxis, widened, writeScales } from "./axes.js";
import { comparable, figure } from "./figure.js";
import { placeOf, timePlot } from "./timeplot.js";

/**
 * A curve that belongs to a layer can be left out, in all figures at once. One that is the edge of
 * an interval has no name of its own.
 * @typedef {{
 *   name: string,
 *   x: ArrayLike<number>,
 *   y: ArrayLike<number>,
 *   colour: string,
 *   dash?: string,
 *   thin?: boolean,
 *   layer?: string,
 *   edge?: boolean,
 * }} Curve
 */

/** @param {Curve} curve */
const isVisible = (curve) => curve.layer === undefined || !view.hidden.has(curve.layer);

/** Curves of which all are in the legend, also those that are left out. */
const FEW = 24;

/**
 * Whether a curve is in the legend: of many, those that are shown or looked for.
 * @param {Curve} curve
 * @param {number} curves
 */
const isListed = (curve, curves) =>
  curves <= FEW ||
  isVisible(curve) ||
  (view.search !== "" && curve.name.toLowerCase().includes(view.search));

/**
 * @param {Curve} curve
 * @param {number} iteration
 */
const valueAt = (curve, iteration) => curve.y[placeOf(curve.x, iteration)];

/** @type {[string, string][]} */
const SCALES = [
  ["linear", "linear"],
  ["log", "logarithmic"],
];

/**
 * A figure of curves. With `positive`, their scale can be chosen to be logarithmic; `base` is a
 * value that is marked on it.
 * @param {{
 *   label: string,
 *   unit: string,
 *   curves: () => Curve[],
 *   options?: Child[],
 *   height?: number,
 *   together?: ReturnType<typeof comparable>,
 *   base?: number,
 *   positive?: boolean,
 *   digits?: (value: number) => string,
 * }} chart
 */
export function timeChart({
  label,
  unit,
  curves,
  options = [],
  height = 220,
  together = comparable(),
  base,
  positive = false,
  digits = short,
}) {
  const scales = positive
    ? keptChoice(`scale of ${label}`, `Scale of ${label}`, SCALES, redraw)
    : null;
  const isLog = () => scales?.chosen() === "log";
  const legend = html("div", { class: "legend" });
  /** @type {Curve[]} */
  let found = [];
  const plot = timePlot(label, (iteration) =>
    found
      .filter((curve) => isVisible(curve) && !curve.edge)
      .map((curve) => `${curve.name} ${digits(valueAt(curve, iteration))}`)
      .join(", "),
  );
  together.join(() => curveExtent(curves().filter(isVisible), base, isLog()));
  drawn(() => {
    found = curves();
    const { root, area } = frame(plot, height, { left: 64, right: 12, top: 8, bottom: 34 });
    const [low, high] = together.extent();
    const y = logOrNot(isLog(), root, area, low, high);
    const x = timeAxis(root, area);
    writeScales(root, x, y, area);
    if (base !== undefined) {
      const at = { x1: area.left, x2: area.right, y1: y(base), y2: y(base) };
      root.append(svg("line", { class: "zero", "data-base": base, ...at }));
    }
    root.append(...found.filter(isVisible).map((curve) => line(curve, x, y)));
    if (!found.some((curve) => Array.prototype.some.call(curve.y, isNumber))) {
      root.append(svg("text", { x: area.left + 8, y: area.top + 20 }, "no finite values"));
    }
    plot.replaceChildren(root);
    const named = found.filter((curve) => !curve.edge && isListed(curve, found.length));
    legend.replaceChildren(...named.map((curve) => key(curve, legend)));
  });
  pointed(() => {
    for (const place of legend.querySelectorAll("[data-value-of]")) {
      const name = place.getAttribute("data-value-of");
      const curve = found.find((curve) => curve.name === name);
      const shown = view.cursor !== null && curve;
      place.textContent = shown ? digits(valueAt(curve, view.cursor ?? 0)) : "";
    }
  });
  return figure(label, unit, scales?.row ?? null, ...options, legend, plot);
}

/**
 * An axis of values whose scale is logarithmic or not.
 * @param {boolean} isLog
 * @param {SVGElement} root
 * @param {Area} area
 * @param {number} low
 * @param {number} high
 * @returns {Scale}
 */
function logOrNot(isLog, root, area, low, high) {
  if (!isLog) return valueAxis(root, area, ...widened(low, high));
  const texts = (/** @type {number[]} */ powers) => powers.map((power) => short(10 ** power));
  const ends = widened(Math.log10(low), Math.log10(high));
  const y = valueAxis(root, area, ...ends, texts);
  root.dataset.scale = "log";
  return Object.assign((/** @type {number} */ value) => y(Math.log10(value)), { domain: y.domain });
}

/**
 * The least and the greatest value in view.
 * @param {Curve[]} curves
 * @param {number | undefined} base what is within, too
 * @param {boolean} isLog whether only what is above zero is shown
 */
function curveExtent(curves, base, isLog) {
  let [low, high] = [base ?? Infinity, base ?? -Infinity];
  for (const curve of curves) {
    const last = placeOf(curve.x, view.to);
    for (let place = placeOf(curve.x, view.from); place <= last; place += 1) {
      const value = curve.y[place];
      if (!isNumber(value) || (isLog && value <= 0)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return [low, high];
}

/**
 * @param {Curve} curve
 * @param {Scale} x
 * @param {Scale} y
 */
const line = (curve, x, y) =>
  svg("path", {
    class: "curve",
    d: path(curve, x, y),
    stroke: curve.colour,
    "stroke-dasharray": curve.dash || null,
    "stroke-width": curve.thin ? 1 : null,
    opacity: curve.thin ? 0.45 : null,
    "data-series": curve.name,
    "data-iterations": JSON.stringify(Array.from(curve.x)),
    "data-values": JSON.stringify(Array.from(curve.y)),
  });

/**
 * The entry of a curve in the legend; a button where it can be left out.
 * @param {Curve} curve
 * @param {HTMLElement} legend
 */
function key(curve, legend) {
  const stroke = {
    stroke: curve.colour,
    "stroke-width": curve.thin ? 1 : 2.5,
    "stroke-dasharray": curve.dash || null,
  };
  const sample = svg("line", { x1: 0, x2: 22, y1: 5, y2: 5, ...stroke });
  const parts = [
    svg("svg", { viewBox: "0 0 22 10", "aria-hidden": "true" }, sample),
    html("span", {}, curve.name),
    html("span", { class: "value", "data-value-of": curve.name }),
  ];
  const { layer } = curve;
  if (layer === undefined) return html("span", { class: "key" }, ...parts);
  const toggle = () => {
    if (!view.hidden.delete(layer)) view.hidden.add(layer);
    redrawNow();
    for (const button of legend.querySelectorAll("button")) {
      if (button.dataset.layer === layer) button.focus();
    }
  };
  const pressed = String(isVisible(curve));
  const attributes = { type: "button", "data-layer": layer, "aria-pressed": pressed };
  return html("button", { ...attributes, click: toggle }, ...parts);
}

/** Points of a line beyond which there are more than pixels. */
const MOST_POINTS = 2000;

/**
 * The line through a curve's points in view; of very many the least and greatest of a pixel.
 * @param {Curve} curve
 * @param {Scale} x
 * @param {Scale} y
 */
function path(curve, x, y) {
  const first = Math.max(0, placeOf(curve.x, view.from) - 1);
  const last = Math.min(curve.x.length - 1, placeOf(curve.x, view.to) + 1);
  const [from, to] = x.domain;
  /** @type {Point[]} */
  const points = [];
  for (let place = first; place <= last; place += 1) {
    const [iteration, value] = [curve.x[place], curve.y[place]];
    if (iteration < from || iteration > to) continue;
    const pixel = isNumber(value) ? y(value) : NaN;
    points.push(isNumber(pixel) ? [x(iteration), pixel] : null);
  }
  const shown = points.length > MOST_POINTS ? thinned(points) : points;
  let text = "";
  let pen = "M";
  for (const [place, point] of shown.entries()) {
    if (point === null) {
      pen = "M";
      continue;
    }
    text += `${pen}${point[0].toFixed(2)} ${point[1].toFixed(3)}`;
    // A point between gaps, or the only one, still shows.
    if (pen === "M" && (shown[place + 1] ?? null) === null) text += "h0.01";
    pen = "L";
  }
  return text;
}

/** @typedef {[number, number] | null} Point */

/**
 * The lowest and the highest point of each pixel. This is about drawing: nothing is read from it.
 * @param {Point[]} points
 * @returns {Point[]}
 */
function thinned(points) {
  /** @type {Map<number, [number, number][]>} */
  const columns = new Map();
  for (const point of points) {
    if (point === null) continue;
    const column = Math.round(point[0]);
    const known = columns.get(column);
    if (!known) columns.set(column, [point, point]);
    else if (point[1] < known[0][1]) known[0] = point;
    else if (point[1] > known[1][1]) known[1] = point;
  }
  return [...columns.values()].flatMap(([low, high]) =>
    low === high ? [low] : low[0] < high[0] ? [low, high] : [high, low],
  );
}
