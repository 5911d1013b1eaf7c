// A classifier in the browser. No photo leaves the device.

import { announce } from "./announce.js";
import { showBars } from "./bars.js";
import { byId } from "./dom.js";
import { loadModel, showSpeed } from "./model.js";
import { percent } from "./percent.js";
import { pixelsOf } from "./photo_input.js";
import { Watch } from "./watch.js";

/** @typedef {{name: string, labels: string[], short_side: number}} About */

const problem = byId("problem", HTMLElement);
const loading = loadModel("classifier", (about) => /** @type {About} */ (about));
loading.catch(() => {}); // it is shown

/** Halved while the short side keeps `least` pixels, as the classifier itself decodes photos.
 * @param {number} least @returns {(width: number, height: number) => [number, number]} */
const halved = (least) => (width, height) => {
  const short = Math.min(width, height);
  let shrink = 1;
  while (shrink < 8 && short / (2 * shrink) >= least) shrink *= 2;
  return [Math.ceil(width / shrink), Math.ceil(height / shrink)];
};

/** @param {Blob} blob @param {number} perSecond */
async function look(blob, perSecond) {
  const { about, session } = await loading;
  const { image } = await pixelsOf(blob, halved(about.short_side));
  const start = performance.now();
  const found = await session.run({ image });
  const shares = [...found.probabilities.data].map(Number);
  const best = shares.indexOf(Math.max(...shares));
  const isUnknown = Boolean(found.unknown.data[0]);
  showBars(byId("classes", HTMLElement), shares.map((value, number) => ({
    name: about.labels[number], text: percent(value), value, isBest: !isUnknown && number === best,
  })));
  const text = isUnknown ? "None of these" : about.labels[best];
  byId("answer", HTMLElement).textContent = text;
  announce(text);
  showSpeed(start, perSecond);
  problem.hidden = true;
}

new Watch({ file: "file", problem }, look);
