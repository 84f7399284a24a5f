// What is in view and was chosen, in the address of the page: a reload and a link keep it.

import { find } from "./dom.js";
import { flippedLayers, isAllInView, view } from "./view.js";

/** Milliseconds between changes of the address; browsers refuse more than some twenty a second. */
const ADDRESS_PAUSE = 200;

/** What the address calls the fields of `view`; all other names are those of choices. */
const FIELDS = ["from", "to", "probe", "class", "layers", "theme", "palette"];

/** The section that a link went to. */
let section = "";

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

function fragment() {
  const { theme, palette } = document.documentElement.dataset;
  const found = new URLSearchParams();
  const put = (/** @type {string} */ name, /** @type {string | number | undefined} */ value) => {
    if (value !== undefined && value !== "") found.set(name, String(value));
  };
  if (!isAllInView()) {
    put("from", view.from);
    put("to", view.to);
  }
  put("probe", view.probe === view.probeAtFirst ? "" : view.probe);
  put("class", view.class);
  for (const layer of flippedLayers()) found.append("layers", layer);
  put("theme", theme);
  put("palette", palette);
  for (const [name, value] of view.choices) put(name, value);
  return [section, found.toString()].filter(Boolean).join("&");
}

function write() {
  timer = undefined;
  const found = fragment();
  if (found !== location.hash.slice(1)) {
    history.replaceState(
      null,
      "",
      found === "" ? location.pathname + location.search : `#${found}`,
    );
  }
}

/** Has the address follow what is in view; soon, not at once. */
export function writeAddress() {
  if (timer === undefined) timer = setTimeout(write, ADDRESS_PAUSE);
}

/**
 * A whole number of the address; null where it has none.
 * @param {URLSearchParams} found
 * @param {string} name
 */
function wholeNumber(found, name) {
  const text = found.get(name) ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** @param {string} id */
const isSection = (id) => document.getElementById(id)?.tagName === "SECTION";

/** Takes what is in view from the address. */
export function readAddress() {
  const found = new URLSearchParams(location.hash.slice(1));
  section = [...found.keys()].find(isSection) ?? "";
  const [from, to] = [wholeNumber(found, "from"), wholeNumber(found, "to")];
  if (from !== null && to !== null && from <= to) Object.assign(view, { from, to });
  view.probe = found.get("probe") ?? "";
  view.class = found.get("class") ?? "";
  view.flipAtFirst = found.getAll("layers");
  const root = document.documentElement.dataset;
  const [theme, palette] = [found.get("theme"), found.get("palette")];
  if (theme === "light" || theme === "dark") root.theme = theme;
  if (palette === "blue" || palette === "green") root.palette = palette;
  for (const [name, value] of found) {
    if (value !== "" && !FIELDS.includes(name)) view.choices.set(name, value);
  }
}

/** Goes to the section of the address, once it is there; after a reload the browser does. */
export function goToSection() {
  const [entry] = performance.getEntriesByType("navigation");
  const isReload = entry instanceof PerformanceNavigationTiming && entry.type === "reload";
  if (section !== "" && !isReload) find(`#${section}`).scrollIntoView();
}

/** A link within the page keeps what is in view; another address is another view. */
export function watchAddress() {
  addEventListener("hashchange", () => {
    const id = location.hash.slice(1);
    if (id.includes("=")) {
      if (id !== fragment()) location.reload();
      return;
    }
    section = isSection(id) ? id : "";
    writeAddress();
  });
}
