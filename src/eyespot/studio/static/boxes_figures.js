// The figures of a detector, and the objects of a photo, by class.

import { classColour } from "./boxes_shape.js";
import { make } from "./dom.js";
import { counted } from "./numbers.js";
import { percent, percentInterval } from "./percent.js";

/**
 * @typedef {import("./boxes_editor.js").BoxClass} BoxClass
 * @typedef {[number, number] | null} Interval
 * @typedef {{photo: number, kind: string, box: [number, number, number, number]}} Issue
 * @typedef {{name: string, ap50: number | null}} ClassFigures
 * @typedef {{key: string, classes: Record<string, string>, photos: number, boxes: number, evaluated_on: string, evaluated: number,
 *   ap50: number | null, ap50_interval: Interval, count_mae: number | null, count_mae_interval: Interval,
 *   count_mean: number | null, per_class: ClassFigures[], issues: Issue[]}} Summary
 */

/** @param {Interval | undefined} interval */
const isKnown = (interval) => Boolean(interval) && interval?.[0] !== null;

/** The coloured mark of a class. @param {BoxClass | undefined} of */
export function dotOf(of) {
  const dot = make("span", { className: "dot" });
  dot.style.setProperty("--class", classColour(of?.position ?? 0));
  return dot;
}

/** The figures as elements. @param {Summary | null} summary @param {BoxClass[]} classes */
export function figureElements(summary, classes) {
  if (!summary) return [];
  const { ap50, ap50_interval, count_mae, count_mae_interval, count_mean, per_class } = summary;
  const interval = ap50_interval && isKnown(ap50_interval) ? `, 95% CI ${percentInterval(...ap50_interval)}` : "";
  const shown = [
    make("p", { className: "note", textContent: "AP50" }),
    make("p", { className: "figure", textContent: ap50 === null ? "–" : percent(ap50) }),
    make("p", { className: "note", textContent: `n = ${counted(summary.evaluated, "photo")}${interval}` }),
    make("ul", { className: "rows" }, ...per_class.filter((one) => one.ap50 !== null).map((one) => classRow(one, summary, classes))),
  ];
  if (count_mae !== null) {
    const range = count_mae_interval && isKnown(count_mae_interval) ? ` (95% CI ${count_mae_interval.map((value) => value.toFixed(2)).join("–")})` : "";
    const mean = count_mean === null ? "" : ` of ${count_mean.toFixed(1)} on average`;
    shown.push(make("p", { className: "note", textContent: `Counts off by ${count_mae.toFixed(2)}${range} per photo${mean}` }));
  }
  return shown;
}

/** @param {ClassFigures} one @param {Summary} summary @param {BoxClass[]} classes */
function classRow({ name, ap50 }, summary, classes) {
  const of = classes.find((other) => other.id === summary.classes[name]);
  const bar = make("span"), track = make("span", { className: "track", ariaHidden: "true" }, bar);
  bar.style.width = `${100 * (ap50 ?? 0)}%`;
  bar.style.setProperty("--class", classColour(of?.position ?? 0));
  return make("li", {}, dotOf(of), make("span", { textContent: of?.name ?? name }), track, make("span", { textContent: percent(ap50 ?? 0) }));
}

/** The number of boxes of each class, and of those that are proposed.
 * @param {BoxClass[]} classes @param {{class_id: string, probability?: number}[]} boxes @param {boolean} hasProposals */
export function countElements(classes, boxes, hasProposals) {
  return classes.map((of) => {
    const own = boxes.filter((box) => box.class_id === of.id && (!hasProposals || box.probability === undefined)).length;
    const proposed = boxes.filter((box) => box.class_id === of.id).length - own;
    const text = `${own.toLocaleString("en")}${proposed ? ` + ${proposed.toLocaleString("en")} proposed` : ""}`;
    return make("li", { className: "wide" }, dotOf(of), make("span", { textContent: of.name }), make("strong", { textContent: text }));
  });
}

/** 3 boxes may be missing, 1 may have another class. @param {Issue[]} issues */
export function issueText(issues) {
  /** @type {Record<string, string>} */
  const words = { missing: "may be missing", misplaced: "may be misplaced", "wrong class": "may have another class", spurious: "may be wrong" };
  const parts = Object.entries(words).flatMap(([kind, text]) => {
    const count = issues.filter((issue) => issue.kind === kind).length;
    return count ? [`${counted(count, "box", "boxes")} ${text}`] : [];
  });
  return `${parts.join(", ")}.`;
}
