// A classifier in the browser. No photo leaves the device.

import { showBars } from "./bars.js";
import { byId, tell } from "./dom.js";
import { InferenceSession, Tensor, env } from "./onnxruntime.js";
import { percent } from "./percent.js";
import { Watch } from "./watch.js";

/** @typedef {{name: string, labels: string[], short_side: number}} About */

const STEADY = 1000; // milliseconds before a screen reader announces a prediction

const problem = byId("problem", HTMLElement);
const spoken = byId("spoken", HTMLElement);
const speed = byId("speed", HTMLElement);
const canvas = document.createElement("canvas");
const drawing = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));

async function load() {
  env.logLevel = "error"; // no warning about the unknown processor, which no browser tells
  env.wasm.numThreads = 1; // threads need headers that most static servers do not send
  const [response, session] = await Promise.all([
    fetch("eyespot.json"),
    InferenceSession.create("classifier.onnx", { executionProviders: ["wasm"] }),
  ]);
  if (!response.ok) throw new Error(`eyespot.json: ${response.status}`);
  const about = /** @type {About} */ (await response.json());
  byId("name", HTMLElement).textContent = about.name;
  document.title = `${about.name} · eyespot`;
  showBars(byId("classes", HTMLElement), about.labels.map((name) => ({ name, text: "", value: 0 })));
  speed.textContent = "Ready.";
  return { about, session };
}

/** Upright RGB [height, width, 3] on white, halved while the short side keeps `least` pixels, as
 * the classifier itself decodes photos.
 * @param {Blob} blob @param {number} least */
async function pixelsOf(blob, least) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    throw new Error("The browser cannot read this photo. Choose a JPEG, PNG or WebP file.");
  }
  const short = Math.min(bitmap.width, bitmap.height);
  let shrink = 1;
  while (shrink < 8 && short / (2 * shrink) >= least) shrink *= 2;
  const width = canvas.width = Math.ceil(bitmap.width / shrink);
  const height = canvas.height = Math.ceil(bitmap.height / shrink);
  drawing.imageSmoothingQuality = "high";
  drawing.fillStyle = "white";
  drawing.fillRect(0, 0, width, height);
  drawing.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = drawing.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < rgb.length; from += 4) {
    rgb[to++] = data[from];
    rgb[to++] = data[from + 1];
    rgb[to++] = data[from + 2];
  }
  return new Tensor("uint8", rgb, [1, height, width, 3]);
}

let steady = 0, announced = "";

/** Announce a prediction to screen readers once it is steady. @param {string} text */
function announce(text) {
  if (text === announced) return;
  announced = text;
  clearTimeout(steady);
  steady = setTimeout(() => { spoken.textContent = text; }, STEADY);
}

const loading = load();
loading.catch((error) => {
  speed.textContent = "";
  tell(problem, new Error(`The classifier did not load (${error.message ?? error}). Reload the page. If that does not help, use a current browser, or export the classifier again.`));
});

/** @param {Blob} blob @param {number} perSecond */
async function look(blob, perSecond) {
  const { about, session } = await loading;
  const image = await pixelsOf(blob, about.short_side);
  const start = performance.now();
  const found = await session.run({ image });
  const time = performance.now() - start;
  const shares = [...found.probabilities.data];
  const best = shares.indexOf(Math.max(...shares));
  const isUnknown = Boolean(found.unknown.data[0]);
  showBars(byId("classes", HTMLElement), shares.map((value, number) => ({
    name: about.labels[number], text: percent(value), value, isBest: !isUnknown && number === best,
  })));
  const text = isUnknown ? "None of these" : about.labels[best];
  byId("answer", HTMLElement).textContent = text;
  announce(text);
  speed.textContent = `${time.toFixed(0)} ms for this photo` + (perSecond ? `, ${perSecond.toFixed(1)} photos/s.` : ".");
  problem.hidden = true;
}

new Watch({ file: "file", problem }, look);
