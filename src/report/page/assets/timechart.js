// Curves over iterations, with the shared range and cursor.

/** Makes a plot over time: keys, dragging, cursor. `values` says what is at an iteration. */
function timePlot(label, values) {
  const plot = html("div", {
    class: "plot", tabindex: 0, role: "slider", "aria-label": `${label}: cursor over iterations`, "aria-description": KEYS,
    keydown: timeKeys,
  });
  let anchor = null;
  let brush = null;
  const iterationAt = (event) => {
    const root = plot.querySelector("svg");
    const box = root.getBoundingClientRect();
    const scale = root.viewBox.baseVal.width / box.width;
    const [left, right] = [Number(root.dataset.left), Number(root.dataset.right)];
    const part = ((event.clientX - box.left) * scale - left) / (right - left);
    const [from, to] = spanInView();
    return from + Math.max(0, Math.min(1, part)) * (to - from);
  };
  plot.addEventListener("pointerdown", (event) => {
    if (event.button === 0) anchor = { iteration: iterationAt(event), x: event.clientX };
  });
  plot.addEventListener("pointermove", (event) => {
    const iteration = iterationAt(event);
    setCursor(iteration);
    if (!anchor || Math.abs(event.clientX - anchor.x) < 6) return;
    if (!brush) {
      brush = svg("rect", { class: "brush" });
      plot.querySelector("svg").append(brush);
      plot.setPointerCapture(event.pointerId);
    }
    const { left, right, top, bottom } = plot.querySelector("svg").dataset;
    const x = linear(...spanInView(), Number(left), Number(right));
    const [low, high] = [Math.min(anchor.iteration, iteration), Math.max(anchor.iteration, iteration)];
    dress(brush, { x: x(low), width: x(high) - x(low), y: top, height: bottom - top });
  });
  const release = (event) => {
    if (brush) {
      brush.remove();
      const iteration = iterationAt(event);
      if (event.type === "pointerup" && Math.abs(iteration - anchor.iteration) >= 1) setRange(anchor.iteration, iteration);
    }
    [anchor, brush] = [null, null];
  };
  plot.addEventListener("pointerup", release);
  plot.addEventListener("pointercancel", release);
  plot.addEventListener("dblclick", () => setRange(view.first, view.last));
  pointed(() => {
    const root = plot.querySelector("svg");
    if (!root) return;
    const at = view.cursor ?? view.to;
    dress(plot, { "aria-valuemin": view.from, "aria-valuemax": view.to, "aria-valuenow": at, "aria-valuetext": `iteration ${at}: ${values(at)}` });
    root.querySelector(".cursor")?.remove();
    if (view.cursor === null) return;
    const { left, right, top, bottom } = root.dataset;
    const x = linear(...spanInView(), Number(left), Number(right))(view.cursor);
    root.append(svg("line", { class: "cursor", x1: x, x2: x, y1: top, y2: bottom }));
  });
  return plot;
}

const WAYS = ["", "6 3", "2 3", "8 3 2 3"];

/** The look of the n-th curve: colours come again with another dash. */
const look = (place) => ({ colour: `var(--c${place % 8})`, dash: WAYS[Math.floor(place / 8) % 4] });

/** Charts that are to be compared share the range of their values. */
function comparable() {
  const charts = [];
  return {
    join: (extent) => charts.push(extent),
    extent: () => {
      const all = charts.map((extent) => extent()).filter(([low, high]) => low <= high);
      return [Math.min(...all.map(([low]) => low)), Math.max(...all.map(([, high]) => high))];
    },
  };
}

/**
 * A figure of curves. `curves()` gives `{name, x, y, colour, dash, thin, layer}`, where a layer's
 * curve can be left out in all figures at once.
 */
