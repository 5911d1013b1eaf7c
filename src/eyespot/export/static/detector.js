// A detector in the browser: boxes over a photo or the camera. No photo leaves the device.

import { announce } from "./announce.js";
import { showBars } from "./bars.js";
import { byId } from "./dom.js";
import { loadModel, showSpeed } from "./model.js";
import { percent } from "./percent.js";
import { pixelsOf } from "./photo_input.js";
import { Watch } from "./watch.js";

/** `area`, `multiple`, `longest`: of the network's input.
 * @typedef {{name: string, labels: string[], area: number, multiple: number, longest: number}} About */
/** In pixels of the photo. @typedef {{number: number, score: number, corners: number[]}} Box */

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 8; // of classes, in page.css

const problem = byId("problem", HTMLElement);
const loading = loadModel("detector", (about) => /** @type {About} */ (about));
loading.catch(() => {}); // it is shown
const overlay = document.createElementNS(SVG, "svg");
overlay.classList.add("boxes");
overlay.setAttribute("aria-hidden", "true"); // the counts beside it say the same
byId("drop", HTMLElement).append(overlay);

/** The size of the input for a photo. @param {About} about @returns {(width: number, height: number) => [number, number]} */
const inputSize = ({ area, multiple, longest }) => (width, height) => {
  const ratio = Math.min(Math.max(width / height, 1 / longest), longest);
  const side = (/** @type {number} */ pixels) => Math.max(Math.round(pixels / multiple), 1) * multiple;
  return [side(Math.sqrt(area * ratio)), side(Math.sqrt(area / ratio))];
};

/** @param {string} name @param {Record<string, string | number>} attributes */
function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** Draw boxes over the photo; the drawing scales with it.
 * @param {Box[]} boxes @param {string[]} labels @param {{width: number, height: number}} photo */
function draw(boxes, labels, { width, height }) {
  const text = Math.max(width, height) / 32;
  overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
  overlay.replaceChildren(...boxes.flatMap(({ number, score, corners: [left, top, right, bottom] }) => {
    const colour = `class-${number % COLOURS}`;
    const place = { x: left, y: top, width: right - left, height: bottom - top };
    const caption = shape("text", { x: left, y: Math.max(top - text / 4, text), "font-size": text });
    caption.textContent = `${labels[number]} ${percent(score)}`;
    return [shape("rect", { ...place, class: "edge" }), shape("rect", { ...place, class: colour }), caption];
  }));
}

/** @param {Blob} blob @param {number} perSecond */
async function look(blob, perSecond) {
  const { about, session } = await loading;
  const { image, width, height, photo } = await pixelsOf(blob, inputSize(about));
  const start = performance.now();
  const found = await session.run({ image });
  const sides = [...found.boxes.data].map(Number);
  const scale = [photo.width / width, photo.height / height];
  const boxes = [...found.scores.data].map((score, index) => ({
    number: Number(found.labels.data[index]),
    score: Number(score),
    corners: sides.slice(4 * index, 4 * index + 4).map((side, place) => side * scale[place % 2]),
  })).filter((_, index) => found.shown.data[index]);
  draw(boxes, about.labels, photo);
  const counts = about.labels.map((_, number) => boxes.filter((box) => box.number === number).length);
  showBars(byId("classes", HTMLElement), counts.map((count, number) => ({
    name: about.labels[number], text: count.toLocaleString("en"), isBest: count > 0,
  })));
  const text = counts.flatMap((count, number) => (count ? [`${count} ${about.labels[number]}`] : [])).join(", ") || "None";
  byId("answer", HTMLElement).textContent = text;
  announce(text);
  showSpeed(start, perSecond);
  problem.hidden = true;
}

new Watch({ file: "file", problem }, look);
