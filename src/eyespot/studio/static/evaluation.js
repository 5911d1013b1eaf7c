// The evaluation of a project's classifier, in words.

import { make } from "./dom.js";
import { counted } from "./numbers.js";
import { percent, percentInterval } from "./percent.js";

/**
 * @typedef {{accuracy: number | null, interval: [number, number] | null, count: number, distinct: number,
 *   lowest_recall: [string, number] | null, confused: [string, string, number][],
 *   label_issues: {photo: number, suggested: string, probability: number}[],
 *   duplicates: number[][], advice: string}} Evaluation
 */

/** The evaluation as elements. @param {Evaluation | null} evaluation @param {string} needed for training, if anything */
export function evaluationElements(evaluation, needed) {
  if (!evaluation) return [make("p", { className: "note", textContent: needed || "Evaluating …" })];
  const { accuracy, interval, count, distinct, lowest_recall, confused, label_issues, duplicates, advice } = evaluation;
  const shown = [];
  if (accuracy !== null && interval) {
    const photos = distinct < count ? ` ${counted(distinct, "distinct photo")}.` : "";
    shown.push(
      make("p", { className: "top", textContent: `Accuracy ${percent(accuracy)}` }),
      make("p", { className: "note", textContent: `95% CI ${percentInterval(...interval)}, n = ${count.toLocaleString("en")}, cross-validated.${photos}` }),
    );
  }
  if (advice) shown.push(make("p", { className: "advice", textContent: advice }));
  const facts = confused.slice(0, 3).map(([actual, predicted, times]) => `${actual} misclassified as ${predicted}: ${counted(times, "photo")}.`);
  if (lowest_recall) facts.unshift(`Lowest recall: ${lowest_recall[0]}, ${percent(lowest_recall[1])}.`);
  if (label_issues.length) {
    facts.push(`${counted(label_issues.length, "label issue")}, marked with "?". Review each photo before you move it: `
      + "moving photos without a review inflates the accuracy.");
  }
  if (duplicates.length) facts.push(`${counted(duplicates.length, "group")} of near-duplicates.`);
  if (facts.length) shown.push(make("ul", {}, ...facts.map((text) => make("li", { textContent: text }))));
  return shown;
}
