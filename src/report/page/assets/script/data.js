// The data of the page: results of the analyses, as they were when they were last handed over.

/** @import { Closer, Data, Piece, Run } from "./types.d.ts" */

/** @param {string} base64 */
export const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/**
 * Sums from their changes, row by row.
 * @param {Float32Array} changes
 * @param {number} row
 * @param {number[]} before what each row begins with
 */
function summed(changes, row, before) {
  let sum = 0;
  return Float64Array.from(changes, (change, place) => {
    sum = change + (place % row === 0 ? before[place / row] : sum);
    return sum;
  });
}

/**
 * Columns of numbers travel as the bytes of little-endian numbers, as browsers' machines have them.
 * @param {string} _name
 * @param {any} value
 */
function unpacked(_name, value) {
  if (typeof value?.f64 === "string") return new Float64Array(bytes(value.f64).buffer);
  if (typeof value?.f32 !== "string") return value;
  return summed(new Float32Array(bytes(value.f32).buffer), value.row, value.before);
}

/** @type {Data} */
export let data;

/** Whether there are several runs. */
export let several = false;

/** @type {Run} */
export let firstRun;

/** @param {string} json */
export const parsed = (json) => JSON.parse(json, unpacked);

/** The names of the fields that are there. @type {Set<string>} */
const received = new Set();

/**
 * Whether pieces with some fields are there.
 * @param {string[]} fields
 */
export const has = (fields) => fields.every((field) => received.has(field));

/** What of each run is of all iterations, where the part in view has taken its place. */
/** @type {Partial<Run>[]} */
let whole = [];

/** What is in the place of that. @type {Partial<Run>[]} */
let closer = [];

/**
 * Begins anew with what other pieces are added to.
 * @param {Partial<Run>[]} runs
 */
function begin(runs) {
  received.clear();
  const nothing = () => ({ class_series: [], trajectories: [], layers: [], trace: [] });
  [whole, closer] = [runs.map(() => ({})), runs.map(() => ({}))];
  data = /** @type {Data} */ (/** @type {unknown} */ ({ runs: runs.map(nothing) }));
  several = data.runs.length > 1;
  firstRun = data.runs[0];
}

const isOfOthers = (/** @type {Partial<Run>[]} */ runs) =>
  runs[0].id !== undefined &&
  (data?.runs.length !== runs.length || runs.some(({ id }, place) => id !== data.runs[place].id));

/**
 * Puts pieces in the place of older ones. Those of other runs take the place of all.
 * @param {Piece[]} pieces
 */
export function takePieces(pieces) {
  for (const { runs, ...rest } of pieces) {
    if (runs && isOfOthers(runs)) begin(runs);
    Object.assign(data, rest);
    for (const [place, run] of (runs ?? []).entries()) {
      Object.assign(whole[place], run);
      Object.assign(data.runs[place], run, closer[place]);
      for (const field of Object.keys(run)) received.add(field);
    }
    for (const field of Object.keys(rest)) received.add(field);
  }
}

/**
 * Puts what is of some iterations only in the place of what is of all.
 * @param {Closer} found
 */
export function takeCloser({ ids, runs }) {
  if (ids.some((id, place) => id !== data.runs[place]?.id)) return false;
  for (const [place, run] of runs.entries()) {
    Object.assign(closer[place], run);
    Object.assign(data.runs[place], run);
  }
  return true;
}

/**
 * A field of a run as it is of all iterations.
 * @template {keyof Run} F
 * @param {Run} run
 * @param {F} field
 * @returns {Run[F]}
 */
export const wholeOf = (run, field) => whole[data.runs.indexOf(run)]?.[field] ?? run[field];

/**
 * Puts what is of all iterations back in its place.
 * @param {(keyof Run)[]} fields
 */
export function leaveCloser(fields) {
  for (const [place, run] of data.runs.entries()) {
    for (const field of fields.filter((field) => field in closer[place])) {
      delete closer[place][field];
      Object.assign(run, { [field]: whole[place][field] });
    }
  }
}
