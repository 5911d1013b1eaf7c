// The kernel: its weights in fields, and known kernels by name.

import { byId, make } from "./dom.js";

/** @typedef {Record<string, {values: number[][], text: string}>} Kernels */

const SIZES = [1, 3, 5, 7];
const OWN = "own";

export class KernelEditor {
  /** @param {() => void} changed called when the user changes it */
  constructor(changed) {
    this.changed = changed;
    this.place = byId("kernel", HTMLElement);
    this.names = byId("kernels", HTMLSelectElement);
    /** @type {number[][]} */
    this.values = [[1]];
    /** @type {Kernels} */
    this.known = {};
    this.names.addEventListener("change", () => {
      const chosen = this.known[this.names.value];
      if (chosen) this.values = chosen.values.map((row) => [...row]);
      this.show();
      this.changed();
    });
  }

  get size() {
    return this.values.length;
  }

  /** The name of this kernel, if it is a known one. */
  get name() {
    return Object.keys(this.known).find((name) => JSON.stringify(this.known[name].values) === JSON.stringify(this.values)) ?? OWN;
  }

  /** @param {Kernels} known by name */
  open(known) {
    this.known = known;
    this.names.replaceChildren(...[...Object.keys(known), OWN].map((name) => new Option(name, name)));
  }

  /** Text for an address: its name, or its weights row by row. */
  write() {
    return this.name === OWN ? this.values.map((row) => row.join(",")).join(";") : this.name;
  }

  /** Read the text of `write`. Throws an Error if it is invalid. @param {string} text */
  read(text) {
    const values = this.known[text]?.values ?? text.split(";").map((row) => row.split(",").map((cell) => (cell.trim() ? Number(cell) : NaN)));
    const isKernel = SIZES.includes(values.length) && values.every((row) => row.length === values.length && row.every(Number.isFinite));
    if (!isKernel) throw new Error("kernel cannot be read.");
    this.values = values.map((row) => [...row]);
    this.show();
  }

  /** Keep the centre, and fill with 0. @param {number} size */
  resize(size) {
    const shift = (this.size - size) / 2;
    this.values = Array.from({ length: size }, (_, row) =>
      Array.from({ length: size }, (_, column) => this.values[row + shift]?.[column + shift] ?? 0));
    this.show();
    this.changed();
  }

  /** Show its name and its effect. */
  describe() {
    this.names.value = this.name;
    const text = this.known[this.name]?.text;
    byId("kernel-about", HTMLElement).textContent = text ? `${this.name}: ${text}.` : "A custom kernel. A network learns its kernels by training.";
  }

  show() {
    this.describe();
    this.place.style.setProperty("--columns", String(this.size));
    this.place.classList.toggle("dense", this.size > 3);
    this.place.replaceChildren(...this.values.flatMap((line, row) => line.map((value, column) => {
      // Shown with three digits; unchanged weights stay exact.
      const field = make("input", { type: "number", step: "any", value: String(Number(value.toPrecision(3))), autocomplete: "off" });
      field.ariaLabel = `Weight in row ${row + 1}, column ${column + 1}`;
      field.addEventListener("input", () => {
        this.values[row][column] = Number(field.value);
        this.describe();
        this.changed();
      });
      return field;
    })));
  }
}
