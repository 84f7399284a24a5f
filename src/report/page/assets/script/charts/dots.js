// Dots by row over iterations.

import { svg } from "../dom.js";
import { drawn, view } from "../view.js";
import { frame, linear, timeAxis, writeScales } from "./axes.js";
import { figure, look, readoutOf } from "./figure.js";
import { LETTER, rowName, widest } from "./names.js";
import { timePlot } from "./timeplot.js";

/**
 * @typedef {{ x: number, value: number, height: number, tip: string }} Dot
 * @typedef {{ name: string, class: number | null, dots: Dot[] }} DotRow
 * @typedef {{ name: string, place: number, rows: DotRow[] }} DotGroup
 * @typedef {{ x: number, tip: string }} Moment
 */

const GROUP_GAP = 8;

/** @param {{ x: number }} mark */
const isInView = (mark) => mark.x >= view.from && mark.x <= view.to;

/**
 * A group has the colour of the curve of that place; `moments()` are marked across all rows of all
 * groups.
 * @param {{ label: string, groups: () => DotGroup[], moments: () => Moment[] }} chart
 */
export function dots({ label, groups, moments }) {
  const plot = timePlot(label, (iteration) => {
    const there = groups().flatMap((group) =>
      group.rows
        .filter((row) => row.dots.some((dot) => dot.x === iteration))
        .map((row) => `${group.name} ${row.name}`),
    );
    return there.length > 0 ? `peaks of ${there.join(", ")}` : "no peak";
  });
  const readout = readoutOf(plot);
  drawn(() => {
    const shown = groups();
    const lines = shown.reduce((lines, group) => lines + group.rows.length, 0);
    const height = lines > 0 ? Math.max(2.5, Math.min(16, 420 / lines)) : 16;
    const names = shown.map((group) => group.name);
    const letters = widest(names, 16);
    const margin = { left: letters * LETTER + 12, right: 12, top: 4, bottom: 38 };
    const { root, area } = frame(plot, lines * height + shown.length * GROUP_GAP + 42, margin);
    const x = timeAxis(root, area);
    writeScales(root, x, linear(0, 1, area.bottom, area.top), area);
    for (const moment of moments().filter(isInView)) {
      const at = { x1: x(moment.x), x2: x(moment.x), y1: area.top, y2: area.bottom };
      const marked = { "data-moment": moment.x, "data-tip": moment.tip };
      root.append(svg("line", { class: "moment", ...at, ...marked }));
    }
    let top = area.top;
    for (const group of shown) {
      const tall = group.rows.length * height;
      const border = top + tall + GROUP_GAP / 2;
      root.append(
        rowName(group.name, letters, area.left, top + tall / 2),
        svg("line", { class: "grid", x1: area.left, x2: area.right, y1: border, y2: border }),
      );
      for (const [place, row] of group.rows.entries()) {
        for (const dot of row.dots.filter(isInView)) {
          root.append(
            svg("circle", {
              cx: x(dot.x),
              cy: top + (place + 0.5) * height,
              r: Math.max(1.6, Math.min(4, height / 2)),
              fill: look(group.place).colour,
              "data-layer": group.name,
              "data-class": row.class ?? "",
              "data-iteration": dot.x,
              "data-value": dot.value,
              "data-height": dot.height,
              "data-tip": dot.tip,
            }),
          );
        }
      }
      top += tall + GROUP_GAP;
    }
    plot.replaceChildren(root);
  });
  return figure(label, "", plot, readout);
}
