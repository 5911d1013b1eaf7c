// The state of a network in training, as the server sends it: metrics and arrays (see play.py).

/**
 * `layers`: units of each layer, features first. Shapes as in play.py.
 * @typedef {{settings: Record<string, string>, steps: number, epochs: number, learning_rate: number,
 *   stopped: string | null, layers: number[], axes: string,
 *   train_loss: number, test_loss: number, train_accuracy: number | null, test_accuracy: number | null,
 *   shapes: Record<string, number[]>}} Metrics
 * @typedef {{weights: Float32Array, bias: Float32Array, weights_slope: Float32Array,
 *   bias_slope: Float32Array, points: Float32Array, curves: Float32Array,
 *   space_points: Float32Array, space_mesh: Float32Array, shades: Uint8Array}} Arrays
 * @typedef {Metrics & Arrays} State
 */

/** @param {ArrayBuffer} buffer @returns {State} */
export function readState(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const metrics = /** @type {Metrics} */ (JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))));
  let place = 4 + length;
  /** @type {Record<string, Float32Array | Uint8Array>} */
  const arrays = {};
  for (const [name, shape] of Object.entries(metrics.shapes)) {
    const Kind = name === "shades" ? Uint8Array : Float32Array;
    const count = shape.reduce((product, size) => product * size, 1);
    arrays[name] = new Kind(buffer, place, count);
    place += arrays[name].byteLength;
  }
  return /** @type {State} */ (/** @type {unknown} */ ({ ...metrics, ...arrays }));
}

/** A unit's shades. @param {State} state @param {number} unit counted through all layers */
export function surface(state, unit) {
  const side = state.shapes.shades[1];
  return state.shades.subarray(unit * side * side, (unit + 1) * side * side);
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
