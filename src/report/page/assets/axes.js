// Scales and axes.

/** Round numbers in a range, at most about so many. */
function ticks(from, to, most, whole = false) {
  const width = to - from;
  if (!(width > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(width / most));
  let step = power * [1, 2, 2.5, 5, 10].find((factor) => width / (factor * power) <= most + 0.2);
  if (whole) step = Math.max(1, Math.round(step));
  const found = [];
  // −0 would be shown with its sign.
  for (let place = Math.ceil(from / step - 1e-9); place * step <= to + step * 1e-9; place += 1) found.push(place * step + 0);
  // One mark says nothing of the scale.
  return found.length < 2 && most < 8 && !whole ? ticks(from, to, most + 1) : found;
}

/** Labels of ticks with as many decimals as tell them apart. */
function tickTexts(values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : Math.abs(values[0]) || 1;
  const greatest = Math.max(...values.map(Math.abs));
  if (greatest >= 1e4 && greatest < 1e9 && values.every(Number.isInteger)) return values.map((value) => value.toLocaleString("en-US"));
  if (greatest >= 1e5 || (greatest > 0 && greatest < 1e-3)) {
    const digits = Math.max(0, Math.floor(Math.log10(greatest)) - Math.floor(Math.log10(step) + 1e-9));
    const finer = Math.abs(step / 10 ** Math.floor(Math.log10(step) + 1e-9) - 2.5) < 1e-6 ? 1 : 0;
    return values.map((value) => (value === 0 ? "0" : value.toExponential(digits + finer).replace("e+", "e")));
  }
  let decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals += 1;
  return values.map((value) => (Math.abs(value) < step * 1e-9 ? "0" : value.toFixed(decimals)));
}

/** A linear scale from values to pixels. */
function linear(from, to, start, end) {
  const scale = (value) => start + ((value - from) / (to - from || 1)) * (end - start);
  scale.invert = (pixel) => from + ((pixel - start) / (end - start || 1)) * (to - from);
  scale.domain = [from, to];
  return scale;
}

/** Widens a range so that marks don't touch the frame; a range of nothing gets a width. */
function widened(low, high) {
  if (!(low <= high)) return [-1, 1];
  if (low === high) {
    const by = Math.abs(low) * 0.1 || 1;
    return [low - by, high + by];
  }
  const by = (high - low) * 0.05;
  return [low === 0 ? 0 : low - by, high === 0 ? 0 : high + by];
}

/** The plot's frame, its scales written on it, so that marks can be read back. */
function frame(host, height, margin) {
  const width = Math.max(220, Math.round(host.clientWidth || 600));
  const area = { width, height, left: margin.left, right: width - margin.right, top: margin.top, bottom: height - margin.bottom };
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  return { root, area };
}

function writeScales(root, x, y, area) {
  Object.assign(root.dataset, {
    x0: x.domain[0], x1: x.domain[1], left: area.left, right: area.right,
    y0: y.domain[0], y1: y.domain[1], top: area.top, bottom: area.bottom,
  });
}

/** Iterations below the plot. */
function timeAxis(root, area) {
  const [from, to] = spanInView();
  const x = linear(from, to, area.left, area.right);
  const marks = ticks(from, to, Math.max(2, Math.floor((area.right - area.left) / 70)), true).filter(Number.isInteger);
  for (const mark of marks) {
    root.append(svg("line", { class: "axis", x1: x(mark), x2: x(mark), y1: area.bottom, y2: area.bottom + 4 }),
      svg("text", { x: x(mark), y: area.bottom + 16, "text-anchor": "middle" }, String(mark)));
  }
  root.append(svg("line", { class: "axis", x1: area.left, x2: area.right, y1: area.bottom, y2: area.bottom }),
    svg("text", { x: area.right, y: area.bottom + 30, "text-anchor": "end" }, "iteration"));
  return x;
}

/** Values left of the plot, with a grid. */
function valueAxis(root, area, low, high, format = tickTexts) {
  const y = linear(low, high, area.bottom, area.top);
  const marks = ticks(low, high, Math.max(3, Math.floor((area.bottom - area.top) / 32)));
  format(marks).forEach((text, place) => {
    const at = y(marks[place]);
    root.append(svg("line", { class: marks[place] === 0 ? "zero" : "grid", x1: area.left, x2: area.right, y1: at, y2: at }),
      svg("text", { x: area.left - 6, y: at + 4, "text-anchor": "end" }, text));
  });
  return y;
}
