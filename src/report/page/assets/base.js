// Elements, numbers and the data of the page.

const SVG = "http://www.w3.org/2000/svg";

/** Sets attributes, listeners (functions) and properties of `data-…` of an element. */
function dress(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  return node;
}

/** Texts always become text nodes: no name from a file is ever read as HTML. */
function html(tag, attributes = {}, ...children) {
  const node = dress(document.createElement(tag), attributes);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function svg(tag, attributes = {}, ...children) {
  const node = dress(document.createElementNS(SVG, tag), attributes);
  node.append(...children);
  return node;
}

const data = JSON.parse(document.getElementById("data").textContent);

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** Four digits, in powers of ten where a number is very small or large. */
function short(value) {
  if (!isNumber(value)) return "not finite";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e5) return value.toExponential(2).replace("e+", "e");
  return value.toPrecision(4).replace(/^(-?\d+)\.?$/, "$1");
}

const signed = (value) => (value > 0 ? "+" : "") + short(value);
const count = (value) => (isNumber(value) ? value.toLocaleString("en-US") : "–");
const percent = (value) => (isNumber(value) ? `${value.toFixed(1)} %` : "–");
const maybe = (value, format = short) => (value === null || value === undefined ? "–" : format(value));
const sum = (values) => values.reduce((total, value) => (isNumber(value) ? total + value : total), 0);
const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
const signClass = (value) => (value < 0 ? "help" : value > 0 ? "hurt" : "nil");

/** Decodes base64 of little-endian 32-bit floats. */
function floats(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, place) => view.getFloat32(4 * place, true));
}

/** Returns the place of the last of ascending numbers that is not above a value; at least 0. */
function placeOf(ascending, value) {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** A heading within a question; below the run's name where there are several. */
const title = (...text) => html(data.runs.length > 1 ? "h4" : "h3", { class: "title" }, ...text);

/** A table that scrolls in its own frame; a cell is a text, a number or `{text, kind}`. */
function table(label, headings, rows) {
  const cell = (value) => {
    const { text, kind } = typeof value === "object" && value !== null ? value : { text: value };
    return html("td", { class: kind ?? (typeof text === "string" && !/^[-+–\d]/.test(text) ? "words" : null) }, String(text ?? "–"));
  };
  const head = headings.map((heading, column) => {
    const first = rows.length > 0 ? rows[0][column] : "";
    const words = typeof first === "string" ? !/^[-+–\d]/.test(first) : first?.kind?.startsWith("words");
    return html("th", { scope: "col", class: words ? "words" : null }, heading);
  });
  return html("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": label },
    html("table", {}, html("thead", {}, html("tr", {}, ...head)),
      html("tbody", {}, ...rows.map((row) => html("tr", {}, ...row.map(cell))))));
}

const words = (text) => ({ text, kind: "words" });
const lcaCell = (value) => ({ text: maybe(value, signed), kind: value < 0 ? "helps" : value > 0 ? "hurts" : null });

/** The table behind a figure, made when it is opened: it may have thousands of rows. */
function behind(label, headings, rows) {
  const box = html("details", { "data-table": label }, html("summary", {}, `Table: ${label}`));
  box.addEventListener("toggle", () => {
    if (box.open && box.childElementCount === 1) box.append(table(label, headings, rows()));
  });
  return box;
}

const note = (text) => html("p", { class: "quiet" }, text);

/** A row of buttons of which one is pressed. */
function choice(label, options, chosen, choose) {
  const group = html("span", { role: "group", "aria-label": label, class: "options" });
  for (const [value, text] of options) {
    const press = () => {
      for (const button of group.children) button.setAttribute("aria-pressed", String(button.dataset.value === value));
      choose(value);
    };
    group.append(html("button", { type: "button", "data-value": value, "aria-pressed": String(value === chosen), click: press }, text));
  }
  return group;
}

/** Shows what an element under the pointer, or one that is focused, says in its `data-tip`. */
function tips(plot, readout) {
  plot.addEventListener("pointerover", (event) => {
    const tip = event.target.closest?.("[data-tip]");
    if (tip) readout.textContent = tip.dataset.tip;
  });
}
