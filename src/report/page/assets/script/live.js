// Keeps a served page current: asks its server for data as long as the page is open.

import { dress, find } from "./dom.js";

/** Milliseconds between two questions: of a run that goes on, of one that has ended, after which
 * it may be resumed, and of a page that can't be had. */
const PAUSE = { running: 500, ended: 3000, failed: 1000 };

/** Milliseconds for which a list of choices may be open. */
const OPEN = 10_000;

/** Whether the reader's hand is on something that new data would take away. */
export function watchHand() {
  let isDown = false;
  let opened = -Infinity;
  const up = () => {
    isDown = false;
  };
  addEventListener("pointerdown", (event) => {
    isDown = true;
    if (event.target instanceof HTMLSelectElement) opened = performance.now();
  });
  for (const kind of ["pointerup", "pointercancel", "blur"]) addEventListener(kind, up);
  addEventListener("change", () => {
    opened = -Infinity;
  });
  return () => {
    const isOpen = document.activeElement instanceof HTMLSelectElement;
    const isPlaying = document.querySelector("[data-playing]") !== null;
    return isDown || isPlaying || (isOpen && performance.now() - opened < OPEN);
  };
}

/** @param {string} text */
function say(text) {
  find("#live").textContent = text;
}

/**
 * Asks for data, shows them, and asks again.
 * @param {(json: string) => Promise<{ isRunning: boolean, text: string }>} show
 * @param {() => boolean} isBusy
 */
export function live(show, isBusy) {
  const hold = find("#hold");
  let isHeld = false;
  let version = "";
  const press = () => {
    isHeld = !isHeld;
    hold.setAttribute("aria-pressed", String(isHeld));
  };
  dress(hold, { click: press });
  find("#live-tool").hidden = false;

  /** Asks for newer data: there are some, none, or there is a reason why they can't be had. */
  async function ask() {
    const headers = { "If-None-Match": version };
    const response = await fetch("data", { headers, cache: "no-store" });
    if (response.status === 304) return {};
    const text = await response.text();
    if (response.status !== 200) return { reason: text };
    version = response.headers.get("ETag") ?? "";
    return { json: text };
  }

  let pause = PAUSE.running;
  /** What was seen last, to be said again when the server answers again. */
  let seen = "";
  async function next() {
    if (isHeld || isBusy() || document.hidden) return PAUSE.running;
    try {
      const { json, reason } = await ask();
      if (json !== undefined) {
        const shown = await show(json);
        seen = shown.text;
        pause = shown.isRunning ? PAUSE.running : PAUSE.ended;
      }
      say(reason ?? seen);
      return reason === undefined ? pause : PAUSE.failed;
    } catch (error) {
      // What is no failure of the network is a bug, which the console is to show.
      if (!(error instanceof TypeError)) throw error;
      say("The server doesn’t answer.");
      return PAUSE.failed;
    }
  }
  const again = async () => setTimeout(again, await next());
  say("Reading the run …");
  again();
}
