// The pictures of the microscope: codes of cells, their values and colours.

/** @import { Microscope, Quantity, QuantityPictures } from "../types.d.ts" */

import { csv } from "../charts/save.js";
import { bytes } from "../data.js";
import { rgb } from "../dom.js";
import { count, short, signed } from "../format.js";
import { cellOf, cellsOf } from "./block.js";

/** Codes of a cell besides the steps of value to either side of zero. */
const NOT_FINITE = -128;
const NOT_RECORDED = -127;

/** @type {Record<Quantity, string>} */
export const TITLES = {
  lca: "LCA of the step",
  cumulative: "cumulative LCA",
  step: "step",
  gradient: "gradient",
};

/**
 * Whether a quantity helps or hurts, and is no mere change.
 * @param {Quantity} quantity
 */
export const isLca = (quantity) => quantity === "lca" || quantity === "cumulative";

/**
 * The codes of pictures that were inflated already.
 * @type {WeakMap<QuantityPictures, Int8Array>}
 */
const inflated = new WeakMap();

/**
 * The codes of all cells, picture after picture; nothing before `inflate` has them.
 * @param {QuantityPictures | undefined} pictures
 */
export const codesOf = (pictures) => pictures && inflated.get(pictures);

/** @param {Microscope} found */
export async function inflate({ pictures, cells }) {
  const waiting = pictures.filter((quantity) => !inflated.has(quantity));
  await Promise.all(
    waiting.map(async (quantity) => inflated.set(quantity, await codesIn(quantity, cells))),
  );
}

/**
 * @param {QuantityPictures} pictures
 * @param {number} cells
 */
async function codesIn({ codes, differences }, cells) {
  const inflater = new DecompressionStream("deflate-raw");
  const stream = new Blob([bytes(codes)]).stream().pipeThrough(inflater);
  const all = new Int8Array(await new Response(stream).arrayBuffer());
  if (differences) {
    for (let place = cells; place < all.length; place += 1) all[place] += all[place - cells];
  }
  return all;
}

/**
 * What a code says of the value that it was made from.
 * @param {QuantityPictures} pictures
 * @param {number | undefined} code
 */
export function valueText({ values, below }, code) {
  if (code === NOT_FINITE) return "not finite";
  if (code === undefined || code === NOT_RECORDED) return "not recorded";
  if (code === 0) return "0";
  const [step, sign] = [Math.abs(code), Math.sign(code)];
  if (step === 1) return `${sign < 0 ? "negative" : "positive"}, below ${short(below)} in size`;
  const value = signed(sign * values[step - 1]);
  return step === values.length ? `${value} or beyond` : `about ${value}`;
}

/**
 * A parameter over the pictures, as their colours tell it; null if it is not a cell of its own.
 * @param {Microscope} found
 * @param {string} tensor
 * @param {number} index
 */
export async function traceOfPictures(found, tensor, index) {
  const block = found.blocks.find((block) => block.tensor === tensor);
  const cell = block && cellOf(block, index);
  if (cell === undefined) return null;
  await inflate(found);
  const column = (/** @type {Quantity} */ quantity) => {
    const pictures = found.pictures.find((pictures) => pictures.quantity === quantity);
    const codes = codesOf(pictures);
    return Float64Array.from(found.iterations, (_, frame) =>
      pictures && codes ? valueOfCode(pictures, codes[frame * found.cells + cell]) : NaN,
    );
  };
  const trace = {
    tensor,
    index,
    lca_sum: null,
    every: 1,
    iterations: Float64Array.from(found.iterations),
    lca: column("lca"),
    step: column("step"),
    gradient: column("gradient"),
  };
  const rounded =
    `At ${count(found.iterations.length)} iterations, rounded to the colours of the microscope; ` +
    "what is below the first step of colour is drawn as zero. `burn-lca serve` shows every " +
    "recorded step, and `burn-lca trace` prints it.";
  return { trace, rounded };
}

/**
 * The value that a code stands for: zero below the first step, NaN where there is none.
 * @param {QuantityPictures} pictures
 * @param {number} code
 */
function valueOfCode({ values }, code) {
  if (code === NOT_FINITE || code === NOT_RECORDED) return NaN;
  const step = Math.abs(code);
  return step < 2 ? 0 : Math.sign(code) * values[step - 1];
}

/**
 * The cells of a picture that is shown, as what their colours stand for.
 * @param {Microscope} found
 * @param {QuantityPictures | undefined} pictures
 * @param {number} frame
 */
export function csvOfCells(found, pictures, frame) {
  const codes = codesOf(pictures);
  if (!pictures || !codes) return "";
  const rows = found.blocks.flatMap((block) => {
    const columns = cellsOf(block.columns);
    const cells = Array.from({ length: cellsOf(block.rows) * columns }, (_, cell) => cell);
    return cells.map((cell) => {
      const value = valueOfCode(pictures, codes[frame * found.cells + block.first + cell]);
      return [block.tensor, Math.floor(cell / columns), cell % columns, value].map(String);
    });
  });
  const quantity = TITLES[pictures.quantity];
  return csv([["tensor", "row", "column", `${quantity}, rounded`], ...rows]);
}

/**
 * A colour by code + 128. Signs of what neither helps nor hurts have colours of their own.
 * @param {number} steps of value to either side of zero
 * @param {Quantity} quantity
 */
export function shades(steps, quantity) {
  const [below, above] = isLca(quantity) ? ["--help", "--hurt"] : ["--negative", "--positive"];
  const ramps = [below, above].map((end) => ["--mid", `${end}-half`, `${end}-full`].map(rgb));
  const [notFinite, notRecorded] = ["--nan", "--line"].map(rgb);
  return Array.from({ length: 256 }, (_, place) => {
    const code = place - 128;
    if (code === NOT_FINITE) return notFinite;
    if (code === NOT_RECORDED) return notRecorded;
    const part = 2 * Math.min(1, Math.abs(code) / steps);
    const from = part < 1 ? 0 : 1;
    const [start, end] = ramps[code < 0 ? 0 : 1].slice(from);
    return start.map((channel, at) => Math.round(channel + (end[at] - channel) * (part - from)));
  });
}
