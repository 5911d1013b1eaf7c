// A grid of numbers with shaded cells: for viewing, for arrow keys, and for painting.

import { make } from "./dom.js";
import { rounded } from "./numbers.js";

/** Colours of a grid with negative numbers. */
const PLUS = [11, 106, 99], MINUS = [178, 58, 30], ZERO = [247, 245, 240];
const DARK = [16, 16, 16], LIGHT = [255, 255, 255];
/** Columns up to which the numbers are readable. */
const READABLE = 16;

/** @param {number[]} from @param {number[]} to @param {number} share */
const mix = (from, to, share) => from.map((part, place) => Math.round(part + (to[place] - part) * share));

/** Whether white is more readable on this colour than black (WCAG's luminance).
 * @param {number[]} colour */
function isDark(colour) {
  const [r, g, b] = colour.map((part) => (part <= 10 ? part / 3295 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 0.179;
}

export class Grid {
  /** @param {HTMLElement} place with a label
   * @param {(row: number, column: number) => void} reached called when a cell gets the focus */
  constructor(place, reached = () => {}) {
    this.place = place;
    this.reached = reached;
    /** @type {HTMLElement[][]} */
    this.cells = [];
    /** Rows and columns of padding. */
    this.edge = 0;
    place.setAttribute("role", "grid");
    place.addEventListener("focusin", (event) => this.focused(event));
    place.addEventListener("keydown", (event) => this.walk(event));
  }

  /** @param {number[][]} values @param {number} padding around them @param {number} white the value that is white, if no number is negative */
  show(values, padding, white) {
    const height = values.length + 2 * padding, width = values[0].length + 2 * padding;
    if (height !== this.cells.length || width !== this.cells[0].length || padding !== this.edge) this.build(height, width, padding);
    const numbers = values.flat();
    const most = Math.max(white, ...numbers.map(Math.abs)), isSigned = Math.min(...numbers) < 0;
    for (const [row, line] of this.cells.entries()) {
      for (const [column, cell] of line.entries()) {
        const value = values[row - padding]?.[column - padding];
        if (value === undefined) continue;
        const share = Math.abs(value) / most;
        const colour = isSigned ? mix(ZERO, value < 0 ? MINUS : PLUS, share) : mix(DARK, LIGHT, share);
        cell.textContent = rounded(value);
        cell.style.setProperty("--shade", `rgb(${colour.join()})`);
        cell.classList.toggle("dark", isDark(colour));
      }
    }
  }

  /** @param {number} height @param {number} width @param {number} padding */
  build(height, width, padding) {
    this.edge = padding;
    this.place.style.setProperty("--columns", String(width));
    this.place.classList.toggle("readable", width <= READABLE);
    this.cells = Array.from({ length: height }, (_, row) => Array.from({ length: width }, (_, column) => {
      const cell = make("div", { role: "gridcell" });
      const isPadding = row < padding || column < padding || row >= height - padding || column >= width - padding;
      if (isPadding) {
        cell.className = "padding";
        cell.textContent = "0";
        cell.ariaLabel = "0, padding";
      } else {
        Object.assign(cell.dataset, { row: row - padding, column: column - padding });
        cell.tabIndex = -1;
      }
      return cell;
    }));
    this.place.replaceChildren(...this.cells.map((line) => make("div", { role: "row" }, ...line)));
    const first = this.cell(0, 0);
    if (first) first.tabIndex = 0;
  }

  /** @param {number} row @param {number} column @returns {HTMLElement | undefined} padding has negative rows and columns */
  cell(row, column) {
    return this.cells[row + this.edge]?.[column + this.edge];
  }

  /** Row and column of a cell that was clicked or focused. @param {EventTarget | null} target @returns {[number, number] | undefined} */
  placeOf(target) {
    if (!(target instanceof HTMLElement) || !this.place.contains(target) || target.dataset.row === undefined) return undefined;
    return [Number(target.dataset.row), Number(target.dataset.column)];
  }

  /** Mark these cells, and no others. @param {string} mark @param {[number, number][]} places */
  mark(mark, places) {
    for (const cell of this.place.querySelectorAll(`.${mark}`)) cell.classList.remove(mark);
    for (const [row, column] of places) this.cell(row, column)?.classList.add(mark);
  }

  /** @param {FocusEvent} event */
  focused(event) {
    const place = this.placeOf(event.target);
    if (!place || !(event.target instanceof HTMLElement)) return;
    for (const cell of this.place.querySelectorAll("[tabindex='0']")) cell.setAttribute("tabindex", "-1");
    event.target.tabIndex = 0;
    this.reached(...place);
  }

  /** @param {KeyboardEvent} event */
  walk(event) {
    const place = this.placeOf(event.target);
    if (!place || event.altKey || event.ctrlKey || event.metaKey) return;
    const [row, column] = place;
    const last = this.cells[0].length - 2 * this.edge - 1;
    /** @type {Record<string, [number, number]>} */
    const ways = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1], Home: [row, 0], End: [row, last],
    };
    const to = ways[event.key];
    if (!to) return;
    event.preventDefault();
    const cell = this.cell(...to);
    if (cell?.dataset.row !== undefined) cell.focus();
  }
}
