// Boxes as numbers: moved, resized, drawn, always inside the photo.

/**
 * In pixels of the upright photo.
 * @typedef {{xmin: number, ymin: number, xmax: number, ymax: number}} Corners
 * @typedef {{width: number, height: number}} Size
 */

/** The least side of a box, in pixels of the photo. */
export const LEAST = 2;

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
