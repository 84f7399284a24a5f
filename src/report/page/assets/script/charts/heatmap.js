// Cells with names at rows and columns.

/** @import { Child } from "../dom.js" */

import { html, svg } from "../dom.js";
import { signed } from "../format.js";
import { frame } from "./axes.js";
import { blend, scaleText } from "./colours.js";
import { comparable, tipFigure } from "./figure.js";
import { LETTER, rowName, shortened, widest } from "./names.js";

/**
 * `value(row, column)` gives the number of a cell, `full(cells)` the size that has full colour, and
 * `more(row, column)` what else is to be said of a cell.
 * @param {{
 *   label: string,
 *   unit: string,
 *   rows: string[],
 *   columns: string[],
 *   value: (row: number, column: number) => number,
 *   full: (cells: number[]) => number,
 *   more?: (row: number, column: number) => string,
 *   options?: Child[],
 *   together?: ReturnType<typeof comparable>,
 * }} chart
 */
export function heatMap({
  label,
  unit,
  rows,
  columns,
  value,
  full: fullOf,
  more = () => "",
  options = [],
  together = comparable(),
}) {
  const all = () => rows.map((_, row) => columns.map((_, column) => value(row, column)));
  together.join(() => [0, fullOf(all().flat())]);
  const key = html("p", { class: "legend", "data-scale": label });
  return tipFigure(label, unit, [...options, key], (plot) => {
    const letters = widest(rows, 16);
    const height = rows.length > 40 ? 8 : 20;
    const left = letters * LETTER + 12;
    const room = ((plot.clientWidth || 600) - left) / columns.length;
    const isFlat = Math.max(...columns.map((of) => of.length)) * 6.8 < room;
    const below = isFlat ? 22 : 74;
    const margin = { left, right: 8, top: 4, bottom: below };
    const { root, area } = frame(plot, rows.length * height + below + 4, margin);
    const [, full] = together.extent();
    key.dataset.full = String(full);
    key.replaceChildren(scaleText(full));
    const wide = (area.right - area.left) / columns.length;
    // Between narrow columns it would be most of what is seen.
    const gap = wide < 6 ? 0 : 1;
    for (const [row, cells] of all().entries()) {
      const top = area.top + row * height;
      if (height > 10 || row % 5 === 0) {
        root.append(rowName(rows[row], letters, area.left, top + height / 2));
      }
      for (const [column, cell] of cells.entries()) {
        root.append(
          svg("rect", {
            x: area.left + column * wide,
            y: top,
            width: Math.max(0.5, wide - gap),
            height: height - 1,
            style: `fill: ${blend(cell, full)}`,
            "data-row": rows[row],
            "data-column": columns[column],
            "data-value": cell,
            "data-tip": [rows[row], columns[column], signed(cell), more(row, column)]
              .filter(Boolean)
              .join(" · "),
          }),
        );
      }
    }
    const step = Math.ceil(13 / wide);
    for (const [column, name] of columns.entries()) {
      if (column % step !== 0) continue;
      const [x, y] = [area.left + (column + 0.5) * wide, area.bottom + 12];
      const at = isFlat
        ? { x, y: y + 2, "text-anchor": "middle" }
        : { x, y, "text-anchor": "end", transform: `rotate(-40 ${x} ${y})` };
      root.append(svg("text", { class: "name", ...at }, shortened(name, 14)));
    }
    return root;
  });
}
