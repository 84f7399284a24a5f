// Every parameter as a pixel, iteration by iteration.

/** @import { Microscope, Quantity, Run } from "../types.d.ts" */
/** @import { Cell } from "./stage.js" */

import { download, saveMenu } from "../charts/save.js";
import { placeOf } from "../charts/timeplot.js";
import { kept, keptChoice } from "../choices.js";
import { absent, html, note } from "../dom.js";
import { signed } from "../format.js";
import { showTrace } from "../questions/traces.js";
import { perRun } from "../runs.js";
import { drawn, pointed, setCursor, view } from "../view.js";
import { cellName, cellsOf, isBinned, parameterOf } from "./block.js";
import { controlsOf } from "./controls.js";
import { codesOf, csvOfCells, inflate, isLca, shades, TITLES, valueText } from "./pictures.js";
import { blockCanvas, paintBlock, stageOf } from "./stage.js";

/** The cell that was pointed at, by run: it stays when new data come. @type {Map<string, Cell>} */
const pointedCells = new Map();

export function microscope() {
  perRun("microscope", (run) => {
    const found = run.microscope;
    if (found) return figureOf(run, found);
    return absent(`Single parameters can’t be shown: ${run.microscope_missing}.`);
  });
}

/**
 * The cell that was pointed at before these data came; null if they have none such.
 * @param {Run} run
 * @param {Microscope} found
 * @returns {Cell | null}
 */
function cellKnown(run, found) {
  const known = pointedCells.get(run.name);
  const block = found.blocks.find((block) => block.tensor === known?.block.tensor);
  if (!known || !block) return null;
  const { row, column } = known;
  return row < cellsOf(block.rows) && column < cellsOf(block.columns)
    ? { block, row, column }
    : null;
}

/**
 * @param {Run} run
 * @param {Microscope} found
 */
function figureOf(run, found) {
  const { iterations, cells } = found;
  const at = kept("microscope at", String(iterations[0]));
  let frame = placeOf(iterations, Number(at.value()));
  let cell = cellKnown(run, found);
  /** The cursor that was followed, or set: none is followed twice. */
  let followed = view.cursor;

  const legend = html("p", { class: "legend", "data-scale": "microscope" });
  const readout = html(
    "p",
    { class: "readout", role: "status", "data-readout": "microscope" },
    "Point at a pixel, or go to a block with Tab and move with the arrow keys; a click or Enter " +
      "shows the parameter over time.",
  );
  const point = (/** @type {Cell} */ pointedAt) => {
    cell = pointedAt;
    pointedCells.set(run.name, cell);
    tell();
  };
  const trace = (/** @type {Cell} */ { block, row, column }) => {
    const index = parameterOf(block, row, column);
    if (index !== null) showTrace(run, block.tensor, index);
  };
  const canvases = found.blocks.map((block) => blockCanvas(block, () => cell, point, trace));
  const stage = stageOf(run.name, canvases);
  const controls = controlsOf(
    iterations.length,
    () => frame,
    (chosen) => {
      frame = chosen;
      paint();
      setCursor(iterations[frame]);
    },
  );

  function tell() {
    if (cell === null) return;
    const { block, row, column } = cell;
    const place = frame * cells + block.first + row * cellsOf(block.columns) + column;
    const said = found.pictures.map((pictures) => {
      const code = codesOf(pictures)?.[place];
      return `${TITLES[pictures.quantity]} ${valueText(pictures, code)}`;
    });
    const name = cellName(block, row, column);
    readout.textContent = `${name} · iteration ${iterations[frame]}: ${said.join("; ")}`;
  }

  function paint() {
    controls.show(frame, iterations[frame]);
    at.choose(String(iterations[frame]));
    const pictures = found.pictures.find((pictures) => pictures.quantity === chosen());
    const shown = codesOf(pictures)?.subarray(frame * cells, (frame + 1) * cells);
    if (!shown) return;
    const colours = shades(found.levels, chosen());
    for (const canvas of canvases) {
      paintBlock(canvas, shown.subarray(canvas.block.first), colours);
      canvas.canvas.dataset.iteration = String(iterations[frame]);
    }
    tell();
  }

  /** @type {[Quantity, string][]} */
  const quantities = found.pictures.map(({ quantity }) => [quantity, TITLES[quantity]]);
  const { row, chosen } = keptChoice("microscope of", "Quantity", quantities, () => {
    describeScale(legend, found, chosen());
    paint();
  });

  pointed(() => {
    if (view.cursor === followed) return;
    followed = view.cursor;
    if (view.cursor === null || controls.isDriving()) return;
    frame = placeOf(iterations, view.cursor);
    paint();
  });
  drawn(() => {
    stage.size();
    paint();
  });
  describeScale(legend, found, chosen());
  inflate(found).then(paint);
  const savePicture = () =>
    stage.picture((content) => download(`${run.name} microscope.png`, content));
  const saveCells = () => {
    const pictures = found.pictures.find((pictures) => pictures.quantity === chosen());
    const text = csvOfCells(found, pictures, frame);
    download(`${run.name} microscope.csv`, new Blob([text], { type: "text/csv" }));
  };
  /** @type {[string, () => void][]} */
  const kinds = [
    ["CSV", saveCells],
    ["PNG", savePicture],
  ];
  return html(
    "figure",
    { "data-chart": "Microscope" },
    html("div", { class: "options" }, row),
    html("div", { class: "options" }, ...controls.elements, ...stage.buttons),
    legend,
    readout,
    stage.element,
    saveMenu("Microscope", kinds),
    note(notes(found)),
  );
}

/**
 * What the colours of a quantity mean.
 * @param {HTMLElement} legend
 * @param {Microscope} found
 * @param {Quantity} quantity
 */
function describeScale(legend, found, quantity) {
  const full = found.pictures.find((pictures) => pictures.quantity === quantity)?.full ?? null;
  legend.dataset.full = String(full);
  const [below, above] = isLca(quantity) ? ["helps", "hurts"] : ["negative", "positive"];
  const scale = html("span");
  if (full === null) {
    scale.append("no finite value but zeros");
  } else {
    const bar = html("span", { class: "scale" });
    scale.append(`${below} ${signed(-full)} `, bar, ` ${signed(full)} ${above}`);
  }
  const text =
    `Full colour is the ${found.percentile}th percentile of the sizes that are not zero, over ` +
    "all recorded steps. Violet: not finite; grey: not recorded.";
  legend.replaceChildren(scale, html("span", { class: "quiet" }, text));
}

/** @param {Microscope} found */
function notes(found) {
  const [shown, recorded] = [found.iterations.length, found.recorded_iterations];
  const said = [
    recorded > shown ? `${shown} of ${recorded} recorded iterations are shown.` : "",
    `To keep this page small, values are kept in ${found.levels} steps to either side of zero: ` +
      `what is read here is rounded to ${(100 / found.levels).toPrecision(2)} % of full colour.`,
    found.blocks.some(isBinned) ? "Large tensors are binned." : "",
    found.missing.length > 0 ? `Not recorded: ${found.missing.join(", ")}.` : "",
  ];
  return said.filter(Boolean).join(" ");
}
