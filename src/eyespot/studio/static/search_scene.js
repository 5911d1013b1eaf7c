// The scene: a place is looked at by a click or with the keys, and the paths are drawn at the end.

import { nearest, positionOf, rowsOf, stepped } from "./search_places.js";
import { paintBlank, paintScene, paintTarget } from "./search_view.js";
import { draw } from "./svg.js";

/**
 * @typedef {import("./search_places.js").Place} Place
 * @typedef {import("./search_view.js").Pixels} Pixels
 * @typedef {{looks: Place[], answer?: Place}} Path
 */

/** Milliseconds of grey between two views: eyes do not see while they move, and a change would show the target. */
const BLANK = 120;
/** Radii in degrees. */
const MARK = 0.42, RING = 1, SEEN = 0.12;

export class Scene {
  /**
   * @param {HTMLElement} place with a canvas and an SVG
   * @param {{places: Place[], side: number, degrees: number}} settings
   * @param {(place: number) => void} looked @param {(text: string) => void} moved tells where the keys lead
   */
  constructor(place, { places, side, degrees }, looked, moved) {
    this.place = place;
    this.places = places;
    this.rows = rowsOf(places);
    this.degrees = degrees;
    this.looked = looked;
    this.moved = moved;
    this.canvas = /** @type {HTMLCanvasElement} */ (place.querySelector("canvas"));
    this.marks = /** @type {SVGSVGElement} */ (place.querySelector("svg"));
    this.canvas.width = this.canvas.height = side;
    this.marks.setAttribute("viewBox", [-degrees / 2, -degrees / 2, degrees, degrees].join(" "));
    this.isOpen = false;
    this.timer = 0;
    /** The place that the keys have reached, and the column where a walk up and down began. */
    this.cursor = nearest(places, [0, 0]);
    this.column = 0;
    place.addEventListener("click", (event) => this.click(event));
    place.addEventListener("keydown", (event) => this.press(event));
  }

  /** @param {Pixels} pixels */
  showTarget(pixels) {
    this.close();
    this.marks.replaceChildren();
    paintTarget(this.canvas, pixels);
  }

  /** The view from the last look. @param {Pixels} pixels @param {number} slope @param {Place[]} looks */
  show(pixels, slope, looks) {
    this.isOpen = true;
    this.place.classList.add("open");
    this.marks.replaceChildren(...looks.map(([cx, cy]) => draw("circle", { class: "seen", cx, cy, r: SEEN })), this.ring());
    paintBlank(this.canvas);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => paintScene(this.canvas, pixels, this.scale, slope, looks[looks.length - 1]), BLANK);
  }

  /** The whole scene, clear, with the paths. @param {Pixels} pixels @param {Path} you @param {Path} model */
  reveal(pixels, you, model) {
    this.close();
    paintScene(this.canvas, pixels, this.scale, 0);
    const [cx, cy] = pixels.place;
    this.marks.replaceChildren(
      draw("circle", { class: "target casing", cx, cy, r: RING }), draw("circle", { class: "target", cx, cy, r: RING }),
      drawLine("model", model), drawLine("you", you), drawLooks("model", model), drawLooks("you", you));
  }

  close() {
    clearTimeout(this.timer);
    this.isOpen = false;
    this.place.classList.remove("open");
  }

  /** Pixels of a degree. */
  get scale() {
    return this.canvas.width / this.degrees;
  }

  /** A ring at the place that the keys have reached. */
  ring() {
    const [cx, cy] = this.places[this.cursor];
    return draw("g", { class: "cursor" }, draw("circle", { class: "casing", cx, cy, r: 0.6 }), draw("circle", { cx, cy, r: 0.6 }));
  }

  /** @param {MouseEvent} event */
  click(event) {
    if (!this.isOpen) return;
    const { left, top, width } = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top].map((pixel) => (pixel / width - 0.5) * this.degrees);
    this.cursor = nearest(this.places, [x, y]);
    this.column = this.places[this.cursor][0];
    this.looked(this.cursor);
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (!this.isOpen || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault(); // or it would press the button that gets the focus
      if (!event.repeat) this.looked(this.cursor);
      return;
    }
    const to = stepped(this.places, this.rows, this.cursor, event.key, this.column);
    if (to === undefined) return;
    event.preventDefault();
    this.cursor = to;
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") this.column = this.places[to][0];
    this.marks.querySelector(".cursor")?.replaceWith(this.ring());
    const [row, column] = positionOf(this.rows, to);
    this.moved(`Row ${row + 1}, place ${column + 1} of ${this.rows[row].length}`);
  }
}

/** The line of a path, from its first look to its answer. @param {"you" | "model"} who @param {Path} path */
function drawLine(who, { looks, answer }) {
  const points = [...looks, ...(answer ? [answer] : [])].map((place) => place.join()).join(" ");
  return draw("g", { class: `path ${who}` }, draw("polyline", { class: "casing", points }), draw("polyline", { points }));
}

/** The numbered looks of a path. @param {"you" | "model"} who @param {Path} path */
function drawLooks(who, { looks }) {
  return draw("g", { class: `path ${who}` }, ...looks.flatMap(([x, y], number) => [
    who === "you"
      ? draw("circle", { cx: x, cy: y, r: MARK })
      : draw("rect", { x: x - MARK, y: y - MARK, width: 2 * MARK, height: 2 * MARK, rx: 0.08 }),
    draw("text", { x, y: y + 0.16 }, String(number + 1)),
  ]));
}
