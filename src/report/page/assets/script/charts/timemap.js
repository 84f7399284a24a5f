// Cells by row over iterations, several steps to a cell where there are many.

/** @import { Child } from "../dom.js" */

import { several } from "../data.js";
import { html, svg } from "../dom.js";
import { signed } from "../format.js";
import { drawn, spanInView, view } from "../view.js";
import { frame, linear, timeAxis, writeScales } from "./axes.js";
import { blend, scaleText } from "./colours.js";
import { comparable, figure, readoutOf } from "./figure.js";
import { LETTER, rowName, widest } from "./names.js";
import { placeOf, timePlot } from "./timeplot.js";

/**
 * Windows of steps, and levels: how many windows a column has, and the size with full colour.
 * `mean(row, start, end)` is of a step over the windows from one to before another.
 * @typedef {{
 *   start: number,
 *   iterations: ArrayLike<number>,
 *   every: number,
 *   levels: { windows: number, full: number }[],
 *   mean: (row: number, start: number, end: number) => number,
 * }} Windows
 * @typedef {{ from: number, to: number, cells: number[] }} Column
 */

/** The least width of a column in pixels, and the most cells of a map. */
const NARROWEST = 4;
const MOST_CELLS = 8000;

/**
 * Rows of cells that are means over the steps of their columns.
 * @param {{
 *   label: string,
 *   unit: string,
 *   rows: string[],
 *   windows: () => Windows,
 *   options?: Child[],
 *   together?: ReturnType<typeof comparable>,
 * }} chart
 */
export function timeMap({ label, unit, rows, windows, options = [], together = comparable() }) {
  /** @type {Column[]} */
  let columns = [];
  const plot = timePlot(label, (iteration) => {
    const column = columns.find(({ to }) => to >= iteration);
    return rows.map((name, row) => `${name} ${signed(column?.cells[row])}`).join(", ");
  });
  const readout = readoutOf(plot);
  const key = html("p", { class: "legend" });
  const levelInView = () => {
    const found = windows();
    const width = (plot.clientWidth || 600) / NARROWEST;
    const room = Math.max(1, Math.floor(Math.min(width, MOST_CELLS / rows.length)));
    const count = placeOf(found.iterations, view.to) - placeOf(found.iterations, view.from) + 1;
    const level = found.levels.find((level) => count / level.windows <= room);
    return level ?? found.levels[found.levels.length - 1];
  };
  together.join(() => [0, levelInView().full]);
  drawn(() => {
    const found = windows();
    const level = levelInView();
    columns = columnsInView(found, level.windows, rows.length);
    const letters = widest(rows, 16);
    const height = Math.max(3, Math.min(18, 360 / rows.length));
    const margin = { left: letters * LETTER + 12, right: 12, top: 4, bottom: 38 };
    const { root, area } = frame(plot, rows.length * height + 42, margin);
    const x = timeAxis(root, area);
    writeScales(root, x, linear(0, rows.length, area.top, area.bottom), area);
    const [, full] = together.extent();
    const percentile = "99th percentile of what is not zero";
    const steps = level.windows * found.every;
    key.replaceChildren(
      scaleText(full, several ? `${percentile}, the greatest of all runs` : percentile),
      html(
        "span",
        { class: "quiet" },
        steps === 1 ? "one column: a recorded step" : `one column: the mean of ${steps} steps`,
      ),
    );
    const sparse = Math.ceil(12 / height);
    for (const [row, name] of rows.entries()) {
      if (height < 11 && row % sparse !== 0) continue;
      root.append(rowName(name, letters, area.left, area.top + (row + 0.5) * height));
    }
    for (const column of columns) {
      root.append(...columnCells(column, rows, { x, top: area.top, height, full }));
    }
    plot.replaceChildren(root);
  });
  return figure(label, unit, ...options, key, plot, readout);
}

/**
 * The columns that are in view at least in part. Their edges don't depend on the view.
 * @param {Windows} found
 * @param {number} width windows of a column
 * @param {number} rows
 * @returns {Column[]}
 */
function columnsInView(found, width, rows) {
  const count = found.iterations.length;
  const columns = [];
  for (let start = 0; start < count; start += width) {
    const end = Math.min(start + width, count);
    const from = start > 0 ? found.iterations[start - 1] + 1 : found.start;
    const to = found.iterations[end - 1];
    if (to < view.from || from > view.to) continue;
    const cells = Array.from({ length: rows }, (_, row) => found.mean(row, start, end));
    columns.push({ from, to, cells });
  }
  return columns;
}

/**
 * @param {Column} column
 * @param {string[]} rows
 * @param {{ x: (value: number) => number, top: number, height: number, full: number }} place
 */
function columnCells({ from, to, cells }, rows, { x, top, height, full }) {
  const [first, last] = spanInView();
  const [start, end] = [x(Math.max(first, from - 0.5)), x(Math.min(last, to + 0.5))];
  const when = from === to ? `iteration ${from}` : `iterations ${from} to ${to}`;
  return cells.map((value, row) =>
    svg("rect", {
      x: start,
      width: Math.max(0.3, end - start),
      y: top + row * height,
      height: Math.max(1, height - 0.5),
      style: `fill: ${blend(value, full)}`,
      "data-row": rows[row],
      "data-iteration": from,
      "data-last": to,
      "data-value": value,
      "data-tip": `${rows[row]} · ${when} · ${signed(value)}${from === to ? "" : " a step"}`,
    }),
  );
}
