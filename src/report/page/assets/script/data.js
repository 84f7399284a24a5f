// The data of the page: results of the analyses, as they were when they were last handed over.

/** @import { Data, Run } from "./types.d.ts" */

/** @param {string} base64 */
export const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/**
 * Sums from their changes, row by row.
 * @param {Float32Array} changes
 * @param {number} row
 */
function summed(changes, row) {
  let sum = 0;
  return Float64Array.from(changes, (change, place) => {
    sum = place % row === 0 ? change : sum + change;
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
  return summed(new Float32Array(bytes(value.f32).buffer), value.row);
}

/** @type {Data} */
export let data;

/** Whether there are several runs. */
export let several = false;

/** @type {Run} */
export let firstRun;

/**
 * @param {string} json
 * @returns {Data}
 */
export const parsed = (json) => JSON.parse(json, unpacked);

/**
 * Puts other data in the place of these.
 * @param {Data} found
 */
export function takeData(found) {
  data = found;
  several = data.runs.length > 1;
  firstRun = data.runs[0];
}
