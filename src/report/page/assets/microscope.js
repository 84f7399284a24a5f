// Every parameter as a pixel, iteration by iteration.

const TITLES = { lca: "LCA of the step", cumulative: "cumulative LCA", step: "step", gradient: "gradient" };

async function inflate({ codes, differences }, cells) {
  const bytes = Uint8Array.from(atob(codes), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const all = new Int8Array(await new Response(stream).arrayBuffer());
  if (differences) for (let place = cells; place < all.length; place += 1) all[place] += all[place - cells];
  return all;
}

/** A colour by code, from −128 (not finite) over −127 (no value) up to 127. */
function shades(full) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => [1, 3, 5].map((start) => parseInt(style.getPropertyValue(name).trim().slice(start, start + 2), 16));
  const [help, hurt, middle, missing, none] = ["--help", "--hurt", "--mid", "--nan", "--line"].map(colour);
  return Array.from({ length: 256 }, (_, place) => {
    const code = place - 128;
    if (code === -128) return missing;
    if (code === -127) return none;
    const [end, part] = [code < 0 ? help : hurt, Math.min(1, Math.abs(code) / full)];
    return middle.map((from, channel) => Math.round(from + (end[channel] - from) * part));
  });
}

const cellsOf = (axis) => Math.ceil((axis.length * axis.kernel) / axis.bin);
const offset = (axis, place) => Math.floor(place / axis.kernel) * axis.stride + (place % axis.kernel) * axis.kernel_stride;

/** Pixels between two kernels, and where a cell is with them. */
function spread(block) {
  const apart = (block.rows.kernel > 1 || block.columns.kernel > 1) && block.rows.bin === 1 && block.columns.bin === 1;
  const along = (axis) => ({
    pixels: cellsOf(axis) + (apart ? axis.length - 1 : 0),
    at: (cell) => cell + (apart ? Math.floor(cell / axis.kernel) : 0),
    cell: (pixel) => {
      if (!apart) return pixel < cellsOf(axis) ? pixel : -1;
      const [kernel, inside] = [Math.floor(pixel / (axis.kernel + 1)), pixel % (axis.kernel + 1)];
      return inside < axis.kernel ? kernel * axis.kernel + inside : -1;
    },
  });
  return { down: along(block.rows), across: along(block.columns) };
}

/** Which parameters a cell is of. */
function cellName(block, row, column) {
  const places = (axis, cell) => [cell * axis.bin, Math.min((cell + 1) * axis.bin, axis.length * axis.kernel) - 1];
  const [rows, columns] = [places(block.rows, row), places(block.columns, column)];
  const said = (axis, [first, last]) => {
    if (axis.name === "") return null;
    const [one, other] = [Math.floor(first / axis.kernel), Math.floor(last / axis.kernel)];
    return `${axis.name} ${one === other ? one : `${one} to ${other}`}`;
  };
  const many = (rows[1] - rows[0] + 1) * (columns[1] - columns[0] + 1);
  const where = [said(block.rows, rows), said(block.columns, columns)].filter(Boolean).join(", ");
  const index = offset(block.rows, rows[0]) + offset(block.columns, columns[0]);
  return many === 1 ? `${block.tensor} [${index}] · ${where}` : `${block.tensor} · ${where} · mean of ${many} parameters`;
}

