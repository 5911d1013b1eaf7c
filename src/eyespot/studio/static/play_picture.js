// What the studio's server says of a network that learns: figures and arrays (see play.py).

/**
 * Shapes as play.py says. `units` counts all of them; `layers` by layer, features first.
 * @typedef {{settings: Record<string, string>, steps: number, epochs: number, learning_rate: number,
 *   stopped: string | null, layers: number[], axes: string,
 *   train_loss: number, test_loss: number, train_accuracy: number | null, test_accuracy: number | null,
 *   shapes: Record<string, number[]>}} Figures
 * @typedef {{weights: Float32Array, bias: Float32Array, weights_slope: Float32Array,
 *   bias_slope: Float32Array, points: Float32Array, curves: Float32Array,
 *   space_points: Float32Array, space_mesh: Float32Array, shades: Uint8Array}} Arrays
 * @typedef {Figures & Arrays} Picture
 */

/** @param {ArrayBuffer} buffer @returns {Picture} */
export function readPicture(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const figures = /** @type {Figures} */ (JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))));
  let place = 4 + length;
  /** @type {Record<string, Float32Array | Uint8Array>} */
  const arrays = {};
  for (const [name, shape] of Object.entries(figures.shapes)) {
    const Kind = name === "shades" ? Uint8Array : Float32Array;
    const count = shape.reduce((product, size) => product * size, 1);
    arrays[name] = new Kind(buffer, place, count);
    place += arrays[name].byteLength;
  }
  return /** @type {Picture} */ (/** @type {unknown} */ ({ ...figures, ...arrays }));
}

/** A unit's shades. @param {Picture} picture @param {number} unit counted through all layers */
export function surface(picture, unit) {
  const side = picture.shapes.shades[1];
  return picture.shades.subarray(unit * side * side, (unit + 1) * side * side);
}

/**
 * All edges, in the order of `weights`: from which unit to which, counted through all layers.
 * @param {number[]} layers @returns {{from: number, to: number}[]}
 */
export function edgesOf(layers) {
  /** @type {{from: number, to: number}[]} */
  const edges = [];
  let first = 0;
  for (let layer = 1; layer < layers.length; layer++) {
    const next = first + layers[layer - 1];
    for (let from = first; from < next; from++) {
      for (let to = next; to < next + layers[layer]; to++) edges.push({ from, to });
    }
    first = next;
  }
  return edges;
}

/** A number in words that do not jump about. @param {number} value */
export function short(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  const text = size < 0.0001 || size >= 100_000 ? value.toExponential(1) : value.toPrecision(3);
  return text.replaceAll("-", "−");
}
