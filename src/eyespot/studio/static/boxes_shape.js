// A box as SVG: drawn, labelled, and with handles while it is selected.

import { draw } from "./svg.js";

/** CSS pixels of a handle, of the place around it that takes the pointer, and of a label. */
const HANDLE = 9, GRIP = 24, LABEL = 13;
const SIDES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];

/** Colours of classes in tokens.css. */
const COLOURS = 8;

/** The colour of a class for the rules of styles. @param {number} position */
export const classColour = (position) => `var(--class-${(position % COLOURS) + 1})`;

/** @param {import("./boxes_geometry.js").Corners} box */
const placeOf = ({ xmin, ymin, xmax, ymax }) => ({ x: xmin, y: ymin, width: xmax - xmin, height: ymax - ymin });

/** @param {Element} element @param {Record<string, string | number>} attributes */
function set(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
}

/** The element of a box: tab reaches it. */
export function makeShape() {
  return draw("g", { class: "box", tabindex: 0, role: "button" },
    draw("rect", { class: "casing" }), draw("rect", { class: "edge" }),
    draw("text", {}, draw("tspan"), draw("tspan", { class: "share" })));
}

/**
 * Show a box as it is. `unit`: pixels of the photo for one of the page.
 * @param {SVGElement} shape @param {import("./boxes_geometry.js").Corners} box
 * @param {{name: string, share: string, position: number, text: string, classes: Record<string, boolean>, unit: number}} look
 */
export function showShape(shape, box, { name, share, position, text, classes, unit }) {
  shape.style.setProperty("--class", classColour(position));
  for (const [key, isOn] of Object.entries(classes)) shape.classList.toggle(key, isOn);
  shape.setAttribute("aria-label", text);
  shape.setAttribute("aria-pressed", String(classes.selected));
  const [casing, edge, label] = shape.children;
  for (const one of [casing, edge]) set(one, placeOf(box));
  const above = box.ymin > 1.5 * LABEL * unit ? box.ymin - 5 * unit : box.ymin + 1.2 * LABEL * unit;
  set(label, { x: box.xmin + 2 * unit, y: above });
  label.children[0].textContent = name;
  label.children[1].textContent = share;
  shape.classList.toggle("named", 0.6 * LABEL * unit * name.length <= box.xmax - box.xmin); // the text fits
  if (label instanceof SVGElement) Object.assign(label.style, { fontSize: `${LABEL * unit}px`, strokeWidth: `${3 * unit}px` });
}

/** The handles of a box, each with `data-sides`; a small box has those of its corners.
 * @param {import("./boxes_geometry.js").Corners} box @param {number} unit */
export function makeHandles(box, unit) {
  const { x, y, width, height } = placeOf(box);
  const isSmall = Math.min(width, height) < 3 * GRIP * unit;
  return SIDES.filter((sides) => !isSmall || sides.length === 2).flatMap((sides) => {
    const centre = [
      x + width * (sides.includes("e") ? 1 : sides.includes("w") ? 0 : 0.5),
      y + height * (sides.includes("s") ? 1 : sides.includes("n") ? 0 : 0.5),
    ];
    const square = (/** @type {string} */ name, /** @type {number} */ side) => draw("rect", {
      class: name, x: centre[0] - (side * unit) / 2, y: centre[1] - (side * unit) / 2, width: side * unit, height: side * unit,
    });
    const grip = square("grip", isSmall ? 2 * HANDLE : GRIP);
    grip.dataset.sides = sides;
    grip.style.cursor = `${sides}-resize`;
    return [square("handle", HANDLE), grip];
  });
}
