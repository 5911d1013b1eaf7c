// Boxes and views as numbers: moved, resized, drawn, magnified, always inside the photo.

/**
 * In pixels of the upright photo.
 * @typedef {{xmin: number, ymin: number, xmax: number, ymax: number}} Corners
 * @typedef {{width: number, height: number}} Size
 * The part of the photo that is shown: its upper left corner, and how much larger than the whole photo it is.
 * @typedef {{x: number, y: number, scale: number}} View
 */

/** The least side of a box, in pixels of the photo. */
export const LEAST = 2;
/** The view of the whole photo. @type {Readonly<View>} */
export const WHOLE = { x: 0, y: 0, scale: 1 };
/** The greatest scale. */
const MOST = 16;

/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => Math.min(Math.max(value, low), high);

/** As the server keeps them: to a hundredth of a pixel. @param {Corners} box @returns {Corners} */
function rounded({ xmin, ymin, xmax, ymax }) {
  const [left, top, right, bottom] = [xmin, ymin, xmax, ymax].map((value) => Math.round(100 * value) / 100);
  return { xmin: left, ymin: top, xmax: right, ymax: bottom };
}

/** How far the corners of two boxes are from each other. @param {Corners} one @param {Corners} other */
export const distance = (one, other) =>
  Math.abs(one.xmin - other.xmin) + Math.abs(one.ymin - other.ymin) + Math.abs(one.xmax - other.xmax) + Math.abs(one.ymax - other.ymax);

/** A box moved by (x, y), as a whole inside the photo. @param {Corners} box @param {number} x @param {number} y @param {Size} size @returns {Corners} */
export function moved(box, x, y, { width, height }) {
  const right = within(x, -box.xmin, width - box.xmax), down = within(y, -box.ymin, height - box.ymax);
  return rounded({ xmin: box.xmin + right, ymin: box.ymin + down, xmax: box.xmax + right, ymax: box.ymax + down });
}

/**
 * A box whose sides move by (x, y). `sides`: of "n", "e", "s", "w", those that move.
 * @param {Corners} box @param {string} sides @param {number} x @param {number} y @param {Size} size @returns {Corners}
 */
export function resized(box, sides, x, y, { width, height }) {
  return rounded({
    xmin: sides.includes("w") ? within(box.xmin + x, 0, box.xmax - LEAST) : box.xmin,
    ymin: sides.includes("n") ? within(box.ymin + y, 0, box.ymax - LEAST) : box.ymin,
    xmax: sides.includes("e") ? within(box.xmax + x, box.xmin + LEAST, width) : box.xmax,
    ymax: sides.includes("s") ? within(box.ymax + y, box.ymin + LEAST, height) : box.ymax,
  });
}

/** The box between two points, the part inside the photo. @param {DOMPoint} from @param {DOMPoint} to @param {Size} size @returns {Corners} */
export function between(from, to, { width, height }) {
  const xs = [from.x, to.x].map((x) => within(x, 0, width)), ys = [from.y, to.y].map((y) => within(y, 0, height));
  return rounded({ xmin: Math.min(...xs), ymin: Math.min(...ys), xmax: Math.max(...xs), ymax: Math.max(...ys) });
}

/** @param {Corners} box */
export const area = (box) => (box.xmax - box.xmin) * (box.ymax - box.ymin);

/** A view from (x, y) on, moved into the photo. @param {number} x @param {number} y @param {number} scale @param {Size} size @returns {View} */
const from = (x, y, scale, { width, height }) =>
  ({ x: within(x, 0, width - width / scale), y: within(y, 0, height - height / scale), scale });

/** @param {View} view @param {number} x @param {number} y @param {Size} size */
export const panned = (view, x, y, size) => from(view.x + x, view.y + y, view.scale, size);

/** A view whose scale is multiplied by `factor`, while the place `at` stays where it is on the screen.
 * @param {View} view @param {number} factor @param {{x: number, y: number}} at @param {Size} size */
export function magnified(view, factor, at, size) {
  const scale = within(view.scale * factor, 1, MOST), share = view.scale / scale;
  return from(at.x - (at.x - view.x) * share, at.y - (at.y - view.y) * share, scale, size);
}

/** The nearest view in which a box is; of a box larger than the view, the upper left part.
 * @param {View} view @param {Corners} box @param {Size} size */
export function revealed({ x, y, scale }, box, size) {
  return from(within(x, box.xmax - size.width / scale, box.xmin), within(y, box.ymax - size.height / scale, box.ymin), scale, size);
}

/** The attribute of an SVG element. @param {View} view @param {Size} size */
export const viewBox = ({ x, y, scale }, { width, height }) => `${x} ${y} ${width / scale} ${height / scale}`;