function makeMicroscope(run) {
  const found = run.microscope;
  if (!found) return absent(`Single parameters can’t be shown: ${run.microscope_missing}.`);
  const state = { quantity: "lca", frame: 0, zoom: 1, codes: new Map(), cell: null, timer: null };
  const frames = found.iterations.length;
  const pictures = () => found.pictures.find((picture) => picture.quantity === state.quantity);
  const codes = () => state.codes.get(state.quantity);
  const code = (quantity, cell) => state.codes.get(quantity)?.[state.frame * found.cells + cell];
  const valueOf = (picture, part) => {
    if (part === -128) return "not finite";
    if (part === undefined || part === -127) return "not recorded";
    if (part === 0 || picture.full === null) return "0";
    const value = signed((picture.full * part) / found.levels);
    return Math.abs(part) === found.levels ? `${value} or beyond` : `about ${value}`;
  };

  const readout = html("p", { class: "readout", role: "status", "data-readout": "microscope" }, "Point at a pixel, or go to a block with Tab and move with the arrow keys.");
  const legend = html("p", { class: "legend", "data-scale": "microscope" });
  const slider = html("input", { type: "range", min: 0, max: frames - 1, value: 0, step: 1, "aria-label": "Iteration of the microscope" });
  const shownAt = html("output", { "data-frame": "microscope" });
  const play = html("button", { type: "button" }, "Play");
  const speed = html("select", { "aria-label": "Speed" }, ...[2, 5, 10, 25].map((rate) => html("option", { value: rate, selected: rate === 5 }, `${rate} pictures a second`)));

  const canvases = found.blocks.map((block) => {
    const { down, across } = spread(block);
    const canvas = html("canvas", { width: across.pixels, height: down.pixels, tabindex: 0, role: "img", "aria-label": `${block.tensor}, ${block.shape.join(" × ")}`, "data-tensor": block.tensor });
    const point = (row, column) => {
      if (row < 0 || column < 0 || row >= cellsOf(block.rows) || column >= cellsOf(block.columns)) return;
      state.cell = { block, row, column };
      tell();
    };
    canvas.addEventListener("pointermove", (event) => {
      const box = canvas.getBoundingClientRect();
      point(down.cell(Math.floor(((event.clientY - box.top) / box.height) * down.pixels)), across.cell(Math.floor(((event.clientX - box.left) / box.width) * across.pixels)));
    });
    canvas.addEventListener("keydown", (event) => {
      const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!move) return;
      event.preventDefault();
      if (state.cell?.block === block) point(state.cell.row + move[0], state.cell.column + move[1]);
      else point(0, 0);
    });
    return { block, canvas, down, across };
  });

  function tell() {
    if (!state.cell) return;
    const { block, row, column } = state.cell;
    const cell = block.first + row * cellsOf(block.columns) + column;
    const said = found.pictures.map((picture) => `${TITLES[picture.quantity]} ${valueOf(picture, code(picture.quantity, cell))}`);
    readout.textContent = `${cellName(block, row, column)} · iteration ${found.iterations[state.frame]}: ${said.join(", ")}`;
  }

  function paint() {
    const all = codes();
    const iteration = found.iterations[state.frame];
    shownAt.textContent = `iteration ${iteration}`;
    slider.value = state.frame;
    slider.setAttribute("aria-valuetext", `iteration ${iteration}`);
    if (!all) return;
    const colours = shades(found.levels);
    for (const { block, canvas, down, across } of canvases) {
      const context = canvas.getContext("2d");
      const image = context.createImageData(across.pixels, down.pixels);
      const [rows, columns] = [cellsOf(block.rows), cellsOf(block.columns)];
      const start = state.frame * found.cells + block.first;
      for (let row = 0; row < rows; row += 1) {
        for (let column = 0; column < columns; column += 1) {
          const colour = colours[all[start + row * columns + column] + 128];
          const pixel = 4 * (down.at(row) * across.pixels + across.at(column));
          image.data[pixel] = colour[0];
          image.data[pixel + 1] = colour[1];
          image.data[pixel + 2] = colour[2];
          image.data[pixel + 3] = 255;
        }
      }
      context.putImageData(image, 0, 0);
      canvas.dataset.iteration = iteration;
    }
    tell();
  }

  function describe() {
    const { full } = pictures();
    const signs = state.quantity === "lca" || state.quantity === "cumulative" ? ["helps", "hurts"] : ["negative", "positive"];
    legend.replaceChildren(full === null ? "no finite value but zeros" : html("span", {}, `${signs[0]} ${signed(-full)} `, html("span", { class: "scale" }), ` ${signed(full)} ${signs[1]}`),
      html("span", { class: "quiet" }, `Full colour is the ${found.percentile}th percentile of the sizes that are not zero, over all pictures. Violet: not finite; grey: not recorded.`));
    legend.dataset.full = full;
  }

  async function show(quantity) {
    state.quantity = quantity;
    describe();
    await Promise.all(found.pictures.map(async (picture) => {
      if (!state.codes.has(picture.quantity)) state.codes.set(picture.quantity, await inflate(picture, found.cells));
    }));
    paint();
  }

  function go(frame, follow = true) {
    state.frame = Math.max(0, Math.min(frames - 1, frame));
    paint();
    if (follow) setCursor(found.iterations[state.frame]);
  }

  function stop() {
    clearInterval(state.timer);
    state.timer = null;
    play.textContent = "Play";
  }

  function start() {
    if (state.frame === frames - 1) go(0);
    play.textContent = "Pause";
    state.timer = setInterval(() => (state.frame === frames - 1 ? stop() : go(state.frame + 1)), 1000 / Number(speed.value));
  }

  slider.addEventListener("input", () => go(Number(slider.value)));
  play.addEventListener("click", () => (state.timer === null ? start() : stop()));
  speed.addEventListener("change", () => {
    if (state.timer !== null) {
      stop();
      start();
    }
  });

  const stage = html("div", { class: "stage", tabindex: 0, role: "group", "aria-label": `Parameters of ${run.name}` });
  let group = null;
  for (const { block, canvas } of canvases) {
    if (!block.beside || group === null) {
      group = html("div", { class: "blocks" });
      const binned = block.rows.bin > 1 || block.columns.bin > 1 ? `, a cell is the mean of ${block.rows.bin} × ${block.columns.bin} parameters` : "";
      const axes = [block.rows.name && `↓ ${block.rows.name}`, block.columns.name && `→ ${block.columns.name}`].filter(Boolean).join(", ");
      stage.append(html("div", { class: "tensor" }, title(block.tensor, " ", html("span", { class: "quiet" }, `${block.shape.join(" × ") || "scalar"} (${axes}${binned})`)), group));
    } else {
      group.parentElement.querySelector(".title").append(html("span", { class: "quiet" }, `; right of it ${block.tensor}`));
    }
    group.append(canvas);
  }
  function size() {
    const room = Math.max(240, stage.clientWidth - 48);
    let cell = 1;
    for (const { block, canvas, down, across } of canvases) {
      if (!block.beside) cell = Math.max(1, Math.min(8, Math.floor(room / across.pixels), Math.floor(320 / down.pixels)));
      // A bias goes on in the rows of the weight that it stands beside.
      const main = canvas.parentElement.firstElementChild;
      const tall = block.beside ? main.height : down.pixels;
      canvas.style.height = `${tall * cell * state.zoom}px`;
      canvas.style.width = `${(block.beside ? Math.max(across.pixels * cell, 8) : across.pixels * cell) * state.zoom}px`;
    }
  }
  const zoomTo = (zoom) => {
    state.zoom = Math.max(1, Math.min(8, zoom));
    stage.dataset.zoom = state.zoom;
    size();
  };
  drawn(() => {
    size();
    paint();
  });
  pointed(() => {
    if (view.cursor === null || state.timer !== null) return;
    const frame = placeOf(found.iterations, view.cursor);
    if (frame !== state.frame) go(frame, false);
  });
  show("lca");

  const notes = [
    found.recorded_iterations > frames ? `${frames} of ${found.recorded_iterations} recorded iterations are shown, evenly spaced.` : null,
    `Values are kept in ${found.levels} steps to either side of zero, so what is read here is rounded to ${(100 / found.levels).toPrecision(2)} % of full colour${found.blocks.some((block) => block.rows.bin > 1 || block.columns.bin > 1) ? "; large tensors are binned" : ""}, to keep this page small.`,
    found.missing.length > 0 ? `Not recorded: ${found.missing.join(", ")}.` : null,
  ];
  return html("figure", { "data-chart": "Microscope" },
    html("div", { class: "options" }, choice("Quantity", found.pictures.map((picture) => [picture.quantity, TITLES[picture.quantity]]), "lca", show)),
    html("div", { class: "options" }, play, slider, shownAt, speed,
      html("button", { type: "button", "aria-label": "Zoom in", click: () => zoomTo(state.zoom * 2) }, "+"),
      html("button", { type: "button", "aria-label": "Zoom out", click: () => zoomTo(state.zoom / 2) }, "−")),
    legend, readout, stage, note(notes.filter(Boolean).join(" ")));
}
