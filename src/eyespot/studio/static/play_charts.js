// The loss curves, and the points as inputs of the output unit.

import { mark, prepare } from "./play_colours.js";
import { steady } from "./numbers.js";
import { rows } from "./play_plane.js";

/**
 * @typedef {import("./play_colours.js").Colours} Colours
 * @typedef {import("./play_state.js").State} State
 */

const LEFT = 50, FOOT = 22, TOP = 6;
/** The smallest loss of a logarithmic scale. */
const LEAST = 1e-6;

/** @param {HTMLCanvasElement} canvas @param {State} state @param {Colours} colours @param {boolean} isLog */
export function drawLosses(canvas, state, colours, isLog) {
  const { pen, width, height } = prepare(canvas);
  const [epochs, train, test] = rows(state.curves, state.shapes.curves[1]);
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
    pen.fillText(steady(isLog ? 10 ** level : level), LEFT - 6, Math.max(8, up(level)));
  }
  pen.textBaseline = "alphabetic";
  pen.fillText(`epoch ${last.toLocaleString("en")}`, width - 6, height - 5);
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
    // A dot at the end, visible even before the first epoch ends.
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(across(last), up(scaled(values[values.length - 1])), 3, 0, 2 * Math.PI);
    pen.fill();
  }
  pen.setLineDash([]);
}

/** @param {HTMLCanvasElement} canvas @param {State} state @param {Colours} colours @param {boolean} showsTests */
export function drawSpace(canvas, state, colours, showsTests) {
  const { pen, width } = prepare(canvas);
  const points = rows(state.points, 4), places = rows(state.space_points, 2), mesh = rows(state.space_mesh, 2);
  const [across, up] = [0, 1].map((axis) => scale([...places, ...mesh].map((place) => place[axis]), width));
  const lines = state.shapes.space_mesh[0];
  pen.strokeStyle = colours.soft;
  pen.globalAlpha = 0.5;
  pen.lineWidth = 0.8;
  pen.beginPath();
  for (let line = 0; line < lines; line++) {
    for (const [first, stride] of [[line * lines, 1], [line, lines]]) {
      for (let step = 0; step < lines; step++) {
        const [x, y] = mesh[first + step * stride];
        if (step) pen.lineTo(across(x), width - up(y));
        else pen.moveTo(across(x), width - up(y));
      }
    }
  }
  pen.stroke();
  pen.globalAlpha = 1;
  for (const [number, [, , target, isTrain]] of points.entries()) {
    const [x, y] = places[number];
    if (isTrain || showsTests) mark(pen, across(x), width - up(y), 3, target, Boolean(isTrain), colours);
  }
  if (state.layers.at(-2) === 2) drawDivision(pen, state, across, up, width, colours);
}

/**
 * Where the output is 0: a straight line in the space of two units.
 * @param {CanvasRenderingContext2D} pen @param {State} state
 * @param {(value: number) => number} across @param {(value: number) => number} up
 * @param {number} width @param {Colours} colours
 */
function drawDivision(pen, state, across, up, width, colours) {
  const [a, b] = state.weights.slice(-2), c = state.bias[state.bias.length - 1];
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
