// What a convolution of a network costs, beside its separable twin.

import { byId, tell } from "./ask.js";
import { latest } from "./latest.js";

/**
 * @typedef {{number: number, text: string}} Count
 * @typedef {{weights: Count, multiply_adds: Count}} Costs
 * @typedef {Costs & {standard: Costs, depthwise: Costs, pointwise: Costs, text: string, ratio: number}} Comparison
 */

const NUMBERS = ["maps", "filters", "side", "width"];
/** @type {["weights" | "multiply_adds", string][]} */
const COUNTS = [["weights", "Weights"], ["multiply_adds", "Multiply-adds for one picture"]];
const ask = latest("/api/convolution/costs");

/** @param {string} name @param {Count[]} parts @param {number} most @param {string} text */
function bar(name, parts, most, text) {
  const row = document.createElement("div");
  const title = document.createElement("span");
  title.textContent = name;
  const whole = document.createElement("span");
  whole.className = "cost";
  whole.append(...parts.map((part, place) => {
    const piece = document.createElement("i");
    piece.className = place ? "pointwise" : "";
    piece.style.setProperty("width", `${(100 * part.number) / most}%`);
    return piece;
  }));
  const about = document.createElement("span");
  about.className = "note";
  about.textContent = text.replaceAll("*", "×");
  row.append(title, whole, about);
  return row;
}

/** @param {Comparison} found */
function show(found) {
  byId("cost-bars", HTMLElement).replaceChildren(...COUNTS.flatMap(([key, name]) => {
    const title = document.createElement("h3");
    title.textContent = name;
    const most = Math.max(found.standard[key].number, found[key].number);
    return [
      title,
      bar("standard", [found.standard[key]], most, found.standard[key].text),
      bar("separable", [found.depthwise[key], found.pointwise[key]], most, found[key].text),
    ];
  }));
  byId("cost-ratio", HTMLElement).textContent = `The separable one needs ${found.text}. `
    + (found.ratio < 1 ? `That is ${(1 / found.ratio).toFixed(1)} times less.` : "That saves nothing.");
}

/** Of the layer, each with the name it has in an address. */
export const fields = () => NUMBERS.map((id) => byId(id, HTMLInputElement));

/** Show what the layer costs. */
export async function compare() {
  const [maps, filters, side, kernel] = fields().map((field) => Math.trunc(Number(field.value)));
  const problem = byId("cost-problem", HTMLElement);
  try {
    const answer = await ask({ maps, filters, side, kernel });
    if (!answer) return;
    if (answer.error) throw new Error(answer.error);
    problem.hidden = true;
    show(answer);
  } catch (error) {
    tell(problem, error);
  }
}
