// The computation of one output pixel, written out.

import { byId, make } from "./dom.js";
import { rounded, signs } from "./numbers.js";

/** @typedef {{rows: number[], columns: number[], inputs: number[][], products: number[][] | null, value: number, text: string}} Pixel */

/** @param {string} title @param {number[][]} values @param {(row: number, column: number) => boolean} [isPadding] */
function numbers(title, values, isPadding = () => false) {
  const cells = values.flatMap((line, row) => line.map((value, column) =>
    make("span", { textContent: rounded(value), className: isPadding(row, column) ? "padding" : "" })));
  const grid = make("div", { className: "numbers" }, ...cells);
  grid.style.setProperty("--columns", String(values[0].length));
  return make("figure", {}, make("figcaption", { textContent: title }), grid);
}

/** @param {string} textContent @param {string} className */
const sign = (textContent, className = "sign") => make("span", { textContent, className });

/** @param {Pixel} pixel @param {number[][] | undefined} kernel of a convolution @param {number[][]} image */
export function showWorking(pixel, kernel, image) {
  const isPadding = (/** @type {number} */ row, /** @type {number} */ column) =>
    image[pixel.rows[row]]?.[pixel.columns[column]] === undefined;
  const parts = [numbers("window", pixel.inputs, isPadding)];
  if (kernel && pixel.products) parts.push(sign("×"), numbers("kernel", kernel), sign("="), numbers("products", pixel.products));
  byId("working", HTMLElement).replaceChildren(...parts, sign(kernel ? "sum:" : "pooled:", "note"), sign(rounded(pixel.value), "total"));
  byId("sum", HTMLElement).textContent = signs(pixel.text);
}
