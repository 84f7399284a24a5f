// Where the reader is: focus and scrolling stay where they are while figures are made anew.

import { placeOfFigure } from "./dom.js";

const CONTROLS = "button, select, input, summary, [tabindex]";

/** @param {Element} figure */
const controlsIn = (figure) => [...figure.querySelectorAll(CONTROLS)];

/** Remembers the control that has the focus, by its place in its figure. */
function focus() {
  const active = document.activeElement;
  const figure = active?.closest("[data-figure]");
  if (!active || !(figure instanceof HTMLElement)) return () => {};
  const place = controlsIn(figure).indexOf(active);
  return () => {
    const control = controlsIn(placeOfFigure(figure.dataset.figure ?? ""))[place];
    if (control instanceof HTMLElement) control.focus({ preventScroll: true });
  };
}

/** Remembers the figure in the middle of the screen, and how far it is from the top. */
function scrolling() {
  const figures = [...document.querySelectorAll("[data-figure]")];
  const seen = figures.find((figure) => figure.getBoundingClientRect().bottom > innerHeight / 2);
  const top = () => seen?.getBoundingClientRect().top ?? 0;
  const before = top();
  return () => scrollBy({ top: top() - before, behavior: "instant" });
}

/** Remembers how far boxes within the page are scrolled. */
function boxes() {
  const figures = [...document.querySelectorAll("[data-figure]")];
  const before = figures.map((figure) =>
    controlsIn(figure).map(({ scrollLeft, scrollTop }) => ({ scrollLeft, scrollTop })),
  );
  return () => {
    for (const [number, figure] of figures.entries()) {
      for (const [place, box] of controlsIn(figure).entries()) {
        const { scrollLeft, scrollTop } = before[number][place] ?? {};
        if (scrollLeft || scrollTop) Object.assign(box, { scrollLeft, scrollTop });
      }
    }
  };
}

/**
 * Makes figures anew without moving the reader.
 * @param {() => void} make
 */
export function inPlace(make) {
  const back = [boxes(), scrolling(), focus()];
  make();
  for (const restore of back) restore();
}
