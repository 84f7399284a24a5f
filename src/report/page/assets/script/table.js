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
  const body = cells.map((row) =>
    html("tr", {}, ...row.map(({ text, kind }) => html("td", { class: kind }, text))),
  );
  const tbody = html("tbody", {}, ...body);
  const head = headings.map((heading, column) => {
    const isText = cells[0]?.[column]?.kind?.startsWith("words");
    const keys = () => cells.map((row) => sortKey(row[column].text));
    const sort = () => tbody.replaceChildren(...sorted(th, body, keys()));
    const button = html("button", { type: "button", class: "sort", click: sort }, heading);
    const th = html("th", { scope: "col", class: isText ? "words" : null }, button);
    return th;
  });
  return html(
    "div",
    { class: "scroll", tabindex: 0, role: "group", "aria-label": label },
    html("table", {}, html("thead", {}, html("tr", {}, ...head)), tbody),
  );
}

/**
 * What a cell is sorted by: its number, if it begins with one.
 * @param {string} text
 */
function sortKey(text) {
  const number = Number.parseFloat(text.replaceAll(",", ""));
  return Number.isNaN(number) ? text : number;
}

/**
 * Rows by one of their columns, the least first; the other way round if they are so already. What
 * is no number comes last.
 * @param {HTMLElement} th
 * @param {HTMLElement[]} rows
 * @param {(string | number)[]} keys
 */
function sorted(th, rows, keys) {
  const isDown = th.getAttribute("aria-sort") === "ascending";
  for (const other of th.parentElement?.children ?? []) other.removeAttribute("aria-sort");
  th.setAttribute("aria-sort", isDown ? "descending" : "ascending");
  const sign = isDown ? -1 : 1;
  const order = rows.map((_, place) => place);
  order.sort((a, b) => {
    const [one, other] = [keys[a], keys[b]];
    if (typeof one === "number" && typeof other === "number") return sign * (one - other);
    if (typeof one === "string" && typeof other === "string") {
      return sign * one.localeCompare(other, "en", { numeric: true });
    }
    return typeof one === "number" ? -1 : 1;
  });
  return order.map((place) => rows[place]);
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
