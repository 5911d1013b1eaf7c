// The playground's colours: blue is positive, orange is negative, everywhere.

/**
 * `table`: a pixel per shade. The others are CSS colours of the page by name.
 * @typedef {{table: Uint32Array, one: string, other: string, zero: string, ink: string, soft: string,
 *   line: string, paper: string, accent: string}} Colours
 */

/** Saturation of the strongest shade: points must stand out from it. */
const STRENGTH = 0.8;

/** The current colours of the page, light or dark. @returns {Colours} */
export function readColours() {
  const style = getComputedStyle(document.documentElement);
  const [one, other, zero, ink, soft, line, paper, accent] =
    ["one", "other", "zero", "ink", "soft", "line", "paper", "accent"].map((name) => style.getPropertyValue(`--${name}`).trim());
  const middle = channels(zero), ends = [channels(other), channels(one)];
  const pixels = new Uint8ClampedArray(4 * 256);
  for (let shade = 0; shade < 256; shade++) {
    const value = Math.max(-1, (shade - 128) / 127);
    const end = ends[Number(value > 0)], share = STRENGTH * Math.abs(value);
    for (let channel = 0; channel < 3; channel++) {
      pixels[4 * shade + channel] = middle[channel] + share * (end[channel] - middle[channel]);
    }
    pixels[4 * shade + 3] = 255;
  }
  return { table: new Uint32Array(pixels.buffer), one, other, zero, ink, soft, line, paper, accent };
}

/** Red, green and blue, 0..255. @param {string} colour #rgb or #rrggbb */
function channels(colour) {
  const long = colour.length === 4 ? colour.replace(/[0-9a-f]/gi, "$&$&") : colour;
  return [1, 3, 5].map((place) => parseInt(long.slice(place, place + 2), 16));
}

/** @param {HTMLCanvasElement} canvas @returns {CanvasRenderingContext2D} */
export function pencil(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw. Try another browser.");
  return context;
}

/**
 * Fill a canvas with shades, one pixel each.
 * @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} shades side x side of them
 * @param {number} side @param {Colours} colours
 */
export function paint(canvas, shades, side, colours) {
  if (canvas.width !== side) canvas.width = canvas.height = side;
  const image = new ImageData(side, side);
  const pixels = new Uint32Array(image.data.buffer);
  for (let place = 0; place < pixels.length; place++) pixels[place] = colours.table[shades[place]];
  pencil(canvas).putImageData(image, 0, 0);
}

/**
 * Make a canvas as sharp as the screen, and empty. @param {HTMLCanvasElement} canvas
 * @returns {{pen: CanvasRenderingContext2D, width: number, height: number}} in CSS pixels
 */
export function prepare(canvas) {
  const width = canvas.clientWidth, height = canvas.clientHeight, sharp = devicePixelRatio;
  if (canvas.width !== Math.round(width * sharp) || canvas.height !== Math.round(height * sharp)) {
    canvas.width = Math.round(width * sharp);
    canvas.height = Math.round(height * sharp);
  }
  const pen = pencil(canvas);
  pen.setTransform(sharp, 0, 0, sharp, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

/**
 * A point: a disc if its target is positive, else a square; filled if it is for training.
 * @param {CanvasRenderingContext2D} pen @param {number} x @param {number} y @param {number} size
 * @param {number} target @param {boolean} isTrain @param {Colours} colours
 */
export function mark(pen, x, y, size, target, isTrain, colours) {
  const colour = target > 0 ? colours.one : colours.other;
  pen.beginPath();
  if (target > 0) pen.arc(x, y, size, 0, 2 * Math.PI);
  else pen.rect(x - 0.88 * size, y - 0.88 * size, 1.76 * size, 1.76 * size);
  const strength = Math.abs(target);
  pen.fillStyle = isTrain ? mixed(colour, strength) : colours.paper;
  pen.strokeStyle = isTrain ? (strength < 1 ? colours.soft : colours.paper) : mixed(colour, Math.max(0.4, strength));
  pen.lineWidth = isTrain ? 0.8 : 1.6;
  pen.fill();
  if (size > 2) pen.stroke();

  /** @param {string} of @param {number} share */
  function mixed(of, share) {
    if (share >= 1) return of;
    return `color-mix(in srgb, ${of} ${Math.round(100 * share)}%, ${colours.zero})`;
  }
}
