// Bars from zero to the left, where they help, and to the right.

/** @import { Child } from "../dom.js" */
/** @import { Scale } from "./axes.js" */

import { svg } from "../dom.js";
import { isNumber, signClass, signed } from "../format.js";
import { frame, linear, ticks, tickTexts, writeScales } from "./axes.js";
import { comparable, tipFigure } from "./figure.js";
import { LETTER, rowName, widest } from "./names.js";

/**
 * @typedef {{
 *   of?: string,
 *   value: number | null,
 *   lighter?: boolean,
 *   interval?: readonly [number, number] | null,
 *   note?: string | null,
 * }} Bar
 * @typedef {{ name: string, bars: Bar[] }} Row
 */

const THICK = 16;
const ROW_GAP = 6;
const RADIUS = 4.5;

/**
 * The range from the least to the greatest end of bars and intervals, zero within.
 * @param {Row[]} rows
 */
function barExtent(rows) {
  const bars = rows.flatMap((row) => row.bars);
  const ends = bars.flatMap((bar) => bar.interval ?? [bar.value]).filter(isNumber);
  return [Math.min(0, ...ends), Math.max(0, ...ends)];
}

/**
 * A figure of bars, or of dots where their intervals matter more.
 * @param {{
 *   label: string,
 *   unit: string,
 *   rows: () => Row[],
 *   options?: Child[],
 *   together?: ReturnType<typeof comparable>,
 *   dots?: boolean,
 * }} chart
 */
export function signedBars({
  label,
  unit,
  rows,
  options = [],
  together = comparable(),
  dots = false,
}) {
  together.join(() => barExtent(rows()));
  return tipFigure(label, unit, options, (plot) => {
    const shown = rows();
    const heights = shown.map((row) => row.bars.length * THICK + ROW_GAP);
    const names = shown.map((row) => row.name);
    const room = Math.min(28, Math.floor((plot.clientWidth || 600) / 3 / 7));
    const letters = Math.max(4, widest(names, room));
    const height = heights.reduce((sum, height) => sum + height, 44);
    const margin = { left: letters * LETTER + 12, right: 74, top: 4, bottom: 40 };
    const { root, area } = frame(plot, height, margin);
    const [least, most] = together.extent();
    const [from, to] = least === most ? [-1, 1] : [least, most];
    const x = linear(from, to, area.left, area.right);
    axis(root, x, area);
    writeScales(root, x, linear(0, 1, area.bottom, area.top), area);
    let top = area.top;
    for (const [place, row] of shown.entries()) {
      const middle = top + (row.bars.length * THICK) / 2;
      root.append(rowName(row.name, letters, area.left, middle));
      for (const [number, bar] of row.bars.entries()) {
        root.append(...signedBar(bar, row.name, top + number * THICK, x, dots));
      }
      top += heights[place];
    }
    return root;
  });
}

/**
 * @param {SVGElement} root
 * @param {Scale} x
 * @param {import("./axes.js").Area} area
 */
function axis(root, x, { left, right, top, bottom }) {
  const marks = ticks(...x.domain, Math.max(2, Math.floor((right - left) / 90)));
  for (const [place, text] of tickTexts(marks).entries()) {
    const at = x(marks[place]);
    const kind = marks[place] === 0 ? "zero" : "grid";
    root.append(
      svg("line", { class: kind, x1: at, x2: at, y1: top, y2: bottom }),
      svg("text", { x: at, y: bottom + 15, "text-anchor": "middle" }, text),
    );
  }
  root.append(
    svg("text", { x: left, y: bottom + 33 }, "← helps"),
    svg("text", { x: right, y: bottom + 33, "text-anchor": "end" }, "hurts →"),
  );
}

/**
 * A bar or dot with its interval, and its number at the end.
 * @param {Bar} bar
 * @param {string} name
 * @param {number} top
 * @param {Scale} x
 * @param {boolean} isDot
 */
function signedBar(bar, name, top, x, isDot) {
  const { value, interval } = bar;
  const text = (/** @type {number} */ end, /** @type {string} */ said) =>
    svg("text", { x: end + 5, y: top + 12 }, said);
  if (!isNumber(value)) return [text(x(0), "not finite")];
  const said = [name, bar.of, signed(value), bar.note].filter(Boolean).join(" · ");
  const kind = signClass(value);
  const middle = top + THICK / 2;
  const data = {
    "data-name": name,
    "data-of": bar.of ?? "",
    "data-value": value,
    "data-tip": said,
  };
  const [start, end] = [x(0), x(value)].sort((a, b) => a - b);
  const size = { x: start, width: Math.max(0.5, end - start), y: top + 1, height: THICK - 2 };
  /** @type {SVGElement[]} */
  const marks = [
    isDot
      ? svg("circle", { class: kind, cx: x(value), cy: middle, r: RADIUS, ...data })
      : svg("rect", { class: bar.lighter ? `${kind} lighter` : kind, ...size, ...data }),
  ];
  if (interval) {
    const [low, high] = interval;
    // Over a bar, which would hide half of it.
    marks[isDot ? "unshift" : "push"](
      svg("line", {
        class: isDot ? `line-${kind}` : "spread",
        "stroke-width": 1.5,
        x1: x(low),
        x2: x(high),
        y1: middle,
        y2: middle,
        "data-low": low,
        "data-high": high,
      }),
    );
  }
  const dot = x(value) + (isDot ? RADIUS : 0);
  const furthest = Math.max(x(0), dot, interval ? x(interval[1]) : 0);
  return [...marks, text(furthest, signed(value))];
}
