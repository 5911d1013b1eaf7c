// The costs of a standard and of a separable convolution.

import { latest } from "./ask.js";
import { byId, make, tell } from "./dom.js";
import { signs } from "./numbers.js";

/**
 * @typedef {{number: number, text: string}} Count
 * @typedef {{weights: Count, multiply_adds: Count}} Costs
 * @typedef {Costs & {standard: Costs, depthwise: Costs, pointwise: Costs, text: string, ratio: number}} Comparison
 */

const FIELDS = ["in_channels", "out_channels", "side", "width"];
/** @type {["weights" | "multiply_adds", string][]} */
const COUNTS = [["weights", "Weights"], ["multiply_adds", "Multiply-adds per image"]];
const ask = latest("/api/convolution/costs");

/** @param {string} name @param {Count[]} parts @param {number} most @param {string} text */
function bar(name, parts, most, text) {
  const pieces = parts.map((part, place) => {
    const piece = make("i", { className: place ? "pointwise" : "" });
    piece.style.setProperty("width", `${(100 * part.number) / most}%`);
    return piece;
  });
  return make("div", {},
    make("span", { textContent: name }),
    make("span", { className: "cost" }, ...pieces),
    make("span", { className: "note", textContent: signs(text) }));
}

/** @param {Comparison} found */
function show(found) {
  byId("cost-bars", HTMLElement).replaceChildren(...COUNTS.flatMap(([key, name]) => {
    const most = Math.max(found.standard[key].number, found[key].number);
    return [
      make("h3", { textContent: name }),
      bar("standard", [found.standard[key]], most, found.standard[key].text),
      bar("separable", [found.depthwise[key], found.pointwise[key]], most, found[key].text),
    ];
  }));
  byId("cost-ratio", HTMLElement).textContent = `The separable convolution needs ${found.text}. `
    + (found.ratio < 1 ? `That is a factor of ${(1 / found.ratio).toFixed(1)}.` : "It saves nothing here.");
}

/** Fields of the layer; their ids are also keys of the address. */
export const fields = () => FIELDS.map((id) => byId(id, HTMLInputElement));

/** Show the layer's costs. */
export async function compare() {
  const [in_channels, out_channels, side, kernel] = fields().map((field) => Math.trunc(Number(field.value)));
  const problem = byId("cost-problem", HTMLElement);
  try {
    const answer = await ask({ in_channels, out_channels, side, kernel });
    if (!answer) return;
    if (answer.error) throw new Error(answer.error);
    problem.hidden = true;
    show(answer);
  } catch (error) {
    tell(problem, error);
  }
}
