// Choices in single figures: they stay when new data come, and are in the address of the page.

import { writeAddress } from "./address.js";
import { choice } from "./dom.js";
import { view } from "./view.js";

/** How many figures asked for a choice of a name. @type {Map<string, number>} */
const given = new Map();

/** Begins anew to tell choices of the same name apart: the same figures will ask again. */
export function forgetFigures() {
  given.clear();
}

/**
 * A choice that is kept. Figures of several runs have the same name; each has a choice of its own.
 * @param {string} name
 * @param {string} fallback what is chosen at first
 */
export function kept(name, fallback) {
  const times = (given.get(name) ?? 0) + 1;
  given.set(name, times);
  const own = times === 1 ? name : `${name} ${times}`;
  return {
    value: () => view.choices.get(own) ?? fallback,
    choose: (/** @type {string} */ value) => {
      if (value === fallback) view.choices.delete(own);
      else view.choices.set(own, value);
      writeAddress();
    },
  };
}

/**
 * A row of buttons of which one is pressed; `change` is told another choice. Returns the row, and
 * what is chosen.
 * @template {string} T
 * @param {string} name
 * @param {string} label
 * @param {[T, string][]} options the first is chosen at first
 * @param {(value: T) => void} change
 */
export function keptChoice(name, label, options, change) {
  const { value, choose } = kept(name, options[0][0]);
  const chosen = () => options.find(([option]) => option === value())?.[0] ?? options[0][0];
  const row = choice(label, options, chosen(), (option) => {
    choose(option);
    change(option);
  });
  return { row, chosen };
}
