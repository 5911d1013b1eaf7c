// The plane: the network's output, the points, and custom points.

import { mark, paint, prepare } from "./play_colours.js";
import { surface } from "./play_state.js";

/**
 * @typedef {import("./play_colours.js").Colours} Colours
 * @typedef {import("./play_state.js").State} State
 * @typedef {[x: number, y: number, target: number]} Point
 */

const SIZE = 4;
/** A click this close to a custom point removes it, in units of the plane. */
const NEAR = 0.3;
/** Step of the cross by an arrow key. */
const STRIDE = 0.5;
/** Coordinates are rounded to 1 / DIGITS. */
const DIGITS = 100;

export class Plane {
  /**
   * @param {HTMLCanvasElement} canvas @param {number} edge of the plane
   * @param {(x: number, y: number, near: number) => void} place adds or removes a point
   * @param {(text: string) => void} say announces the position of the cross
   */
  constructor(canvas, edge, place, say) {
    this.canvas = canvas;
    this.edge = edge;
    this.place = place;
    this.say = say;
    this.isOpen = false;
    this.cross = { x: 0, y: 0, isShown: false };
    this.small = document.createElement("canvas");
    canvas.addEventListener("click", (event) => {
      const box = canvas.getBoundingClientRect();
      const x = edge * ((2 * (event.clientX - box.left)) / box.width - 1);
      const y = edge * (1 - (2 * (event.clientY - box.top)) / box.height);
      this.put(x, y);
    });
    canvas.addEventListener("keydown", (event) => this.move(event));
    canvas.addEventListener("focus", () => { this.cross.isShown = canvas.matches(":focus-visible"); });
    canvas.addEventListener("blur", () => { this.cross.isShown = false; });
    this.setOpen(false);
  }

  /** Allow or forbid custom points. @param {boolean} isOpen */
  setOpen(isOpen) {
    this.isOpen = isOpen;
    this.canvas.classList.toggle("open", isOpen);
    this.canvas.role = isOpen ? "application" : "img";
    if (isOpen) this.canvas.tabIndex = 0;
    else this.canvas.removeAttribute("tabindex");
  }

  /** @param {number} x @param {number} y */
  put(x, y) {
    if (!this.isOpen) return;
    const [left, up] = [x, y].map((value) => Math.round(DIGITS * Math.min(this.edge, Math.max(-this.edge, value))) / DIGITS);
    this.place(left, up, NEAR);
  }

  /** @param {KeyboardEvent} event */
  move(event) {
    if (!this.isOpen) return;
    const [right, up] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (event.key === "Enter" || event.key === " ") this.put(this.cross.x, this.cross.y);
    else if (!right && !up) return;
    event.preventDefault();
    const within = (/** @type {number} */ value) => Math.min(this.edge, Math.max(-this.edge, value));
    this.cross = { x: within(this.cross.x + STRIDE * right), y: within(this.cross.y + STRIDE * up), isShown: true };
    if (right || up) this.say(`x ${this.cross.x}, y ${this.cross.y}`.replaceAll("-", "−"));
  }

  /**
   * @param {State} state @param {Colours} colours @param {boolean} showsTests
   * @param {Point[] | undefined} draft too few points to train on; shown alone
   */
  draw(state, colours, showsTests, draft) {
    const { pen, width } = prepare(this.canvas);
    const at = (/** @type {number} */ value) => (width * (value / this.edge + 1)) / 2;
    const side = state.shapes.shades[1];
    pen.fillStyle = colours.zero;
    pen.fillRect(0, 0, width, width);
    if (!draft) {
      paint(this.small, surface(state, state.shapes.shades[0] - 1), side, colours);
      pen.imageSmoothingEnabled = true;
      pen.imageSmoothingQuality = "high";
      // The centres of the outer pixels lie on the edges of the plane.
      pen.drawImage(this.small, 0.5, 0.5, side - 1, side - 1, 0, 0, width, width);
    }
    pen.strokeStyle = colours.soft;
    pen.globalAlpha = 0.35;
    pen.lineWidth = 1;
    pen.strokeRect(at(0), -1, 0, width + 2);
    pen.strokeRect(-1, at(0), width + 2, 0);
    pen.globalAlpha = 1;
    const points = draft ?? rows(state.points, 4);
    for (const [x, y, target, isTrain = 1] of points) {
      if (isTrain || showsTests) mark(pen, at(x), at(-y), SIZE, target, Boolean(isTrain), colours);
    }
    if (this.cross.isShown) this.drawCross(pen, at(this.cross.x), at(-this.cross.y), colours);
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} x @param {number} y @param {Colours} colours */
  drawCross(pen, x, y, colours) {
    for (const [width, colour] of /** @type {[number, string][]} */ ([[5, colours.paper], [2, colours.ink]])) {
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.beginPath();
      pen.moveTo(x - 10, y);
      pen.lineTo(x + 10, y);
      pen.moveTo(x, y - 10);
      pen.lineTo(x, y + 10);
      pen.stroke();
    }
  }
}

/** @param {Float32Array} flat @param {number} width @returns {number[][]} */
export function rows(flat, width) {
  return Array.from({ length: flat.length / width }, (_, row) => [...flat.subarray(row * width, (row + 1) * width)]);
}
