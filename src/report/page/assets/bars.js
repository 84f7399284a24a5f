// Bars and histograms.

/**
 * A figure with a readout. `draw(plot)` fills the plot; `tips` of its marks are read out.
 */
function tipFigure(label, unit, options, draw) {
  const readout = html("p", { class: "readout", role: "status" });
  const plot = html("div", { class: "plain" });
  tips(plot, readout);
  drawn(() => plot.replaceChildren(draw(plot)));
  return html("figure", { "data-chart": label },
    html("figcaption", {}, label, " ", html("span", { class: "unit" }, unit ? `(${unit})` : "")), ...options, plot, readout);
}

/** Cuts a name in its middle where it would be wider than so many letters. */
function cut(name, letters) {
  if (name.length <= letters) return name;
  const kept = Math.max(2, letters - 1);
  return `${name.slice(0, Math.ceil(kept / 2))}…${name.slice(name.length - Math.floor(kept / 2))}`;
}

/** Cuts names, and tells them apart: the parts that all paths have in common become `…`. */
function fitting(names, letters) {
  const plain = names.map((name) => cut(name, letters));
  if (names.length < 2) return plain;
  const paths = names.map((name) => name.split("."));
  const shortest = Math.min(...paths.map((path) => path.length));
  const alike = (part, most) => {
    let count = 0;
    while (count < most && paths.every((path) => part(path, count) === part(paths[0], count))) count += 1;
    return count;
  };
  const front = alike((path, place) => path[place], shortest - 1);
  const back = alike((path, place) => path[path.length - 1 - place], shortest - 1 - front);
  const middles = paths.map((path) => cut(`${front > 0 ? "…" : ""}${path.slice(front, path.length - back).join(".")}${back > 0 ? "…" : ""}`, letters));
  return new Set(middles).size > new Set(plain).size ? middles : plain;
}

/**
 * Bars from zero to the left (helps) and right (hurts). `rows()` gives
 * `{name, bars: [{of, value, lighter, low, high}]}`; `extent` makes runs comparable.
 */
function signedBars({ label, unit, rows, options = [], together = comparable(), dots = false }) {
  const low = (bar) => (isNumber(bar.low) ? bar.low : bar.value);
  const high = (bar) => (isNumber(bar.high) ? bar.high : bar.value);
  together.join(() => {
    const bars = rows().flatMap((row) => row.bars).filter((bar) => isNumber(bar.value));
    return [Math.min(0, ...bars.map(low)), Math.max(0, ...bars.map(high))];
  });
  return tipFigure(label, unit, options, (plot) => {
    const shown = rows();
    const thick = 16;
    const gap = 6;
    const heights = shown.map((row) => row.bars.length * thick + gap);
    const width = plot.clientWidth || 600;
    const letters = Math.min(28, Math.floor(width / 3 / 7), Math.max(4, ...shown.map((row) => row.name.length)));
    const { root, area } = frame(plot, sum(heights) + 44, { left: letters * 6.6 + 12, right: 74, top: 4, bottom: 40 });
    const [least, most] = together.extent();
    const x = linear(...(least === most ? [-1, 1] : [least, most]), area.left, area.right);
    const marks = ticks(...x.domain, Math.max(2, Math.floor((area.right - area.left) / 90)));
    tickTexts(marks).forEach((text, place) => root.append(
      svg("line", { class: marks[place] === 0 ? "zero" : "grid", x1: x(marks[place]), x2: x(marks[place]), y1: area.top, y2: area.bottom }),
      svg("text", { x: x(marks[place]), y: area.bottom + 15, "text-anchor": "middle" }, text)));
    root.append(svg("text", { x: area.left, y: area.bottom + 33 }, "← helps"),
      svg("text", { x: area.right, y: area.bottom + 33, "text-anchor": "end" }, "hurts →"));
    writeScales(root, x, linear(0, 1, area.bottom, area.top), area);
    let top = area.top;
    const names = fitting(shown.map((row) => row.name), letters);
    shown.forEach((row, place) => {
      root.append(svg("text", { class: "name", x: area.left - 8, y: top + (row.bars.length * thick) / 2 + 4, "text-anchor": "end" },
        names[place], svg("title", {}, row.name)));
      row.bars.forEach((bar, number) => {
        if (isNumber(bar.value)) root.append(...signedBar(bar, row, top + number * thick, thick, x, dots));
        const end = isNumber(bar.value) ? Math.max(x(0), x(high(bar))) : x(0);
        root.append(svg("text", { x: end + 5, y: top + number * thick + 12 }, isNumber(bar.value) ? signed(bar.value) : "not finite"));
      });
      top += heights[place];
    });
    return root;
  });
}

