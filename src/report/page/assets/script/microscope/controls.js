// The slider over the pictures of the microscope, and a button that plays them.

import { kept } from "../choices.js";
import { html } from "../dom.js";

/** Pictures a second. */
const SPEEDS = [2, 5, 10, 25];
const SPEED = 5;

/**
 * @param {number} frames
 * @param {() => number} current
 * @param {(frame: number) => void} go
 */
export function controlsOf(frames, current, go) {
  let isDriving = false;
  const drive = (/** @type {number} */ frame) => {
    isDriving = true;
    go(frame);
    isDriving = false;
  };
  const slider = html("input", {
    type: "range",
    min: 0,
    max: frames - 1,
    value: 0,
    step: 1,
    "aria-label": "Iteration of the microscope",
    input: () => drive(Number(slider.value)),
  });
  const shownAt = html("output", { "data-frame": "microscope" });
  const { value, choose } = kept("microscope speed", String(SPEED));
  const rates = SPEEDS.map((rate) =>
    html(
      "option",
      { value: rate, selected: String(rate) === value() },
      `${rate} pictures a second`,
    ),
  );
  const speed = html("select", { "aria-label": "Speed" }, ...rates);
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    play.textContent = "Play";
    play.removeAttribute("data-playing");
  };
  const start = () => {
    if (current() === frames - 1) drive(0);
    play.textContent = "Pause";
    play.dataset.playing = "true";
    const next = () => (current() === frames - 1 ? stop() : drive(current() + 1));
    timer = setInterval(next, 1000 / Number(speed.value));
  };
  const press = () => (timer === undefined ? start() : stop());
  const play = html("button", { type: "button", click: press }, "Play");
  speed.addEventListener("change", () => {
    choose(speed.value);
    if (timer === undefined) return;
    stop();
    start();
  });
  return {
    elements: [play, slider, shownAt, speed],
    /** Whether the cursor moves because of these controls. */
    isDriving: () => isDriving || timer !== undefined,
    show: (/** @type {number} */ frame, /** @type {number} */ iteration) => {
      shownAt.textContent = `iteration ${iteration}`;
      slider.value = String(frame);
      slider.setAttribute("aria-valuetext", `iteration ${iteration}`);
    },
  };
}
