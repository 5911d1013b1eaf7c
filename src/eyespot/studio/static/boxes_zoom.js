// The part of the photo that the editor shows: zoomed by wheel, fingers and keys, panned by dragging.

import { magnified, panned, revealed, viewBox, WHOLE } from "./boxes_geometry.js";

/** The zoom of a key is STEP; that of a wheel grows with its CSS pixels, faster for a pinch on a touchpad. */
const STEP = 1.5, WHEEL = 0.002, PINCH = 0.01;
/** CSS pixels of a line of a wheel, and the share of the view that an arrow key pans. */
const LINE = 16, PAN = 0.2;

/** The centre of pointers, and how far they are from it, in CSS pixels. @param {{clientX: number, clientY: number}[]} pointers */
function gathered(pointers) {
  const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const clientX = mean(pointers.map((one) => one.clientX)), clientY = mean(pointers.map((one) => one.clientY));
  return { clientX, clientY, spread: mean(pointers.map((one) => Math.hypot(one.clientX - clientX, one.clientY - clientY))) };
}

export class Zoom {
  /** @param {SVGSVGElement} svg @param {() => void} changed after each change of the view
   *  @param {() => void} drop ends what the first finger draws, when a second one comes */
  constructor(svg, changed, drop) {
    this.svg = svg;
    this.changed = changed;
    this.drop = drop;
    this.size = { width: 1, height: 1 };
    this.view = WHOLE;
    /** Fingers on the photo, or the mouse that pans. @type {Map<number, PointerEvent>} */
    this.held = new Map();
    this.isMoving = this.isSpace = false;
    /** Whether the mouse was used on the photo after the Tab key: Space then pans, and presses no button. */
    this.isNear = false;
    svg.addEventListener("wheel", (event) => this.turn(event), { passive: false });
    svg.addEventListener("pointerdown", (event) => this.press(event), { capture: true });
    svg.addEventListener("pointermove", (event) => this.move(event));
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) svg.addEventListener(name, (event) => this.release(event));
    svg.addEventListener("pointerleave", () => (this.isNear = false));
    addEventListener("keydown", (event) => this.key(event), { capture: true });
    addEventListener("keyup", (event) => this.keyUp(event), { capture: true });
    addEventListener("blur", () => this.hold(false));
  }

  get isZoomed() {
    return this.view.scale > 1;
  }

  /** Pixels of the photo for one of the page. */
  get unit() {
    return 1 / (this.svg.getScreenCTM()?.a || 1);
  }

  /** The place of the photo below a place of the window. @param {{clientX: number, clientY: number}} place */
  pointOf({ clientX, clientY }) {
    return new DOMPoint(clientX, clientY).matrixTransform(this.svg.getScreenCTM()?.inverse());
  }

  /** The middle of the view, in pixels of the photo. */
  get middle() {
    const { x, y, scale } = this.view;
    return { x: x + this.size.width / scale / 2, y: y + this.size.height / scale / 2 };
  }

  /** @param {import("./boxes_geometry.js").View} view */
  show(view) {
    this.view = view;
    this.svg.setAttribute("viewBox", viewBox(view, this.size));
    this.svg.classList.toggle("zoomed", this.isZoomed);
    this.changed();
  }

  /** Show the whole of a photo. @param {import("./boxes_geometry.js").Size} size */
  fit(size = this.size) {
    this.size = size;
    this.show(WHOLE);
  }

  /** Zoom in by a step, or out. @param {boolean} isIn @param {{x: number, y: number}} at the place that stays */
  step(isIn, at = this.middle) {
    this.show(magnified(this.view, isIn ? STEP : 1 / STEP, at, this.size));
  }

  /** Pan by a part of the view. @param {number} x -1, 0 or 1 @param {number} y */
  pan(x, y) {
    const { width, height } = this.size, share = PAN / this.view.scale;
    this.show(panned(this.view, x * share * width, y * share * height, this.size));
  }

  /** Pan until a box is in the view. @param {import("./boxes_geometry.js").Corners} box */
  reveal(box) {
    if (this.isZoomed) this.show(revealed(this.view, box, this.size));
  }

  /** @param {WheelEvent} event */
  turn(event) {
    event.preventDefault();
    const way = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1);
    this.show(magnified(this.view, Math.exp(-way * (event.ctrlKey ? PINCH : WHEEL)), this.pointOf(event), this.size));
  }

  /** Begin to move the view: with two fingers, the middle button, or Space. @param {PointerEvent} event */
  press(event) {
    const isPan = event.button === 1 || (event.button === 0 && this.isSpace);
    if (event.pointerType !== "touch" && !isPan) return;
    this.held.set(event.pointerId, event);
    if (!isPan && this.held.size === 1) return; // one finger draws
    event.preventDefault();
    event.stopPropagation();
    this.drop();
    this.isMoving = true;
    this.svg.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  move(event) {
    this.isNear = event.pointerType === "mouse";
    if (!this.held.has(event.pointerId)) return;
    const from = gathered([...this.held.values()]);
    this.held.set(event.pointerId, event);
    if (!this.isMoving) return;
    const to = gathered([...this.held.values()]);
    const larger = magnified(this.view, from.spread ? to.spread / from.spread : 1, this.pointOf(from), this.size);
    const unit = (this.unit * this.view.scale) / larger.scale;
    this.show(panned(larger, (from.clientX - to.clientX) * unit, (from.clientY - to.clientY) * unit, this.size));
  }

  /** @param {PointerEvent} event */
  release(event) {
    this.held.delete(event.pointerId);
    this.isMoving &&= this.held.size > 0;
  }

  /** @param {boolean} isSpace whether Space is down: the mouse pans */
  hold(isSpace) {
    this.isSpace = isSpace;
    this.svg.classList.toggle("pans", isSpace);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key === "Tab") this.isNear = false;
    const isText = event.target instanceof HTMLInputElement && event.target.type !== "file";
    if (event.key !== " " || !this.isNear || isText) return;
    event.preventDefault();
    event.stopPropagation();
    this.hold(true);
  }

  /** @param {KeyboardEvent} event */
  keyUp(event) {
    if (event.key !== " " || !this.isSpace) return;
    event.preventDefault(); // presses no button
    this.hold(false);
  }
}
