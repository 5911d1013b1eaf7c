// How good a classifier is, in words that hold.

import { percent } from "./percent.js";

/**
 * @typedef {{top1: number | null, interval: [number, number] | null, asked: number, independent: number,
 *   weakest: [string, number] | null, confused: [string, string, number][],
 *   label_issues: {picture: number, suggested: string, probability: number}[],
 *   doubled: number[][], advice: string}} Figures
 */

/** @param {string} name @param {string} text @param {string} [style] */
function line(name, text, style = "") {
  const element = document.createElement(name);
  element.textContent = text;
  if (style) element.className = style;
  return element;
}

/** What is known, as elements. @param {Figures | null} figures @param {string} needed */
export function figuresShown(figures, needed) {
  if (!figures) return [line("p", needed || "It is being found out …", "note")];
  const shown = [];
  if (figures.top1 !== null && figures.interval) {
    const [low, high] = figures.interval;
    shown.push(line("p", `Accuracy ${percent(figures.top1)}`, "top"));
    shown.push(line("p", `By cross-validation, on held-out pictures (95% CI ${percent(low)} to ${percent(high)}, n = ${figures.asked}). `
      + (figures.independent < figures.asked ? `Only ${figures.independent} of them are clearly different.` : ""), "note"));
  }
  if (figures.advice) shown.push(line("p", figures.advice, "advice"));
  const facts = document.createElement("ul");
  if (figures.weakest) facts.append(line("li", `Lowest recall: ${figures.weakest[0]}, ${percent(figures.weakest[1])}.`));
  for (const [name, other, times] of figures.confused.slice(0, 3)) {
    facts.append(line("li", `${name} misclassified as ${other}: ${times}.`));
  }
  if (figures.label_issues.length) {
    facts.append(line("li", `${figures.label_issues.length} of the pictures may be in the wrong class: they have a frame and a "?". `
      + "Look at each before you move it: to follow without looking makes this figure better than the truth."));
  }
  if (figures.doubled.length) {
    facts.append(line("li", `${figures.doubled.length} ${figures.doubled.length === 1 ? "picture is" : "pictures are"} there more than once.`));
  }
  if (facts.children.length) shown.push(facts);
  return shown;
}
