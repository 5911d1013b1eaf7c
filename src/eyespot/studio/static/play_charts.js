// The losses over the epochs, and the plane as the output unit sees it.

import { mark, prepare } from "./play_colours.js";
import { short } from "./play_picture.js";
import { rows } from "./play_plane.js";

/**
 * @typedef {import("./play_colours.js").Colours} Colours
 * @typedef {import("./play_picture.js").Picture} Picture
 */

const LEFT = 50, FOOT = 22, TOP = 6;
/** Losses below this look alike on a logarithmic scale. */
const LEAST = 1e-6;

/** @param {HTMLCanvasElement} canvas @param {Picture} picture @param {Colours} colours @param {boolean} isLog */
export function drawLosses(canvas, picture, colours, isLog) {
  const { pen, width, height } = prepare(canvas);
  const [epochs, train, test] = rows(picture.curves, picture.shapes.curves[1]);
  const scaled = isLog ? (/** @type {number} */ loss) => Math.log10(Math.max(LEAST, loss)) : (/** @type {number} */ loss) => loss;
  const losses = [...train, ...test].map(scaled);
  const low = isLog ? Math.floor(Math.min(...losses)) : 0;
  const high = isLog ? Math.max(low + 1, Math.ceil(Math.max(...losses))) : Math.max(...losses) || 1;
  const last = epochs[epochs.length - 1];
  const across = (/** @type {number} */ epoch) => LEFT + ((width - LEFT - 10) * epoch) / Math.max(1, last);
  const up = (/** @type {number} */ loss) => TOP + ((height - TOP - FOOT) * (high - loss)) / (high - low);
  pen.font = "12px system-ui, sans-serif";
  pen.fillStyle = colours.soft;
  pen.strokeStyle = colours.line;
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  const every = isLog ? Math.ceil((high - low) / 4) : (high - low) / 2;
  for (let level = low; level <= high + 1e-9; level += every) {
    pen.strokeRect(LEFT, up(level), width - LEFT - 6, 0);
    pen.fillText(short(isLog ? 10 ** level : level), LEFT - 6, Math.max(8, up(level)));
  }
  pen.textBaseline = "alphabetic";
  pen.fillText(`epoch ${last}`, width - 6, height - 5);
  pen.textAlign = "left";
  if (last) pen.fillText("0", LEFT, height - 5);
  for (const { values, colour, dashes } of [
    { values: train, colour: colours.soft, dashes: [6, 3] },
    { values: test, colour: colours.accent, dashes: [] },
  ]) {
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.setLineDash(dashes);
    pen.beginPath();
    for (const [number, loss] of values.entries()) pen.lineTo(across(epochs[number]), up(scaled(loss)));
    pen.stroke();
    // A dot at the end: there is something to see before the first epoch is over.
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(across(last), up(scaled(values[values.length - 1])), 3, 0, 2 * Math.PI);
    pen.fill();
  }
  pen.setLineDash([]);
}

/** @param {HTMLCanvasElement} canvas @param {Picture} picture @param {Colours} colours @param {boolean} showsTests */
export function drawSpace(canvas, picture, colours, showsTests) {
  const { pen, width } = prepare(canvas);
  const points = rows(picture.points, 4), places = rows(picture.space_points, 2), mesh = rows(picture.space_mesh, 2);
  const [across, up] = [0, 1].map((axis) => scale([...places, ...mesh].map((place) => place[axis]), width));
  const lines = picture.shapes.space_mesh[0];
  pen.strokeStyle = colours.soft;
  pen.globalAlpha = 0.5;
  pen.lineWidth = 0.8;
  pen.beginPath();
  for (let line = 0; line < lines; line++) {
    for (let step = 0; step < lines; step++) {
      const [x, y] = mesh[line * lines + step];
      if (step) pen.lineTo(across(x), width - up(y));
      else pen.moveTo(across(x), width - up(y));
    }
    for (let step = 0; step < lines; step++) {
      const [x, y] = mesh[step * lines + line];
      if (step) pen.lineTo(across(x), width - up(y));
      else pen.moveTo(across(x), width - up(y));
    }
  }
  pen.stroke();
  pen.globalAlpha = 1;
  for (const [number, [, , target, isTrain]] of points.entries()) {
    const [x, y] = places[number];
    if (isTrain || showsTests) mark(pen, across(x), width - up(y), 3, target, Boolean(isTrain), colours);
  }
  if (picture.layers.at(-2) === 2) drawDivision(pen, picture, across, up, width, colours);
}

/**
 * Where the output unit says 0: a straight line in the space of two units.
 * @param {CanvasRenderingContext2D} pen @param {Picture} picture
 * @param {(value: number) => number} across @param {(value: number) => number} up
 * @param {number} width @param {Colours} colours
 */
function drawDivision(pen, picture, across, up, width, colours) {
  const [a, b] = picture.weights.slice(-2), c = picture.bias[picture.bias.length - 1];
  const size = Math.hypot(a, b);
  if (!size) return;
  const [x, y] = [(-c * a) / size ** 2, (-c * b) / size ** 2];
  const far = 1000;
  pen.strokeStyle = colours.ink;
  pen.lineWidth = 2;
  pen.setLineDash([8, 5]);
  pen.beginPath();
  pen.moveTo(across(x - (far * b) / size), width - up(y + (far * a) / size));
  pen.lineTo(across(x + (far * b) / size), width - up(y - (far * a) / size));
  pen.stroke();
  pen.setLineDash([]);
}

/** From values to pixels, with a margin. @param {number[]} values @param {number} width */
function scale(values, width) {
  const low = Math.min(...values), room = Math.max(...values) - low || 1, margin = 12;
  return (/** @type {number} */ value) => margin + ((width - 2 * margin) * (value - low)) / room;
}
