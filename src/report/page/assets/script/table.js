// Tables, and the tables behind figures.

import { kept } from "./choices.js";
import { html } from "./dom.js";
import { maybe, signed } from "./format.js";

/**
 * A cell is a text, a number, or a text with a style.
 * @typedef {string | number | null | { text: string, kind: string | null }} Cell
 */

/** @param {string} text */
const isWords = (text) => !/^[-+–\d]/.test(text);

/** @param {Cell} cell */
function styled(cell) {
  if (typeof cell === "object" && cell !== null) return cell;
  const text = String(cell ?? "–");
  return { text, kind: typeof cell === "string" && isWords(text) ? "words" : null };
}

/**
 * A table that scrolls in its own frame.
 * @param {string} label
 * @param {string[]} headings
 * @param {Cell[][]} rows
 */
export function table(label, headings, rows) {
  const cells = rows.map((row) => row.map(styled));
  const head = headings.map((heading, column) => {
    const isText = cells[0]?.[column]?.kind?.startsWith("words");
    return html("th", { scope: "col", class: isText ? "words" : null }, heading);
  });
  const body = cells.map((row) =>
    html("tr", {}, ...row.map(({ text, kind }) => html("td", { class: kind }, text))),
  );
  return html(
    "div",
    { class: "scroll", tabindex: 0, role: "group", "aria-label": label },
    html("table", {}, html("thead", {}, html("tr", {}, ...head)), html("tbody", {}, ...body)),
  );
}

/** @param {string} text */
export const words = (text) => ({ text, kind: "words" });

/**
 * An amount of LCA, in the colour of its sign.
 * @param {number | null | undefined} value
 */
export function lcaCell(value) {
  const sign = Math.sign(value ?? 0);
  return { text: maybe(value, signed), kind: sign < 0 ? "helps" : sign > 0 ? "hurts" : null };
}

/**
 * The table behind a figure, made when it is opened: it may have thousands of rows.
 * @param {string} label
 * @param {string[]} headings
 * @param {() => Cell[][]} rows
 */
export function behind(label, headings, rows) {
  const summary = html("summary", {}, `Table: ${label}`);
  const box = html("details", { "data-table": label }, summary);
  const { value, choose } = kept(`table of ${label}`, "closed");
  const fill = () => {
    if (box.childElementCount === 1) box.append(table(label, headings, rows()));
  };
  box.open = value() === "open";
  if (box.open) fill();
  box.addEventListener("toggle", () => {
    choose(box.open ? "open" : "closed");
    if (box.open) fill();
  });
  return box;
}
