// Elements of the page.

/**
 * @typedef {string | number | boolean | null | undefined | ((event: any) => void)} Attribute
 * @typedef {Node | string | null | undefined} Child
 */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Sets attributes, and listeners where the value is a function.
 * @template {Element} E
 * @param {E} node
 * @param {Record<string, Attribute>} attributes
 */
export function dress(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  return node;
}

/**
 * Texts always become text nodes: no name from a file is ever read as HTML.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, Attribute>} attributes
 * @param {Child[]} children
 */
export function html(tag, attributes = {}, ...children) {
  const node = dress(document.createElement(tag), attributes);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, Attribute>} attributes
 * @param {(Node | string)[]} children
 */
export function svg(tag, attributes = {}, ...children) {
  const node = dress(document.createElementNS(SVG, tag), attributes);
  node.append(...children);
  return node;
}

/**
 * The element that has an id, or the place of a figure.
 * @param {string} selector
 */
export function find(selector) {
  const found = document.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no ${selector}`);
  return found;
}

/**
 * Red, green and blue of a colour of the style sheet.
 * @param {string} name
 */
export function rgb(name) {
  const probe = html("span", { style: `color: var(${name})` });
  document.body.append(probe);
  const channels = getComputedStyle(probe).color.match(/\d+/g) ?? [];
  probe.remove();
  return channels.slice(0, 3).map(Number);
}

/** @param {string} name */
export const placeOfFigure = (name) => find(`[data-figure="${name}"]`);

/** Numbers that a line could end within. */
const EXPONENT = /([+-]?[\d.]+e-\d+)/;

/**
 * A text in which what stands between backticks is code, and no line ends within a number or before
 * its percent sign.
 * @param {string} text
 */
export const coded = (text) =>
  text.split("`").flatMap((part, place) =>
    place % 2 === 1
      ? [html("code", {}, part)]
      : part
          .replaceAll(" %", "\u00a0%")
          .split(EXPONENT)
          .map((bit, at) => (at % 2 === 1 ? html("span", { class: "number" }, bit) : bit)),
  );

/** @param {string} text */
export const note = (text) => html("p", { class: "quiet" }, ...coded(text));

/**
 * Says why there is no figure.
 * @param {string} text
 */
export const absent = (text) => html("p", { class: "quiet", "data-missing": text }, ...coded(text));

/**
 * A row of buttons of which one is pressed.
 * @template {string} T
 * @param {string} label
 * @param {[T, string][]} options
 * @param {T} chosen
 * @param {(value: T) => void} choose
 */
export function choice(label, options, chosen, choose) {
  const group = html("span", { role: "group", "aria-label": label, class: "options" });
  const buttons = options.map(([value, text]) => {
    const press = () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      choose(value);
    };
    const pressed = String(value === chosen);
    const button = html(
      "button",
      { type: "button", "data-value": value, "aria-pressed": pressed, click: press },
      text,
    );
    return button;
  });
  group.append(...buttons);
  return group;
}
