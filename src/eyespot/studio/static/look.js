// Look inside: the camera's photos, a network's predictions, and the activations behind them.

import { ask } from "./ask.js";
import { showBars } from "./bars.js";
import { byId, makeButton, tell } from "./dom.js";
import { percent } from "./percent.js";
import { Talk } from "./talk.js";
import { Watch } from "./watch.js";

/**
 * @typedef {{name: string, shape: number[]}} Stage
 * @typedef {{top: {label: string, probability: number}[], seconds: number, image: boolean, error?: string}} Answer
 */

const GRAD_CAM = "Grad-CAM";
const FACES = "Faces";
/** What the images that are no stage show, and a text beside them. @type {Record<string, string[]>} */
const ABOUT = {
  [GRAD_CAM]: ["The photo with the regions that support the first prediction", ""],
  [FACES]: ["The photo with a box around each face", "Boxes and scores of faces. The detector finds where faces are, not whose they are."],
};

const image = byId("activations", HTMLImageElement);
const network = byId("network", HTMLSelectElement);
const problem = byId("problem", HTMLElement);
const speed = byId("speed", HTMLElement);
const predictions = byId("guesses", HTMLElement);

/** @type {Talk | undefined} */
let talk;
/** @type {Stage[]} */
let stages = [];
/** Whether faces can be detected. */
let faces = false;
/** The image that is shown: a stage, `GRAD_CAM`, `FACES`, or nothing. */
let shown = "";

/** Predict one photo. @param {Blob} photo @param {number} perSecond */
async function predict(photo, perSecond) {
  if (!talk) return;
  if (!predictions.children.length) speed.textContent = `Opening ${network.value} …`;
  await talk.send(photo);
  const answer = /** @type {Answer} */ (await talk.receive());
  if (answer.error) throw new Error(answer.error);
  problem.hidden = true;
  showBars(predictions, answer.top.map(({ label, probability }) => ({ name: label, text: percent(probability), value: probability })));
  speed.textContent = `${Math.round(1000 * answer.seconds).toLocaleString("en")} ms per photo` + (perSecond ? `, ${perSecond.toFixed(0)} photos/s` : "");
  if (answer.image) showImage(await talk.receive());
}

/** @param {Blob} blob */
function showImage(blob) {
  const old = image.src;
  image.src = URL.createObjectURL(blob);
  image.alt = ABOUT[shown]?.[0] ?? `Activation maps of ${shown}`;
  image.hidden = false;
  if (old.startsWith("blob:")) URL.revokeObjectURL(old);
}

const watch = new Watch({ file: "file", problem }, predict);

/** @param {string} name of a stage, `GRAD_CAM`, `FACES`, or nothing */
async function show(name) {
  shown = name;
  image.hidden = true;
  for (const button of byId("stages", HTMLElement).querySelectorAll("button")) {
    button.ariaPressed = String(button.dataset.name === name);
  }
  const shape = stages.find((stage) => stage.name === name)?.shape;
  byId("within-about", HTMLElement).textContent = shape ? `${name}: ${shape[0]} activation maps of ${shape[1]} × ${shape[2]}.` : ABOUT[name]?.[1] ?? "";
  await talk?.send(name);
  watch.run();
}

function showStages() {
  const names = ["", GRAD_CAM, ...(faces ? [FACES] : []), ...stages.map((stage) => stage.name)];
  byId("stages", HTMLElement).replaceChildren(...names.map((name) => {
    const button = makeButton(name || "None", () => show(name).catch((error) => tell(problem, error)));
    button.dataset.name = name;
    button.ariaPressed = String(name === shown);
    return button;
  }));
}

async function openNetwork() {
  const path = `/api/look/${encodeURIComponent(network.value)}`;
  try {
    ({ stages, faces } = await ask(path));
    talk?.close();
    talk = new Talk(`${path}/live`);
    const filters = byId("filters", HTMLImageElement);
    filters.onload = () => (filters.hidden = false);
    filters.src = `${path}/filters.png`;
    shown = "";
    showStages();
    await show("");
  } catch (error) {
    tell(problem, error);
  }
}

async function open() {
  network.addEventListener("change", openNetwork);
  try {
    const names = /** @type {string[]} */ (await ask("/api/look"));
    network.replaceChildren(...names.map((name) => new Option(name, name)));
    await openNetwork();
  } catch (error) {
    tell(problem, error);
  }
}

open();
