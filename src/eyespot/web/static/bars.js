// Predictions as bars: a name, a probability, and a meter.

import { make } from "./dom.js";

/** A bar; without a `value` it has no meter. @typedef {{name: string, text: string, value?: number, isBest?: boolean}} Bar */

/** Show bars in a list, in place, so that a live prediction does not flicker. @param {HTMLElement} list @param {Bar[]} bars */
export function showBars(list, bars) {
  while (list.children.length > bars.length) list.lastElementChild?.remove();
  for (const [index, { name, text, value, isBest = false }] of bars.entries()) {
    const item = list.children[index] ?? list.appendChild(make("li", {}, make("span"), make("span"), make("meter")));
    const [label, share, meter] = item.children;
    label.textContent = name;
    share.textContent = text;
    if (meter instanceof HTMLMeterElement) {
      Object.assign(meter, { value: value ?? 0, hidden: value === undefined, ariaLabel: `Probability of ${name}` });
    }
    item.classList.toggle("best", isBest);
  }
}
