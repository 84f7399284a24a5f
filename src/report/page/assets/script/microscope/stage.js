// The blocks of all tensors, below each other, with biases beside their weights.

/** @import { Block } from "../types.d.ts" */

import { kept } from "../choices.js";
import { html } from "../dom.js";
import { title } from "../runs.js";
import { cellsOf, isBinned, pixels } from "./block.js";

/** The largest zoom, and the largest cell and block in pixels before it. */
const MOST_ZOOM = 8;
const LARGEST_CELL = 8;
const TALLEST = 320;

/**
 * @typedef {{ block: Block, row: number, column: number }} Cell
 * @typedef {{
 *   block: Block,
 *   canvas: HTMLCanvasElement,
 *   down: ReturnType<typeof pixels>["down"],
 *   across: ReturnType<typeof pixels>["across"],
 * }} BlockCanvas
 */

/** @type {Record<string, [number, number]>} */
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * The canvas of a block; `point` is told the cell under the pointer, or reached with arrow keys
 * from the one that was pointed at.
 * @param {Block} block
 * @param {() => Cell | null} pointedAt
 * @param {(cell: Cell) => void} point
 * @param {(cell: Cell) => void} choose is told the cell that was clicked at
 * @returns {BlockCanvas}
 */
export function blockCanvas(block, pointedAt, point, choose) {
  const { down, across } = pixels(block);
  const canvas = html("canvas", {
    width: across.pixels,
    height: down.pixels,
    tabindex: 0,
    role: "img",
    "aria-label": `${block.tensor}, ${block.shape.join(" × ")}`,
    "data-tensor": block.tensor,
  });
  const to = (/** @type {number} */ row, /** @type {number} */ column) => {
    const isInside = row < cellsOf(block.rows) && column < cellsOf(block.columns);
    if (row >= 0 && column >= 0 && isInside) point({ block, row, column });
  };
  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    to(down.cell(Math.floor(y * down.pixels)), across.cell(Math.floor(x * across.pixels)));
  });
  const chosen = () => {
    const cell = pointedAt();
    if (cell?.block === block) choose(cell);
  };
  canvas.addEventListener("click", chosen);
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Enter") chosen();
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const from = pointedAt();
    if (from?.block === block) to(from.row + move[0], from.column + move[1]);
    else to(0, 0);
  });
  return { block, canvas, down, across };
}

/**
 * @param {BlockCanvas} canvas
 * @param {Int8Array} codes from the block's first cell on
 * @param {number[][]} colours by code + 128
 */
export function paintBlock({ block, canvas, down, across }, codes, colours) {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const image = context.createImageData(across.pixels, down.pixels);
  const [rows, columns] = [cellsOf(block.rows), cellsOf(block.columns)];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const colour = colours[codes[row * columns + column] + 128];
      const pixel = 4 * (down.at(row) * across.pixels + across.at(column));
      image.data[pixel] = colour[0];
      image.data[pixel + 1] = colour[1];
      image.data[pixel + 2] = colour[2];
      image.data[pixel + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
}

/**
 * The place of all blocks, and buttons to zoom it; `size()` fits the blocks into it.
 * @param {string} name
 * @param {BlockCanvas[]} canvases
 */
export function stageOf(name, canvases) {
  const label = `Parameters of ${name}`;
  const element = html("div", { class: "stage", tabindex: 0, role: "group", "aria-label": label });
  let heading = html("h3");
  let group = html("div");
  for (const { block, canvas } of canvases) {
    if (block.beside) {
      heading.append(html("span", { class: "quiet" }, `; right of it ${block.tensor}`));
    } else {
      group = html("div", { class: "blocks" });
      heading = title(block.tensor, " ", html("span", { class: "quiet" }, describeBlock(block)));
      element.append(html("div", { class: "tensor" }, heading, group));
    }
    group.append(canvas);
  }
  const { value, choose } = kept("microscope zoom", "1");
  const zoom = () => Math.max(1, Math.min(MOST_ZOOM, Number(value()) || 1));
  function size() {
    const room = Math.max(240, element.clientWidth - 48);
    let cell = 1;
    let rows = 0;
    for (const { block, canvas, down, across } of canvases) {
      if (!block.beside) {
        const fits = Math.min(Math.floor(room / across.pixels), Math.floor(TALLEST / down.pixels));
        cell = Math.max(1, Math.min(LARGEST_CELL, fits));
        rows = down.pixels;
      }
      // A bias goes on in the rows of the weight that it stands beside.
      const width = block.beside ? Math.max(across.pixels * cell, 8) : across.pixels * cell;
      canvas.style.height = `${rows * cell * zoom()}px`;
      canvas.style.width = `${width * zoom()}px`;
    }
  }
  const zoomBy = (/** @type {number} */ factor) => () => {
    choose(String(Math.max(1, Math.min(MOST_ZOOM, zoom() * factor))));
    size();
  };
  const buttons = [
    html("button", { type: "button", "aria-label": "Zoom in", click: zoomBy(2) }, "+"),
    html("button", { type: "button", "aria-label": "Zoom out", click: zoomBy(0.5) }, "−"),
  ];
  /**
   * The blocks as they are shown.
   * @param {(content: Blob | null) => void} done
   */
  function picture(done) {
    const boxes = canvases.map(({ canvas }) => ({ canvas, box: canvas.getBoundingClientRect() }));
    const left = Math.min(...boxes.map(({ box }) => box.left));
    const top = Math.min(...boxes.map(({ box }) => box.top));
    const width = Math.max(...boxes.map(({ box }) => box.right)) - left;
    const height = Math.max(...boxes.map(({ box }) => box.bottom)) - top;
    const whole = html("canvas", { width: Math.ceil(width), height: Math.ceil(height) });
    const context = whole.getContext("2d");
    if (context === null) return;
    context.imageSmoothingEnabled = false;
    for (const { canvas, box } of boxes) {
      context.drawImage(canvas, box.left - left, box.top - top, box.width, box.height);
    }
    whole.toBlob(done);
  }
  return { element, buttons, size, picture };
}

/** @param {Block} block */
function describeBlock(block) {
  const { rows, columns } = block;
  const said = [rows.name && `↓ ${rows.name}`, columns.name && `→ ${columns.name}`];
  if (isBinned(block)) said.push(`a cell is the mean of ${rows.bin} × ${columns.bin} parameters`);
  return `${block.shape.join(" × ") || "scalar"} (${said.filter(Boolean).join(", ")})`;
}
