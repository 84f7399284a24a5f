// Heat maps, and dots over iterations.

/** The colour of a value on a scale to both sides of zero. */
function blend(value, full) {
  if (!isNumber(value)) return "var(--nan)";
  const part = full > 0 ? Math.min(1, Math.abs(value) / full) : 0;
  const end = value < 0 ? "var(--help)" : "var(--hurt)";
  return `color-mix(in srgb, ${end} ${(100 * part).toFixed(1)}%, var(--mid))`;
}

/** The percentile of the sizes of the values that are not zero. */
function percentile(values, part) {
  const sizes = values.filter((value) => isNumber(value) && value !== 0).map(Math.abs).sort((one, other) => one - other);
  return sizes.length > 0 ? sizes[Math.min(sizes.length - 1, Math.ceil(part * sizes.length) - 1)] : 0;
}

const scaleText = (full, part) => html("span", { class: "quiet" }, `${signed(-full)} `, html("span", { class: "scale" }), ` ${signed(full)}${part ? ` (full colour: ${part})` : ""}`);

/** Cells with names at rows and columns; `cells(row, column)` gives the value. */
function heatMap({ label, unit, rows, columns, value, options = [], together = comparable() }) {
  const all = () => rows.map((_, row) => columns.map((_, column) => value(row, column)));
  together.join(() => [0, percentile(all().flat(), 1)]);
  const key = html("p", { class: "legend" });
  return tipFigure(label, unit, [...options, key], (plot) => {
    const letters = Math.min(16, Math.max(3, ...rows.map((row) => row.length)));
    const height = rows.length > 40 ? 8 : 20;
    const left = letters * 6.6 + 12;
    const flat = Math.max(...columns.map((of) => of.length)) * 6.8 < (plot.clientWidth - left) / columns.length;
    const below = flat ? 22 : 74;
    const { root, area } = frame(plot, rows.length * height + below + 4, { left, right: 8, top: 4, bottom: below });
    const values = all();
    const [, full] = together.extent();
    key.replaceChildren(scaleText(full));
    const wide = (area.right - area.left) / columns.length;
    const step = Math.ceil(13 / wide);
    const [rowNames, columnNames] = [fitting(rows, letters), fitting(columns, 14)];
    rows.forEach((name, row) => {
      if (height > 10 || row % 5 === 0) root.append(svg("text", { class: "name", x: area.left - 8, y: area.top + row * height + height / 2 + 4, "text-anchor": "end" }, rowNames[row]));
      columns.forEach((of, column) => {
        const cell = values[row][column];
        root.append(svg("rect", {
          x: area.left + column * wide, y: area.top + row * height, width: Math.max(0.5, wide - 1), height: height - 1, style: `fill: ${blend(cell, full)}`,
          "data-row": name, "data-column": of, "data-value": cell, "data-tip": `${name} · ${of} · ${signed(cell)}`,
        }));
      });
    });
    columns.forEach((of, column) => {
      if (column % step !== 0) return;
      const [x, y] = [area.left + (column + 0.5) * wide, area.bottom + 12];
      root.append(svg("text", flat ? { class: "name", x, y: y + 2, "text-anchor": "middle" } : { class: "name", x, y, "text-anchor": "end", transform: `rotate(-40 ${x} ${y})` }, columnNames[column]));
    });
    return root;
  });
}

/** Sums of a curve in columns that begin at the edges; the last edge is behind the view. */
function columnSums(curve, edges) {
  const sums = new Array(edges.length - 1).fill(0);
  for (let place = 0; place < curve.x.length; place += 1) {
    if (curve.x[place] < view.from || curve.x[place] > view.to) continue;
    sums[Math.min(sums.length - 1, placeOf(edges, curve.x[place]))] += curve.y[place];
  }
  return sums;
}

