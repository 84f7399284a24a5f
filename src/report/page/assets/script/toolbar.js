// The controls of all figures.

import { writeAddress } from "./address.js";
import { data, firstRun } from "./data.js";
import { dress, find, html } from "./dom.js";
import {
  classNames,
  drawn,
  KEYS,
  pointed,
  redraw,
  setRange,
  timeAxisChosen,
  view,
} from "./view.js";

/**
 * The field of a number.
 * @param {string} id
 */
function field(id) {
  const found = find(`#${id}`);
  if (!(found instanceof HTMLInputElement)) throw new Error(`#${id} is no field`);
  return found;
}

/**
 * A selection; hidden where there is nothing to choose. One with the same options stays as it is,
 * as it may be in use.
 * @param {string} id
 * @param {Map<string, string>} options value to text
 * @param {string} chosen
 * @param {(value: string) => void} choose
 */
function selection(id, options, chosen, choose) {
  const place = find(`#${id}-tool`);
  const entries = Array.from(options, ([value, text]) => html("option", { value }, text));
  const known = place.querySelector("select");
  const change = () => {
    choose(select.value);
    redraw();
  };
  const select = known ?? html("select", { id, change });
  const isSame = entries.length === select.length;
  if (!isSame || entries.some((entry, at) => !entry.isEqualNode(select.options[at]))) {
    select.replaceChildren(...entries);
  }
  select.value = chosen;
  if (!known) place.append(select);
  place.hidden = options.size < 2;
}

function range() {
  const [from, to] = [field("from"), field("to")];
  const change = () => {
    if (from.value === "" || to.value === "") return;
    setRange(Number(from.value), Number(to.value));
    showRange();
  };
  dress(from, { change });
  dress(to, { change });
  dress(find("#reset"), { click: () => setRange(view.first, view.last) });
}

function showRange() {
  for (const [id, value] of Object.entries({ from: view.from, to: view.to })) {
    Object.assign(field(id), { min: view.first, max: view.last, value });
  }
}

function colours() {
  const root = document.documentElement;
  const preference = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (preference.matches ? "dark" : "light")) === "dark";
  const [theme, palette] = [find("#theme"), find("#palette")];
  const changed = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    palette.setAttribute("aria-pressed", String(root.dataset.palette === "blue"));
    writeAddress();
    redraw();
  };
  const other = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    changed();
  };
  const repaint = () => {
    root.dataset.palette = root.dataset.palette === "blue" ? "green" : "blue";
    changed();
  };
  dress(theme, { click: other });
  dress(palette, { click: repaint });
  preference.addEventListener("change", changed);
  changed();
}

/** Makes the controls work; once. */
export function toolbar() {
  range();
  colours();
  find("#hint").textContent = KEYS;
}

/** Fits the controls to the data, and has them follow what is in view. */
export function fillToolbar() {
  const probes = new Set(data.runs.flatMap((run) => run.probes));
  const names = new Map(Array.from(probes, (name) => [name, name]));
  selection("probe", names, view.probe, (probe) => {
    view.probe = probe;
  });
  selection("class", new Map([["", "all"], ...classNames]), view.class, (chosen) => {
    view.class = chosen;
  });
  const axes = new Map([
    ["iteration", "linear"],
    ["log", "logarithmic"],
  ]);
  if (firstRun.epochs.length > 0) axes.set("epoch", "epochs");
  selection("axis", axes, timeAxisChosen(), (chosen) => {
    if (chosen === "iteration") view.choices.delete("axis");
    else view.choices.set("axis", chosen);
  });
  // Drawing comes a frame later than the change: what is being typed by then stays.
  drawn(() => {
    if (document.activeElement !== field("from") && document.activeElement !== field("to"))
      showRange();
    writeAddress();
  });
  pointed(() => {
    find("#cursor").textContent = String(view.cursor ?? "–");
  });
}
