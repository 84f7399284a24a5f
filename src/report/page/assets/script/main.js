// Puts the page together.

import { data } from "./data.js";
import { dress, find, html } from "./dom.js";
import { plural } from "./format.js";
import { microscope } from "./microscope/microscope.js";
import { candidates } from "./questions/candidates.js";
import { classes } from "./questions/classes.js";
import { distribution } from "./questions/distribution.js";
import { grounded } from "./questions/grounded.js";
import { heroes } from "./questions/heroes.js";
import { layers } from "./questions/layers.js";
import { noise } from "./questions/noise.js";
import { sync } from "./questions/sync.js";
import { validation } from "./questions/validation.js";
import { classNames, drawn, pointed, redraw, redrawNow, setRange, view } from "./view.js";

function about() {
  const lines = data.runs.map(({ name, summary, tensors, state }) => {
    const { parameters, steps, first_iteration, last_iteration } = summary;
    const size = `${plural(parameters, "parameter")} in ${plural(tensors, "tensor")}`;
    const range = `iterations ${first_iteration} to ${last_iteration}`;
    return `${name}: ${size}, ${plural(steps, "observed step")} (${range}), ${state}.`;
  });
  find("#about").textContent = lines.join("\n");
  document.title = `${data.runs.map((run) => run.name).join(", ")} · burn-lca report`;
  find("#notes").append(...data.notes.map((text) => html("li", {}, text)));
}

/** The questions, as links and as names of their sections. */
function contents() {
  for (const section of document.querySelectorAll("main section")) {
    const heading = section.querySelector("h2");
    if (heading === null) continue;
    heading.id = `${section.id}-title`;
    section.setAttribute("aria-labelledby", heading.id);
    const link = html("a", { href: `#${section.id}` }, heading.textContent);
    find("#contents").append(html("li", {}, link));
  }
}

/**
 * A selection in the toolbar; hidden where there is nothing to choose.
 * @param {string} id
 * @param {Map<string, string>} options value to text
 * @param {(value: string) => void} choose
 */
function selection(id, options, choose) {
  const change = () => {
    choose(select.value);
    redraw();
  };
  const entries = Array.from(options, ([value, text]) => html("option", { value }, text));
  const select = html("select", { id, change }, ...entries);
  find(`#${id}-tool`).append(select);
  find(`#${id}-tool`).hidden = options.size < 2;
}

/**
 * The field of a number in the toolbar.
 * @param {string} id
 */
function field(id) {
  const found = find(`#${id}`);
  if (!(found instanceof HTMLInputElement)) throw new Error(`#${id} is no field`);
  return dress(found, { min: view.first, max: view.last });
}

function range() {
  const [from, to] = [field("from"), field("to")];
  const show = () => {
    from.value = String(view.from);
    to.value = String(view.to);
  };
  const change = () => {
    if (from.value === "" || to.value === "") return;
    setRange(Number(from.value), Number(to.value));
    show();
  };
  dress(from, { change });
  dress(to, { change });
  dress(find("#reset"), { click: () => setRange(view.first, view.last) });
  // Drawing comes a frame later than the change: what is being typed by then stays.
  drawn(() => {
    if (document.activeElement !== from && document.activeElement !== to) show();
  });
  pointed(() => {
    find("#cursor").textContent = String(view.cursor ?? "–");
  });
}

function colours() {
  const root = document.documentElement;
  const preference = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (preference.matches ? "dark" : "light")) === "dark";
  const theme = find("#theme");
  const changed = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    redraw();
  };
  const other = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    changed();
  };
  dress(theme, { click: other });
  preference.addEventListener("change", changed);
  changed();
  const palette = find("#palette");
  const repaint = () => {
    const isBlue = root.dataset.palette !== "blue";
    root.dataset.palette = isBlue ? "blue" : "green";
    palette.setAttribute("aria-pressed", String(isBlue));
    redraw();
  };
  dress(palette, { click: repaint });
}

function toolbar() {
  const probes = new Set(data.runs.flatMap((run) => run.probes));
  selection("probe", new Map(Array.from(probes, (name) => [name, name])), (probe) => {
    view.probe = probe;
  });
  selection("class", new Map([["", "all"], ...classNames]), (chosen) => {
    view.class = chosen;
  });
  range();
  colours();
}

/** Draws anew for paper, and where the window has another width. */
function watchWidth() {
  matchMedia("print").addEventListener("change", redrawNow);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    redraw();
  });
}

about();
contents();
toolbar();
for (const question of [
  grounded,
  noise,
  layers,
  heroes,
  distribution,
  sync,
  classes,
  validation,
  candidates,
  microscope,
]) {
  question();
}
redrawNow();
watchWidth();
document.documentElement.dataset.ready = "true";