/** Rows over iterations: `values(row)` gives `{x, y}`; summed in columns of the view. */
function timeMap({ label, unit, rows, values, options = [], together = comparable() }) {
  const key = html("p", { class: "legend" });
  const readout = html("p", { class: "readout", role: "status" });
  let shown = [];
  let edges = [];
  let each = 1;
  const said = (iteration) => {
    const column = Math.min(edges.length - 2, placeOf(edges, iteration));
    return rows.map((name, row) => `${name} ${signed(shown[row]?.[column] ?? 0)}`).join(", ");
  };
  const plot = timePlot(label, said);
  tips(plot, readout);
  const gather = () => {
    const curves = rows.map((_, row) => values(row));
    const wanted = Math.max(1, Math.floor(Math.min((plot.clientWidth || 600) / 6, 8000 / rows.length)));
    const times = curves.length > 0 ? curves[0].x.filter((iteration) => iteration >= view.from && iteration <= view.to) : [];
    each = Math.max(1, Math.ceil(times.length / wanted));
    edges = [...times.filter((_, place) => place % each === 0), view.to + 1];
    shown = curves.map((curve) => columnSums(curve, edges));
    return [0, percentile(shown.flat(), 0.99)];
  };
  together.join(gather);
  drawn(() => {
    const letters = Math.min(16, Math.max(3, ...rows.map((row) => row.length)));
    const height = Math.max(3, Math.min(18, 360 / rows.length));
    const { root, area } = frame(plot, rows.length * height + 42, { left: letters * 6.6 + 12, right: 12, top: 4, bottom: 38 });
    const x = timeAxis(root, area);
    writeScales(root, x, linear(0, rows.length, area.top, area.bottom), area);
    const [, full] = together.extent();
    key.replaceChildren(scaleText(full, data.runs.length > 1 ? "99th percentile, the greatest of all runs" : "99th percentile"), html("span", { class: "quiet" }, each === 1 ? "one column a recorded step" : `one column: the sum of ${each} recorded steps`));
    const [from, to] = spanInView();
    const names = fitting(rows, letters);
    rows.forEach((name, row) => {
      if (height >= 11 || row % Math.ceil(12 / height) === 0) root.append(svg("text", { class: "name", x: area.left - 8, y: area.top + (row + 0.5) * height + 4, "text-anchor": "end" }, names[row]));
      shown[row].forEach((value, column) => {
        const [start, end] = [x(Math.max(from, edges[column] - 0.5)), x(Math.min(to, edges[column + 1] - 0.5))];
        const span = edges[column + 1] - edges[column] > 1 ? `${edges[column]} to ${edges[column + 1] - 1}` : `${edges[column]}`;
        root.append(svg("rect", {
          x: start, width: Math.max(0.3, end - start), y: area.top + row * height, height: Math.max(1, height - 0.5), style: `fill: ${blend(value, full)}`,
          "data-row": name, "data-iteration": edges[column], "data-value": value, "data-tip": `${name} · iteration ${span} · ${signed(value)}`,
        }));
      });
    });
    plot.replaceChildren(root);
  });
  return html("figure", { "data-chart": label }, html("figcaption", {}, label, " ", html("span", { class: "unit" }, `(${unit})`)), ...options, key, plot, readout);
}

/** Dots by row over iterations, in `groups()` of rows; `moments()` are marked across all. */
function dots({ label, groups, moments }) {
  const readout = html("p", { class: "readout", role: "status" });
  const plot = timePlot(label, (iteration) => {
    const there = groups().flatMap((group) => group.rows.flatMap((row) => row.dots.filter((dot) => dot.x === iteration).map(() => `${group.name} ${row.name}`)));
    return there.length > 0 ? `peaks of ${there.join(", ")}` : "no peak";
  });
  tips(plot, readout);
  drawn(() => {
    const shown = groups();
    const lines = sum(shown.map((group) => group.rows.length));
    const height = lines > 0 ? Math.max(2.5, Math.min(16, 420 / lines)) : 16;
    const gap = 8;
    const letters = Math.min(16, Math.max(3, ...shown.map((group) => group.name.length)));
    const { root, area } = frame(plot, lines * height + shown.length * gap + 42, { left: letters * 6.6 + 12, right: 12, top: 4, bottom: 38 });
    const x = timeAxis(root, area);
    writeScales(root, x, linear(0, 1, area.bottom, area.top), area);
    const isShown = (iteration) => iteration >= view.from && iteration <= view.to;
    for (const moment of moments().filter((moment) => isShown(moment.x))) {
      root.append(svg("line", { class: "moment", x1: x(moment.x), x2: x(moment.x), y1: area.top, y2: area.bottom, "data-moment": moment.x, "data-tip": moment.tip }));
    }
    let top = area.top;
    const names = fitting(shown.map((group) => group.name), letters);
    shown.forEach((group, number) => {
      const tall = group.rows.length * height;
      root.append(svg("text", { class: "name", x: area.left - 8, y: top + tall / 2 + 4, "text-anchor": "end" }, names[number], svg("title", {}, group.name)),
        svg("line", { class: "grid", x1: area.left, x2: area.right, y1: top + tall + gap / 2, y2: top + tall + gap / 2 }));
      group.rows.forEach((row, place) => {
        for (const dot of row.dots.filter((dot) => isShown(dot.x))) {
          root.append(svg("circle", {
            cx: x(dot.x), cy: top + (place + 0.5) * height, r: Math.max(1.6, Math.min(4, height / 2)), fill: look(number).colour,
            "data-layer": group.name, "data-class": row.class ?? "", "data-iteration": dot.x, "data-value": dot.value, "data-height": dot.height, "data-tip": dot.tip,
          }));
        }
      });
      top += tall + gap;
    });
    plot.replaceChildren(root);
  });
  return html("figure", { "data-chart": label }, html("figcaption", {}, label), plot, readout);
}