function signedBar(bar, row, top, thick, x, dots) {
  const said = [row.name, bar.of, signed(bar.value), bar.note].filter(Boolean).join(" · ");
  const marked = { "data-name": row.name, "data-of": bar.of ?? "", "data-value": bar.value, "data-tip": said };
  const [start, end] = [Math.min(x(0), x(bar.value)), Math.max(x(0), x(bar.value))];
  const middle = top + thick / 2;
  const marks = dots
    ? [svg("circle", { class: signClass(bar.value), cx: x(bar.value), cy: middle, r: 4.5, ...marked })]
    : [svg("rect", { class: signClass(bar.value) + (bar.lighter ? " lighter" : ""), x: start, width: Math.max(0.5, end - start), y: top + 1, height: thick - 2, ...marked })];
  if (isNumber(bar.low) && isNumber(bar.high)) {
    const stroke = dots ? `line-${signClass(bar.value)}` : "zero";
    marks.unshift(svg("line", { class: stroke, "stroke-width": 1.5, x1: x(bar.low), x2: x(bar.high), y1: middle, y2: middle, "data-low": bar.low, "data-high": bar.high }));
  }
  return marks;
}

/**
 * A histogram: `bars` are `{from, to, count, kind, tip}` at positions 0 to 1 in the plot, `laws`
 * lines of counts, `marks` texts below.
 */
function histogram({ label, unit, bars, lines, marks, below, above }) {
  const scale = { logarithmic: false };
  const again = (value) => {
    scale.logarithmic = value === "log";
    redraw();
  };
  const options = [choice(`Counts of ${label}`, [["linear", "linear count"], ["log", "logarithmic count"]], "linear", again)];
  return tipFigure(label, unit, options, (plot) => {
    const { root, area } = frame(plot, 240, { left: 64, right: 12, top: above ? 22 : 8, bottom: 52 });
    const most = Math.max(1, ...bars.map((bar) => bar.count), ...lines.flatMap((line) => line.points.map(([, value]) => value)));
    const x = linear(0, 1, area.left, area.right);
    const scaled = scale.logarithmic ? (value) => Math.log10(Math.max(value, 0.5)) : (value) => value;
    const floor = scale.logarithmic ? Math.log10(0.5) : 0;
    const texts = scale.logarithmic
      ? (values) => values.map((value) => (Number.isInteger(value) ? `1e${value}` : ""))
      : tickTexts;
    const y = valueAxis(root, area, floor, scaled(most) * (scale.logarithmic ? 1.02 : 1.05), texts);
    writeScales(root, x, y, area);
    for (const bar of bars) {
      const height = area.bottom - y(scaled(bar.count));
      if (bar.count > 0) root.append(svg("rect", {
        class: bar.kind, x: x(bar.from), width: Math.max(0.5, x(bar.to) - x(bar.from) - 0.5), y: area.bottom - height, height,
        "data-lower": bar.data.lower, "data-upper": bar.data.upper, "data-count": bar.count, "data-tip": bar.tip,
      }));
    }
    for (const line of lines) {
      const points = line.points.map(([place, value]) => `${x(place).toFixed(2)} ${y(Math.max(floor, scaled(value))).toFixed(2)}`);
      if (points.length > 0) root.append(svg("path", { class: "law", d: `M${points.join("L")}`, "data-series": line.name, "data-values": JSON.stringify(line.points.map(([, value]) => value)) }));
    }
    root.append(svg("line", { class: "axis", x1: area.left, x2: area.right, y1: area.bottom, y2: area.bottom }));
    const room = Math.max(1, Math.ceil((marks.length * 62) / (area.right - area.left)));
    const middle = Math.floor(marks.length / 2);
    marks.forEach(([place, text], number) => {
      root.append(svg("line", { class: "axis", x1: x(place), x2: x(place), y1: area.bottom, y2: area.bottom + 4 }));
      if ((number - middle) % room === 0) root.append(svg("text", { x: x(place), y: area.bottom + 16, "text-anchor": "middle" }, text));
    });
    if (above) root.append(svg("line", { class: "zero", x1: x(above.place), x2: x(above.place), y1: area.top, y2: area.bottom, "data-mean": above.value }),
      svg("text", { class: "name", x: x(above.place), y: 14, "text-anchor": "middle" }, above.text));
    root.append(svg("text", { x: (area.left + area.right) / 2, y: area.bottom + 38, "text-anchor": "middle" }, below));
    return root;
  });
}
