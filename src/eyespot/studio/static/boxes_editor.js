// The photo with its boxes: drawn, moved, resized and deleted with mouse, touch and keyboard.

import { area, between, distance, LEAST, moved, resized } from "./boxes_geometry.js";
import { classColour, makeHandles, makeShape, showShape } from "./boxes_shape.js";
import { Zoom } from "./boxes_zoom.js";
import { percent } from "./percent.js";
import { draw } from "./svg.js";

/**
 * `probability`: of a proposal, undefined for a box of the user.
 * @typedef {import("./boxes_geometry.js").Corners & {class_id: string, ignored: boolean, probability?: number}} Box
 * @typedef {{id: string, name: string, position: number}} BoxClass
 */

/** CSS pixels that a pointer moves before a click becomes a drag, and that a key moves a box. */
const STILL = 4, STEP = 2;
/** @type {Record<string, [number, number]>} */
export const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Editor {
  /** @param {SVGSVGElement} svg @param {(isKey: boolean) => void} changed after each change of a box
   *  @param {(message: string) => void} complain @param {(scale: number) => void} zoomed after each change of the zoom */
  constructor(svg, changed, complain, zoomed) {
    this.svg = svg;
    this.changed = changed;
    this.complain = complain;
    /** @type {BoxClass[]} */
    this.classes = [];
    this.current = "";
    /** @type {Box[]} */
    this.boxes = [];
    /** @type {Map<Box, SVGElement>} */
    this.shapes = new Map();
    /** @type {Box | undefined} */
    this.selected = undefined;
    this.size = { width: 1, height: 1 };
    this.isDrawing = true;
    /** Whether a pointer holds a box, or draws one. */
    this.isHeld = false;
    /** End a drag without a change. */
    this.drop = () => {};
    this.source = "";
    /** Whether all pixels of the photo were requested. */
    this.isSharp = false;
    this.zoom = new Zoom(svg, () => {
      this.sharpen();
      this.show();
      zoomed(this.zoom.view.scale);
    }, () => this.drop());
    this.image = draw("image", { x: 0, y: 0 });
    this.layer = draw("g");
    this.marks = draw("g", { "aria-hidden": "true" });
    this.handles = draw("g", { "aria-hidden": "true" });
    svg.append(this.image, this.layer, this.marks, this.handles);
    svg.addEventListener("pointerdown", (event) => this.press(event));
    svg.addEventListener("keydown", (event) => this.key(event));
    svg.addEventListener("focusin", (event) => {
      this.select(this.boxOf(event.target));
      if (this.selected && !this.isHeld) this.zoom.reveal(this.selected);
    });
    new ResizeObserver(() => this.show()).observe(svg);
  }

  get unit() {
    return this.zoom.unit;
  }

  get proposals() {
    return this.boxes.filter((box) => box.probability !== undefined);
  }

  get own() {
    return this.boxes.filter((box) => box.probability === undefined);
  }

  /** @param {string} source @param {{width: number, height: number}} size @param {string} name */
  open(source, size, name) {
    this.size = { width: size.width, height: size.height };
    this.source = source;
    this.isSharp = false;
    this.svg.setAttribute("aria-label", `Boxes of ${name}`);
    for (const [key, value] of Object.entries({ href: source, ...this.size })) this.image.setAttribute(key, String(value));
    this.mark([]);
    this.replace([]);
    this.zoom.fit(this.size);
  }

  /** Show all pixels of the photo once it is magnified, as soon as they are read. */
  async sharpen() {
    if (!this.zoom.isZoomed || this.isSharp) return;
    this.isSharp = true;
    const { source } = this, image = new Image();
    image.src = `${source}?full=true`;
    try {
      await image.decode();
    } catch {
      return; // the smaller photo stays
    }
    if (this.source === source) this.image.setAttribute("href", image.src);
  }

  /** Frame places with likely errors, until another photo is open. @param {[number, number, number, number][]} places xmin, ymin, xmax, ymax */
  mark(places) {
    this.marks.replaceChildren(...places.map(([x, y, right, bottom]) =>
      draw("rect", { class: "issue", x, y, width: right - x, height: bottom - y })));
  }

  /** Show these boxes instead, the large ones below; the focus stays where it was. @param {Box[]} boxes */
  replace(boxes) {
    const before = this.selected;
    const hadFocus = this.layer.contains(document.activeElement);
    this.boxes = [...boxes].sort((one, other) => area(other) - area(one));
    this.shapes.clear();
    this.layer.replaceChildren();
    this.selected = hadFocus && before
      ? [...this.boxes].sort((one, other) => distance(one, before) - distance(other, before))[0] : undefined;
    this.show();
    if (this.selected) this.shapes.get(this.selected)?.focus();
  }

  /** @param {BoxClass[]} classes */
  setClasses(classes) {
    this.classes = classes;
    if (!classes.some((of) => of.id === this.current)) this.current = classes[0]?.id ?? "";
    this.show();
  }

  /** Draw what changed. */
  show() {
    const unit = this.unit;
    for (const [box, shape] of this.shapes) {
      if (this.boxes.includes(box)) continue;
      shape.remove();
      this.shapes.delete(box);
    }
    this.boxes.forEach((box, index) => {
      let shape = this.shapes.get(box);
      if (!shape) {
        shape = makeShape();
        this.shapes.set(box, shape);
        this.layer.append(shape);
      }
      const of = this.classes.find((one) => one.id === box.class_id);
      const name = of?.name ?? "";
      const share = box.probability === undefined ? "" : ` ${percent(box.probability)}`;
      const place = [box.xmin, box.ymin, box.xmax - box.xmin, box.ymax - box.ymin].map(Math.round);
      showShape(shape, box, {
        name,
        share,
        position: of?.position ?? 0,
        text: `${name}${share && `${share}, proposed`}${box.ignored ? ", ignored" : ""}, box ${index + 1} of ${this.boxes.length}, at ${place[0]}, ${place[1]}, ${place[2]} × ${place[3]} pixels`,
        classes: { selected: box === this.selected, proposed: Boolean(share), ignored: box.ignored },
        unit,
      });
    });
    this.handles.replaceChildren(...(this.selected ? makeHandles(this.selected, unit) : []));
  }

  /** @param {Box | undefined} box */
  select(box) {
    if (box === this.selected) return;
    this.selected = box;
    if (!box) { // so that the arrow keys turn to the next photo
      const active = document.activeElement;
      if (active instanceof SVGElement && this.layer.contains(active)) active.blur();
    }
    this.show();
  }

  /** @param {EventTarget | null} target @returns {Box | undefined} */
  boxOf(target) {
    const shape = target instanceof Element ? target.closest(".box") : null;
    return [...this.shapes].find(([, one]) => one === shape)?.[0];
  }

  /** Change the class of the selected box, or of the next ones. @param {string} classId */
  choose(classId) {
    this.current = classId;
    if (!this.selected || this.selected.class_id === classId) return;
    this.selected.class_id = classId;
    this.correct(this.selected);
  }

  /** A changed proposal is a box of the user. @param {Box} box @param {boolean} isKey */
  correct(box, isKey = false) {
    delete box.probability;
    this.show();
    this.changed(isKey);
  }

  /** @param {Box[]} boxes */
  accept(boxes) {
    for (const box of boxes) delete box.probability;
    this.show();
    this.changed(false);
  }

  /** Delete a box, or discard a proposal; the focus goes to the next one. @param {Box} box */
  remove(box) {
    const place = this.boxes.indexOf(box);
    this.boxes = this.boxes.filter((one) => one !== box);
    const next = this.boxes[Math.min(place, this.boxes.length - 1)];
    this.selected = undefined;
    this.show();
    if (next) this.shapes.get(next)?.focus();
    this.changed(false);
  }

  /** Add a box of the current class and select it. @param {import("./boxes_geometry.js").Corners} corners */
  add(corners) {
    if (!this.current) {
      this.complain("Add a class first: enter its name above the photo.");
      return;
    }
    /** @type {Box} */
    const box = { ...corners, class_id: this.current, ignored: false };
    this.boxes.push(box);
    this.show();
    this.shapes.get(box)?.focus(); // selects it
    this.changed(false);
  }

  /** Add a box in the middle of the view, for the keyboard. */
  addInTheMiddle() {
    const { x, y } = this.zoom.middle, share = 0.1 / this.zoom.view.scale;
    const right = share * this.size.width, down = share * this.size.height;
    this.add({ xmin: x - right, ymin: y - down, xmax: x + right, ymax: y + down });
  }

  /** Zoom in or out; the selected box stays where it is. @param {boolean} isIn */
  magnify(isIn) {
    const box = this.selected;
    this.zoom.step(isIn, box && { x: (box.xmin + box.xmax) / 2, y: (box.ymin + box.ymax) / 2 });
  }

  /** Begin to draw, move or resize. @param {PointerEvent} event */
  press(event) {
    if (event.button !== 0 || this.isHeld) return;
    event.preventDefault();
    const start = this.zoom.pointOf(event), hit = this.boxOf(event.target);
    const sides = event.target instanceof SVGElement ? event.target.dataset.sides : undefined;
    const held = sides ? this.selected : this.isDrawing ? undefined : hit;
    const before = held && { ...held };
    const draft = draw("rect", { class: "draft" });
    draft.style.setProperty("--class", classColour(this.classes.find((of) => of.id === this.current)?.position ?? 0));
    let isDrag = false;
    this.isHeld = true;
    if (hit && !this.isDrawing) this.shapes.get(hit)?.focus({ preventScroll: true });
    this.svg.setPointerCapture(event.pointerId);

    const move = (/** @type {PointerEvent} */ now) => {
      const point = this.zoom.pointOf(now), x = point.x - start.x, y = point.y - start.y;
      isDrag ||= Math.hypot(x, y) > STILL * this.unit;
      if (!isDrag) return;
      if (held && before) {
        Object.assign(held, sides ? resized(before, sides, x, y, this.size) : moved(before, x, y, this.size));
        this.show();
      } else if (this.isDrawing) {
        const box = between(start, point, this.size);
        for (const [key, value] of Object.entries({ x: box.xmin, y: box.ymin, width: box.xmax - box.xmin, height: box.ymax - box.ymin })) draft.setAttribute(key, String(value));
        this.handles.replaceChildren(draft);
      }
    };
    const end = (/** @type {PointerEvent} */ now) => {
      for (const [name, listener] of /** @type {const} */ ([["pointermove", move], ["pointerup", end], ["pointercancel", end]])) this.svg.removeEventListener(name, listener);
      this.isHeld = false;
      this.drop = () => {};
      const isCancelled = now.type === "pointercancel";
      if (isCancelled && held && before) Object.assign(held, before);
      if (isDrag && held && !isCancelled) this.correct(held);
      else if (isDrag && this.isDrawing && !held && !isCancelled) this.finish(between(start, this.zoom.pointOf(now), this.size));
      else if (!isDrag && !sides) this.pick(hit);
      this.show();
    };
    this.drop = () => end(new PointerEvent("pointercancel"));
    this.svg.addEventListener("pointermove", move);
    this.svg.addEventListener("pointerup", end);
    this.svg.addEventListener("pointercancel", end);
  }

  /** Add the box that was drawn. @param {import("./boxes_geometry.js").Corners} corners */
  finish(corners) {
    if (corners.xmax - corners.xmin >= LEAST && corners.ymax - corners.ymin >= LEAST) this.add(corners);
  }

  /** Select the box that was clicked. @param {Box | undefined} box */
  pick(box) {
    if (box) this.shapes.get(box)?.focus({ preventScroll: true });
    else this.select(undefined);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const box = this.selected;
    if (!box || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) {
      const [x, y] = arrow.map((way) => way * Math.max(1, STEP * this.unit));
      Object.assign(box, event.shiftKey ? resized(box, "se", x, y, this.size) : moved(box, x, y, this.size));
      this.correct(box, true);
      this.zoom.reveal(box);
    } else if (event.key === "Delete" || event.key === "Backspace") this.remove(box);
    else if (event.key === "Enter" || event.key === " ") {
      if (box.probability !== undefined) this.accept([box]);
    } else if (event.key === "Escape") this.select(undefined);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
