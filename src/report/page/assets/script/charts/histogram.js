// Counts in bins, with lines of what laws expect.

import { keptChoice } from "../choices.js";
import { svg } from "../dom.js";
import { redraw } from "../view.js";
import { frame, linear, tickTexts, valueAxis, writeScales } from "./axes.js";
import { tipFigure } from "./figure.js";

/**
 * Places are from 0 to 1 in the plot; the edges of a bin are in its unit.
 * @typedef {{
 *   from: number,
 *   to: number,
 *   count: number,
 *   kind: string,
 *   lower: number,
 *   upper: number,
 *   tip: string,
 * }} HistogramBar
 * @typedef {{ name: string, points: [number, number][], kind?: string }} HistogramLine
 */

/**
 * A logarithmic scale of counts begins at the least; half a value is below one.
 * @param {{
 *   label: string,
 *   unit: string,
 *   bars: HistogramBar[],
 *   lines: HistogramLine[],
 *   marks: [number, string][],
 *   below: string,
 *   least?: number,
 *   above?: { place: number, value: number, text: string } | null,
 * }} chart
 */
export function histogram({ label, unit, bars, lines, marks, below, least = 0.5, above = null }) {
  /** @type {[string, string][]} */
  const scales = [
    ["linear", "linear count"],
    ["log", "logarithmic count"],
  ];
  const { row, chosen } = keptChoice(`counts of ${label}`, `Counts of ${label}`, scales, redraw);
  const counts = lines.flatMap((line) => line.points.map(([, count]) => count));
  const most = Math.max(1, ...bars.map((bar) => bar.count), ...counts);
  return tipFigure(label, unit, [row], (plot) => {
    const logarithmic = chosen() === "log";
    const margin = { left: 64, right: 12, top: above ? 22 : 8, bottom: 52 };
    const { root, area } = frame(plot, 240, margin);
    const x = linear(0, 1, area.left, area.right);
    const y = logarithmic
      ? valueAxis(root, area, Math.log10(least), Math.log10(most) * 1.02, powers)
      : valueAxis(root, area, 0, most * 1.05, tickTexts);
    const height = (/** @type {number} */ count) =>
      y(logarithmic ? Math.log10(Math.max(count, least)) : count);
    writeScales(root, x, y, area);
    for (const bar of bars.filter((bar) => bar.count > 0)) {
      const top = height(bar.count);
      root.append(
        svg("rect", {
          class: bar.kind,
          x: x(bar.from),
          width: Math.max(0.5, x(bar.to) - x(bar.from) - 0.5),
          y: top,
          height: area.bottom - top,
          "data-lower": bar.lower,
          "data-upper": bar.upper,
          "data-count": bar.count,
          "data-tip": bar.tip,
        }),
      );
    }
    for (const { name, points, kind = "law" } of lines.filter((line) => line.points.length > 0)) {
      const places = points.map(
        ([place, count]) => `${x(place).toFixed(2)} ${height(count).toFixed(2)}`,
      );
      root.append(
        svg("path", {
          class: kind,
          d: `M${places.join("L")}`,
          "data-series": name,
          "data-values": JSON.stringify(points.map(([, count]) => count)),
        }),
      );
    }
    const { left, right, top, bottom } = area;
    root.append(svg("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }));
    const room = Math.max(1, Math.ceil((marks.length * 62) / (right - left)));
    const middle = Math.floor(marks.length / 2);
    for (const [number, [place, text]] of marks.entries()) {
      const at = x(place);
      root.append(svg("line", { class: "axis", x1: at, x2: at, y1: bottom, y2: bottom + 4 }));
      if ((number - middle) % room !== 0) continue;
      root.append(svg("text", { x: at, y: bottom + 16, "text-anchor": "middle" }, text));
    }
    if (above) {
      const at = x(above.place);
      const line = { class: "zero", x1: at, x2: at, y1: top, y2: bottom };
      root.append(
        svg("line", { ...line, "data-mean": above.value }),
        svg("text", { class: "name", x: at, y: 14, "text-anchor": "middle" }, above.text),
      );
    }
    const centre = { x: (left + right) / 2, y: bottom + 38, "text-anchor": "middle" };
    root.append(svg("text", centre, below));
    return root;
  });
}

/** @param {number[]} values */
const powers = (values) => values.map((value) => (Number.isInteger(value) ? `1e${value}` : ""));
