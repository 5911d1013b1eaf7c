// How one pixel of the result comes about, written out.

import { byId } from "./ask.js";
import { short } from "./convolution_grid.js";

/** @typedef {{rows: number[], columns: number[], inputs: number[][], products: number[][] | null, value: number, text: string}} Pixel */

/** @param {string} title @param {number[][]} values @param {(row: number, column: number) => boolean} [isPadding] */
function numbers(title, values, isPadding = () => false) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = title;
  const grid = document.createElement("div");
  grid.className = "numbers";
  grid.style.setProperty("--columns", String(values[0].length));
  grid.append(...values.flatMap((line, row) => line.map((value, column) => {
    const cell = document.createElement("span");
    cell.textContent = short(value);
    cell.classList.toggle("padding", isPadding(row, column));
    return cell;
  })));
  figure.append(caption, grid);
  return figure;
}

/** @param {string} text @param {string} style */
function sign(text, style) {
  const span = document.createElement("span");
  span.textContent = text;
  span.className = style;
  return span;
}

/** @param {Pixel} pixel @param {number[][] | undefined} kernel of a convolution @param {number[][]} picture */
export function showWorking(pixel, kernel, picture) {
  const isPadding = (/** @type {number} */ row, /** @type {number} */ column) =>
    picture[pixel.rows[row]]?.[pixel.columns[column]] === undefined;
  const parts = [numbers("the window", pixel.inputs, isPadding)];
  if (kernel && pixel.products) {
    parts.push(sign("×", "sign"), numbers("the kernel", kernel), sign("=", "sign"), numbers("products", pixel.products));
  }
  const what = kernel ? "added up:" : "pooled:";
  byId("working", HTMLElement).replaceChildren(...parts, sign(what, "note"), sign(short(pixel.value), "total"));
  byId("sum", HTMLElement).textContent = pixel.text.replaceAll(" * ", " × ").replaceAll("-", "−");
}
