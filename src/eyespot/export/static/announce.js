// Predictions for screen readers.

import { byId } from "./dom.js";

const STEADY = 1000; // milliseconds before a screen reader announces a prediction

let steady = 0, announced = "";

/** Announce a prediction to screen readers once it is steady. @param {string} text */
export function announce(text) {
  if (text === announced) return;
  announced = text;
  clearTimeout(steady);
  steady = setTimeout(() => { byId("spoken", HTMLElement).textContent = text; }, STEADY);
}
