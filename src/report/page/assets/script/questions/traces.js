// Single parameters over time.

/** @import { Run, Trace } from "../types.d.ts" */

import { timeChart } from "../charts/timechart.js";
import { kept } from "../choices.js";
import { askServer } from "../closer.js";
import { data } from "../data.js";
import { absent, coded, find, html, note } from "../dom.js";
import { signed } from "../format.js";
import { traceOfPictures } from "../microscope/pictures.js";
import { perRun, title } from "../runs.js";
import { drawn, isAllInView, redraw, view } from "../view.js";

/**
 * A trace of the iterations from one to another.
 * @typedef {{ trace: Trace, from: number, to: number, rounded: string }} Found
 */

/** What was asked for, by the run's identity and the parameter. @type {Map<string, Found>} */
const found = new Map();

/** What is being asked for. @type {Set<string>} */
const asked = new Set();

/** How a run's figure is told to show a parameter. @type {Map<string, (name: string) => void>} */
const showers = new Map();

const nameOf = (/** @type {{ tensor: string, index: number }} */ { tensor, index }) =>
  `${tensor} [${index}]`;

/**
 * Shows a parameter over time, and goes there.
 * @param {Run} run
 * @param {string} tensor
 * @param {number} index
 */
export function showTrace(run, tensor, index) {
  showers.get(run.id)?.(nameOf({ tensor, index }));
  find('[data-figure="trace"]').scrollIntoView({ block: "center" });
}

export function traces() {
  showers.clear();
  perRun("trace", trace);
}

/**
 * Asks for a parameter over the iterations in view: the server, or else the microscope's pictures.
 * @param {Run} run
 * @param {string} name
 */
async function lookUp(run, name) {
  const [, tensor, index] = name.match(/^(.*) \[(\d+)\]$/s) ?? [];
  const place = run.tensors.indexOf(tensor);
  const key = `${run.id} ${name}`;
  if (place < 0 || asked.has(key)) return;
  asked.add(key);
  const { from, to } = view;
  try {
    const numbers = { run: data.runs.indexOf(run), tensor: place, index: Number(index) };
    const answer = await askServer("trace", numbers);
    if (answer === null) {
      const known =
        run.microscope && (await traceOfPictures(run.microscope, tensor, Number(index)));
      if (known) found.set(key, { ...known, from: -Infinity, to: Infinity });
    } else if (answer.found?.ids[0] === run.id) {
      found.set(key, { trace: answer.found.runs[0], from, to, rounded: "" });
    }
    redraw();
  } catch (error) {
    // The server is gone, which the page says elsewhere.
    if (!(error instanceof TypeError)) throw error;
  } finally {
    asked.delete(key);
  }
}

/** @param {Run} run */
function trace(run) {
  const known = run.trace;
  if (!known) {
    return absent(data.missing.parameters);
  }
  if (known.length === 0) {
    return absent("No single parameter can be traced: none has a finite LCA.");
  }
  const { value, choose } = kept("trace", nameOf(known[0]));
  const listed = () => known.find((one) => nameOf(one) === value());
  const closer = () => found.get(`${run.id} ${value()}`);
  const isInView = (/** @type {Found | undefined} */ one) =>
    one !== undefined && one.from <= view.from && one.to >= view.to;
  // What is closer than the whole, or the whole, or what there is.
  const shown = () => {
    const [whole, one] = [listed(), closer()];
    return (isInView(one) ? one?.trace : whole) ?? one?.trace ?? null;
  };
  const select = html("select", {
    "aria-label": "Parameter",
    change: () => {
      choose(select.value);
      redraw();
    },
  });
  const options = () => {
    const all = known.map((one) => ({ name: nameOf(one), lca: one.lca_sum }));
    const other = listed() ? [] : [{ name: value(), lca: null }];
    return [...all, ...other].map(({ name, lca }) =>
      html("option", { value: name }, lca === null ? name : `${name}, LCA ${signed(lca)}`),
    );
  };
  const fill = () => {
    select.replaceChildren(...options());
    select.value = value();
  };
  showers.set(run.id, (name) => {
    choose(name);
    fill();
    redraw();
  });
  const about = note("");
  drawn(() => {
    if (select.value !== value()) fill();
    const one = shown();
    const isEnough = isInView(closer()) || (listed() && (isAllInView() || one?.every === 1));
    if (!isEnough) lookUp(run, value());
    const rounded = closer()?.rounded ?? "";
    const windows =
      one && one.every > 1
        ? `LCA and step are summed over ${one.every} recorded steps, the gradient is their mean.`
        : "";
    const said = one ? [listed() ? "" : rounded, windows].join(" ").trim() : "Reading …";
    about.replaceChildren(...coded(said));
  });
  fill();
  const chart = (
    /** @type {string} */ label,
    /** @type {string} */ unit,
    /** @type {"lca" | "step" | "gradient"} */ column,
    /** @type {string} */ colour,
  ) =>
    timeChart({
      label,
      unit,
      height: 120,
      base: 0,
      digits: signed,
      curves: () => {
        const one = shown();
        const name = column === "lca" ? "LCA" : column;
        return one ? [{ name, x: one.iterations, y: one[column], colour }] : [];
      },
    });
  return [
    title("Single parameters"),
    html("p", {}, select),
    note(
      "At first those that helped and hurt most; click a pixel of the microscope for any other.",
    ),
    chart("LCA of the parameter", "loss", "lca", "var(--c0)"),
    chart("Its step", "", "step", "var(--c1)"),
    chart("Its gradient", "loss per unit", "gradient", "var(--c2)"),
    about,
  ];
}