function timeChart({ label, unit, curves, options = [], height = 220, together = comparable(), zero = false, digits = short }) {
  const legend = html("div", { class: "legend" });
  let found = [];
  const valueAt = (curve, iteration) => curve.y[placeOf(curve.x, iteration)];
  const said = (iteration) => found.filter(visible).map((curve) => `${curve.name} ${digits(valueAt(curve, iteration))}`).join(", ");
  const plot = timePlot(label, said);
  const figure = html("figure", { "data-chart": label },
    html("figcaption", {}, label, " ", html("span", { class: "unit" }, unit ? `(${unit})` : "")), ...options, legend, plot);
  const visible = (curve) => curve.layer === undefined || !view.hidden.has(curve.layer);
  together.join(() => {
    let [low, high] = zero ? [0, 0] : [Infinity, -Infinity];
    for (const curve of curves().filter(visible)) {
      const last = placeOf(curve.x, view.to);
      for (let place = placeOf(curve.x, view.from); place <= last; place += 1) {
        const value = curve.y[place];
        if (!isNumber(value)) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    return [low, high];
  });
  drawn(() => {
    found = curves();
    const { root, area } = frame(plot, height, { left: 64, right: 12, top: 8, bottom: 34 });
    const [low, high] = widened(...together.extent());
    const y = valueAxis(root, area, low, high);
    const x = timeAxis(root, area);
    writeScales(root, x, y, area);
    for (const curve of found.filter(visible)) {
      root.append(svg("path", {
        class: "curve", d: path(curve, x, y), stroke: curve.colour, "stroke-dasharray": curve.dash || null,
        "stroke-width": curve.thin ? 1 : null, opacity: curve.thin ? 0.45 : null,
        "data-series": curve.name, "data-iterations": JSON.stringify(Array.from(curve.x)), "data-values": JSON.stringify(Array.from(curve.y)),
      }));
    }
    if (!found.some((curve) => curve.y.some(isNumber))) root.append(svg("text", { x: area.left + 8, y: area.top + 20 }, "no finite values"));
    plot.replaceChildren(root);
    key();
  });
  const key = () => {
    legend.replaceChildren(...found.map((curve) => {
      const sample = svg("svg", { viewBox: "0 0 22 10", "aria-hidden": "true" },
        svg("line", { x1: 0, x2: 22, y1: 5, y2: 5, stroke: curve.colour, "stroke-width": curve.thin ? 1 : 2.5, "stroke-dasharray": curve.dash || null }));
      const parts = [sample, html("span", {}, curve.name), html("span", { class: "value", "data-value-of": curve.name })];
      if (curve.layer === undefined) return html("span", { class: "key" }, ...parts);
      const toggle = () => {
        if (!view.hidden.delete(curve.layer)) view.hidden.add(curve.layer);
        redrawNow();
        legend.querySelectorAll("button").forEach((button) => button.dataset.layer === curve.layer && button.focus());
      };
      return html("button", { type: "button", "data-layer": curve.layer, "aria-pressed": String(visible(curve)), click: toggle }, ...parts);
    }));
  };
  pointed(() => {
    legend.querySelectorAll("[data-value-of]").forEach((place) => {
      const curve = found.find((curve) => curve.name === place.dataset.valueOf);
      place.textContent = view.cursor === null || !curve ? "" : digits(valueAt(curve, view.cursor));
    });
  });
  return figure;
}

/** The line through a curve's points in view; of very many the least and greatest a pixel. */
function path(curve, x, y) {
  const first = Math.max(0, placeOf(curve.x, view.from) - 1);
  const last = Math.min(curve.x.length - 1, placeOf(curve.x, view.to) + 1);
  const [from, to] = x.domain;
  const points = [];
  for (let place = first; place <= last; place += 1) {
    if (curve.x[place] >= from && curve.x[place] <= to) points.push(isNumber(curve.y[place]) ? [x(curve.x[place]), y(curve.y[place])] : null);
  }
  const shown = points.length > 2000 ? thinned(points) : points;
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

function thinned(points) {
  const columns = new Map();
  for (const point of points.filter((point) => point !== null)) {
    const column = Math.round(point[0]);
    const known = columns.get(column);
    if (!known) columns.set(column, [point, point]);
    else if (point[1] < known[0][1]) known[0] = point;
    else if (point[1] > known[1][1]) known[1] = point;
  }
  return [...columns.values()].flatMap(([one, other]) => (one === other ? [one] : one[0] < other[0] ? [one, other] : [other, one]));
}
