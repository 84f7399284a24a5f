// Figures as files: the numbers of their marks, and their picture.

import { html } from "../dom.js";

/** Attributes of marks that are numbers and names, in the order of their columns. */
const COLUMNS = ["name", "of", "row", "column", "layer", "class", "lower", "upper", "moment"];
const LAST = ["iteration", "last", "value", "low", "high", "height", "count"];

/** Properties that the style sheet gives to marks. */
const STYLE = ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size"];

/** Pixels of a picture to one of the screen. */
const FINE = 2;

/** @param {string | undefined} text */
const quoted = (text = "") => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** @param {(string | undefined)[][]} rows */
export const csv = (rows) => rows.map((row) => `${row.map(quoted).join(",")}\r\n`).join("");

/**
 * The numbers of a figure's curves, by iteration, or else of its marks.
 * @param {HTMLElement} chart
 */
export function csvOf(chart) {
  const curves = [...chart.querySelectorAll("path[data-iterations]")].map((path) => ({
    name: path.getAttribute("data-series") ?? "",
    iterations: /** @type {number[]} */ (JSON.parse(path.getAttribute("data-iterations") ?? "[]")),
    values: /** @type {(number | null)[]} */ (JSON.parse(path.getAttribute("data-values") ?? "[]")),
  }));
  if (curves.length > 0) {
    const rows = curves.flatMap(({ name, iterations, values }) =>
      iterations.map((at, place) => [name, String(at), String(values[place] ?? "")]),
    );
    return csv([["curve", "iteration", "value"], ...rows]);
  }
  const marks = [...chart.querySelectorAll("svg [data-value], svg [data-count], svg [data-moment]")]
    .filter((mark) => mark instanceof SVGElement)
    .map(({ dataset }) => dataset);
  const named = [...COLUMNS, ...LAST].filter((name) => marks.some((mark) => mark[name]));
  return csv([named, ...marks.map((mark) => named.map((name) => mark[name]))]);
}

/**
 * A figure's picture that needs no style sheet.
 * @param {SVGSVGElement} picture
 */
function standalone(picture) {
  const copy = /** @type {SVGSVGElement} */ (picture.cloneNode(true));
  const [marks, copies] = [picture, copy].map((root) => [root, ...root.querySelectorAll("*")]);
  for (const [place, mark] of marks.entries()) {
    const style = getComputedStyle(mark);
    for (const name of STYLE) copies[place].setAttribute(name, style.getPropertyValue(name));
    copies[place].removeAttribute("style");
  }
  const { width, height } = picture.viewBox.baseVal;
  const { fontFamily } = getComputedStyle(picture);
  for (const [name, value] of Object.entries({ width, height, "font-family": fontFamily })) {
    copy.setAttribute(name, String(value));
  }
  copy.querySelector(".cursor")?.remove();
  const back = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const fill = getComputedStyle(document.body).backgroundColor;
  for (const [name, value] of Object.entries({ width, height, fill })) {
    back.setAttribute(name, String(value));
  }
  copy.prepend(back);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

/**
 * @param {string} name
 * @param {Blob | null} content
 */
export function download(name, content) {
  if (content === null) return;
  const address = URL.createObjectURL(content);
  html("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/**
 * The picture in pixels.
 * @param {SVGSVGElement} picture
 * @param {(content: Blob | null) => void} done
 */
function inPixels(picture, done) {
  const { text, width, height } = standalone(picture);
  const image = new Image();
  image.addEventListener("load", () => {
    const canvas = html("canvas", { width: FINE * width, height: FINE * height });
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(done);
  });
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

/**
 * Buttons that save a figure, behind a word.
 * @param {string} label
 * @param {() => HTMLElement} chart
 */
export function saving(label, chart) {
  const file = (/** @type {string} */ ending) => {
    const run = chart().closest("[data-run]")?.getAttribute("data-run") ?? "";
    const name = `${run} ${label}`.trim().replaceAll(/[^\p{L}\p{N}]+/gu, "-");
    return `${name}.${ending}`;
  };
  const picture = () => {
    const found = chart().querySelector(".plot > svg, .plain > svg");
    return found instanceof SVGSVGElement ? found : null;
  };
  /** @type {[string, () => void][]} */
  const kinds = [
    ["CSV", () => download(file("csv"), new Blob([csvOf(chart())], { type: "text/csv" }))],
    [
      "SVG",
      () => {
        const found = picture();
        if (!found) return;
        download(file("svg"), new Blob([standalone(found).text], { type: "image/svg+xml" }));
      },
    ],
    [
      "PNG",
      () => {
        const found = picture();
        if (found) inPixels(found, (content) => download(file("png"), content));
      },
    ],
  ];
  return saveMenu(label, kinds);
}

/**
 * @param {string} label
 * @param {[string, () => void][]} kinds
 */
export function saveMenu(label, kinds) {
  const buttons = kinds.map(([kind, save]) =>
    html("button", { type: "button", "aria-label": `${label} as ${kind}`, click: save }, kind),
  );
  const word = html("summary", { "aria-label": `Save: ${label}` }, "Save");
  return html("details", { class: "save" }, word, html("span", { class: "options" }, ...buttons));
}
