// Tensors as blocks of cells: where a cell is, and which parameters it is of.

/** @import { Block, BlockAxis } from "../types.d.ts" */

/** @param {BlockAxis} axis */
export const cellsOf = (axis) => Math.ceil((axis.length * axis.kernel) / axis.bin);

/** @param {Block} block */
export const isBinned = (block) => block.rows.bin > 1 || block.columns.bin > 1;

/**
 * How far the parameter at a place of an axis is from the first one in the tensor.
 * @param {BlockAxis} axis
 * @param {number} place
 */
const offset = (axis, place) =>
  Math.floor(place / axis.kernel) * axis.stride + (place % axis.kernel) * axis.kernel_stride;

/**
 * Pixels in one direction: how many there are, where a cell is, and which cell is there. Where
 * kernels can be told apart there is a pixel between two; then the cell is −1.
 * @param {BlockAxis} axis
 * @param {boolean} isApart
 */
function along(axis, isApart) {
  const cells = cellsOf(axis);
  if (!isApart) {
    return {
      pixels: cells,
      at: (/** @type {number} */ cell) => cell,
      cell: (/** @type {number} */ pixel) => (pixel < cells ? pixel : -1),
    };
  }
  return {
    pixels: cells + axis.length - 1,
    at: (/** @type {number} */ cell) => cell + Math.floor(cell / axis.kernel),
    cell: (/** @type {number} */ pixel) => {
      const [kernel, inside] = [Math.floor(pixel / (axis.kernel + 1)), pixel % (axis.kernel + 1)];
      return inside < axis.kernel ? kernel * axis.kernel + inside : -1;
    },
  };
}

/** @param {Block} block */
export function pixels(block) {
  const hasKernels = block.rows.kernel > 1 || block.columns.kernel > 1;
  const isApart = hasKernels && !isBinned(block);
  return { down: along(block.rows, isApart), across: along(block.columns, isApart) };
}

/**
 * The first and the last place of a cell.
 * @param {BlockAxis} axis
 * @param {number} cell
 */
function places(axis, cell) {
  const last = Math.min((cell + 1) * axis.bin, axis.length * axis.kernel) - 1;
  return { first: cell * axis.bin, last };
}

/**
 * Which parameters a cell is of.
 * @param {Block} block
 * @param {number} row
 * @param {number} column
 */
export function cellName(block, row, column) {
  const [rows, columns] = [places(block.rows, row), places(block.columns, column)];
  const where = [said(block.rows, rows), said(block.columns, columns)].filter(Boolean).join(", ");
  const many = (rows.last - rows.first + 1) * (columns.last - columns.first + 1);
  if (many > 1) return `${block.tensor} · ${where} · mean of ${many} parameters`;
  const index = offset(block.rows, rows.first) + offset(block.columns, columns.first);
  return `${block.tensor} [${index}] · ${where}`;
}

/**
 * The parameter of a cell; null if the cell is of several.
 * @param {Block} block
 * @param {number} row
 * @param {number} column
 */
export function parameterOf(block, row, column) {
  const [rows, columns] = [places(block.rows, row), places(block.columns, column)];
  if (rows.first !== rows.last || columns.first !== columns.last) return null;
  return offset(block.rows, rows.first) + offset(block.columns, columns.first);
}

/**
 * The place of a parameter among the cells of all blocks; nothing if its cell is of several.
 * @param {Block} block
 * @param {number} index
 */
export function cellOf(block, index) {
  const [rows, columns] = [cellsOf(block.rows), cellsOf(block.columns)];
  for (let cell = 0; cell < rows * columns; cell += 1) {
    const found = parameterOf(block, Math.floor(cell / columns), cell % columns);
    if (found === null) return undefined;
    if (found === index) return block.first + cell;
  }
  return undefined;
}

/**
 * @param {BlockAxis} axis
 * @param {{ first: number, last: number }} places
 */
function said(axis, places) {
  if (axis.name === "") return "";
  const [first, last] = [places.first, places.last].map((at) => Math.floor(at / axis.kernel));
  return `${axis.name} ${first === last ? first : `${first} to ${last}`}`;
}
