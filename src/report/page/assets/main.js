// Puts the page together.

/** Columns of numbers travel as base64. */
function unpack() {
  const doubles = (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const values = new DataView(bytes.buffer);
    return Array.from({ length: bytes.length / 8 }, (_, place) => values.getFloat64(8 * place, true));
  };
  const all = (object, names) => names.forEach((name) => { object[name] = doubles(object[name]); });
  for (const run of data.runs) {
    run.loss.forEach((loss) => all(loss, ["iterations", "loss", "explained", "residual"]));
    all(run.helping, ["iterations", "helping", "hurting", "zero"]);
    run.trajectories.forEach((trajectory) => {
      all(trajectory, ["iterations"]);
      trajectory.layers.forEach((layer) => all(layer, ["sum"]));
    });
    run.class_series.forEach((series) => {
      all(series, ["iterations"]);
      series.lca = floats(series.lca);
    });
    run.trace?.forEach((parameter) => all(parameter, ["iterations", "lca", "step", "gradient"]));
  }
}

function about() {
  const text = data.runs.map((run) => `${run.name}: ${plural(run.summary.parameters, "parameter")} in ${plural(run.tensors, "tensor")}, ${plural(run.summary.steps, "observed step")} (iterations ${run.summary.first_iteration} to ${run.summary.last_iteration}), ${run.state}`);
  document.getElementById("about").textContent = text.map((line) => `${line}.`).join("\n");
  document.title = `${data.runs.map((run) => run.name).join(", ")} · burn-lca report`;
  document.getElementById("notes").append(...data.notes.map((text) => html("li", {}, text)));
  document.getElementById("contents").append(...Array.from(document.querySelectorAll("main section"), (section) => {
    const heading = section.querySelector("h2");
    heading.id = `${section.id}-title`;
    section.setAttribute("aria-labelledby", heading.id);
    return html("li", {}, html("a", { href: `#${section.id}` }, heading.textContent));
  }));
}

function toolbar() {
  const byId = (id) => document.getElementById(id);
  const probes = [...new Set(data.runs.flatMap((run) => run.probes))];
  const probe = byId("probe");
  probe.append(...probes.map((name) => html("option", { value: name }, name)));
  byId("probe-tool").hidden = probes.length < 2;
  probe.addEventListener("change", () => {
    view.probe = probe.value;
    redraw();
  });
  const ofClass = byId("class");
  ofClass.append(html("option", { value: "" }, "all"), ...Array.from(classNames, ([value, name]) => html("option", { value }, name)));
  byId("class-tool").hidden = classNames.size === 0;
  ofClass.addEventListener("change", () => {
    view.class = ofClass.value;
    redraw();
  });
  const [from, to] = [byId("from"), byId("to")];
  const ranged = () => from.value !== "" && to.value !== "" && setRange(Number(from.value), Number(to.value));
  from.addEventListener("change", ranged);
  to.addEventListener("change", ranged);
  byId("reset").addEventListener("click", () => setRange(view.first, view.last));
  drawn(() => {
    for (const field of [from, to]) dress(field, { min: view.first, max: view.last });
    [from.value, to.value] = [view.from, view.to];
  });
  pointed(() => { byId("cursor").textContent = view.cursor === null ? "–" : String(view.cursor); });
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const theme = byId("theme");
  const named = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    named();
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    named();
    redraw();
  });
  named();
  const palette = byId("palette");
  palette.addEventListener("click", () => {
    const blue = root.dataset.palette !== "blue";
    root.dataset.palette = blue ? "blue" : "green";
    palette.setAttribute("aria-pressed", String(blue));
    redraw();
  });
}

unpack();
about();
toolbar();
grounded();
helping();
layers();
heroes();
distribution();
sync();
classes();
validation();
candidates();
perRun("microscope", makeMicroscope);
redrawNow();
matchMedia("print").addEventListener("change", redrawNow);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  redraw();
});
document.documentElement.dataset.ready = "true";
