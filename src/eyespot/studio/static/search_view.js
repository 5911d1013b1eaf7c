// The pixels of a scene: clear at the place that is looked at, fainter around it.

import { distance } from "./search_places.js";

/**
 * `texture` and `patch`: contrast from -1 to 1, of `side` x `side` and `width` x `width` pixels.
 * @typedef {import("./search_places.js").Place} Place
 * @typedef {{texture: Float32Array, patch: Float32Array, width: number, place: Place}} Pixels
 */

/** Contrast of the texture far from the place that is looked at. */
const FOG = 0.3;
/** Contrast of the target when it is shown by itself. */
const SHOWN = 0.8;

/** Numbers of a base64 text, as contrast. @param {string} text */
export function decoded(text) {
  return Float32Array.from(atob(text), (letter) => letter.charCodeAt(0) / 127.5 - 1);
}

/** @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} contrast of its pixels */
function paint(canvas, contrast) {
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("This browser cannot draw. Try another browser.");
  const image = new ImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let place = 0; place < pixels.length; place++) {
    const grey = Math.max(0, Math.min(255, Math.round(127.5 * (1 + contrast[place]))));
    pixels[place] = 0xff000000 | (0x010101 * grey);
  }
  pen.putImageData(image, 0, 0);
}

/** Nothing but grey. @param {HTMLCanvasElement} canvas */
export const paintBlank = (canvas) => paint(canvas, new Float32Array(canvas.width * canvas.height));

/** The target by itself, in the middle. @param {HTMLCanvasElement} canvas @param {Pixels} pixels */
export function paintTarget(canvas, { patch, width }) {
  const most = patch.reduce((high, value) => Math.max(high, Math.abs(value)), 0);
  const contrast = new Float32Array(canvas.width * canvas.height);
  const left = Math.round((canvas.width - width) / 2);
  add(contrast, canvas.width, patch, width, left, left, SHOWN / most);
  paint(canvas, contrast);
}

/**
 * The scene from a place; or all of it, clear, without one.
 * @param {HTMLCanvasElement} canvas @param {Pixels} pixels @param {number} scale pixels of a degree
 * @param {number} slope b: contrast falls by exp(-b * degrees) @param {Place} [from]
 */
export function paintScene(canvas, { texture, patch, width, place }, scale, slope, from) {
  const side = canvas.width, contrast = texture.slice();
  const [left, top] = place.map((degrees) => Math.round(side / 2 + degrees * scale - width / 2));
  add(contrast, side, patch, width, left, top, from ? Math.exp(-slope * distance(from, place)) : 1);
  if (from) {
    const [x, y] = from.map((degrees) => side / 2 + degrees * scale);
    for (let row = 0, pixel = 0; row < side; row++) {
      for (let column = 0; column < side; column++, pixel++) {
        const eccentricity = Math.hypot(column - x, row - y) / scale;
        contrast[pixel] *= FOG + (1 - FOG) * Math.exp(-slope * eccentricity);
      }
    }
  }
  paint(canvas, contrast);
}

/**
 * Add a patch to an image.
 * @param {Float32Array} image @param {number} side @param {Float32Array} patch @param {number} width
 * @param {number} left @param {number} top @param {number} weight
 */
function add(image, side, patch, width, left, top, weight) {
  for (let row = 0; row < width; row++) {
    for (let column = 0; column < width; column++) {
      image[(top + row) * side + left + column] += weight * patch[row * width + column];
    }
  }
}
