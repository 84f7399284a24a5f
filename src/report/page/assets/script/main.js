// Puts the page together.

import { goToSection, readAddress, watchAddress } from "./address.js";
import { forgetFigures } from "./choices.js";
import { followView, keepCloser, lookCloser } from "./closer.js";
import { data, has, parsed, several, takePieces } from "./data.js";
import { find, html, note, placeOfFigure } from "./dom.js";
import { plural } from "./format.js";
import { live, watchHand } from "./live.js";
import { microscope } from "./microscope/microscope.js";
import { inflate } from "./microscope/pictures.js";
import { inPlace } from "./place.js";
import { candidates } from "./questions/candidates.js";
import { classes } from "./questions/classes.js";
import { distribution } from "./questions/distribution.js";
import { grounded } from "./questions/grounded.js";
import { heroes } from "./questions/heroes.js";
import { layers } from "./questions/layers.js";
import { helpingBySteps, oscillation } from "./questions/noise.js";
import { sync } from "./questions/sync.js";
import { traces } from "./questions/traces.js";
import { validation } from "./questions/validation.js";
import { fillToolbar, toolbar } from "./toolbar.js";
import { drawn, isAllInView, redraw, redrawNow, refitView, view } from "./view.js";

/**
 * Figures, the fields of the data that they are made of, and what makes them.
 * @type {[string[], string[], () => void][]}
 */
const QUESTIONS = [
  [["grounded"], ["loss"], grounded],
  [["helping"], ["helping"], helpingBySteps],
  [["periods"], ["oscillation"], oscillation],
  [["layers", "seeds", "trajectories"], ["trajectories"], layers],
  [["heroes"], ["heroes"], heroes],
  [["trace"], ["trace"], traces],
  [["distribution"], ["distribution"], distribution],
  [["peaks"], ["peaks"], sync],
  [["classes", "class-times"], ["class_series"], classes],
  [["validation", "generalisation"], ["trajectories"], validation],
  [["candidates"], ["candidates"], candidates],
  [["microscope"], ["microscope"], microscope],
];

function about() {
  const lines = data.runs.map(({ name, summary, tensors, state, verdict }) => {
    const { parameters, steps, first_iteration, last_iteration } = summary;
    const size = `${plural(parameters, "parameter")} in ${plural(tensors.length, "tensor")}`;
    const range = `iterations ${first_iteration} to ${last_iteration}`;
    const text = `${name}: ${size}, ${plural(steps, "observed step")} (${range}), ${state}.`;
    return [html("p", {}, text), html("p", { class: "verdict", "data-verdict": name }, verdict)];
  });
  find("#about").replaceChildren(...lines.flat());
  find("#about").classList.toggle("wide", several);
  document.title = `${data.runs.map((run) => run.name).join(", ")} · burn-lca report`;
  find("#notes").replaceChildren(...data.notes.map((text) => html("li", {}, text)));
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

/** Says in each section which of the choices above it does not follow, where one was made. */
function scopes() {
  for (const place of document.querySelectorAll("[data-ignores]")) {
    const ignored = place.getAttribute("data-ignores")?.split(" ") ?? [];
    drawn(() => {
      const made = {
        probe: view.probe === view.probeAtFirst ? "" : `the ${view.probeAtFirst} probe`,
        class: view.class === "" ? "" : "all classes together",
        range: isAllInView() ? "" : "all iterations",
      };
      const kept = Object.entries(made).filter(([name, text]) => ignored.includes(name) && text);
      const of = kept.map(([, text]) => text).join(", ");
      place.textContent = of && `Not changed by the choices above: this is of ${of}.`;
    });
  }
}

/** Makes all figures anew. */
function make() {
  for (const place of document.querySelectorAll("[data-figure]")) place.replaceChildren();
  forgetFigures();
  refitView();
  about();
  fillToolbar();
  scopes();
  for (const [figures, fields, question] of QUESTIONS) {
    if (has(fields)) question();
    else placeOfFigure(figures[0]).append(note("Reading …"));
  }
  drawn(followView);
  redrawNow();
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

const isReady = () => document.documentElement.dataset.ready === "true";

const isComplete = () => QUESTIONS.every(([, fields]) => has(fields));

/** Shows the data that there are. */
function show() {
  const root = document.documentElement.dataset;
  root.complete = String(isComplete());
  if (isReady()) return inPlace(make);
  make();
  root.ready = "true";
  goToSection();
}

/**
 * Shows pieces of data in the place of others, and says what they are of.
 * @param {string} json
 */
async function renew(json) {
  const start = performance.now();
  /** @type {import("./types.d.ts").Piece[]} */
  const found = parsed(json);
  // Before anything is taken away: a microscope without pictures would flicker.
  const pictures = found.flatMap(({ runs = [] }) => runs.map(({ microscope }) => microscope));
  await Promise.all(pictures.map((microscope) => microscope && inflate(microscope)));
  takePieces(found);
  keepCloser();
  show();
  // For whoever wants to know how long it takes.
  performance.measure("renewal", { start });
  const isRunning = data.runs.some((run) => run.state === "still running");
  const text = `${isRunning ? "Live" : "Ended"}: up to iteration ${view.last}.`;
  return { isRunning: isRunning || !isComplete(), text };
}

readAddress();
watchAddress();
contents();
toolbar();
watchWidth();
const embedded = find("#data").textContent;
if (embedded === "null") {
  const isBusy = watchHand();
  const showAnew = () => {
    if (isBusy()) setTimeout(showAnew, 100);
    else show();
  };
  lookCloser(showAnew);
  live(renew, isBusy);
} else {
  takePieces([parsed(embedded)]);
  show();
}
