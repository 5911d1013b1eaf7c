// Look inside: the camera's pictures, what a network says of them, and what happens within.

import { ask, byId, tell } from "./ask.js";
import { percent } from "./percent.js";
import { Talk } from "./talk.js";
import { Watch } from "./watch.js";

/**
 * @typedef {{name: string, shape: number[]}} Stage
 * @typedef {{top: {label: string, probability: number}[], seconds: number, drawing: boolean, error?: string}} Answer
 */

const ATTENTION = "where it looks";

const drawing = byId("drawing", HTMLImageElement);
const network = byId("network", HTMLSelectElement);
const problem = byId("problem", HTMLElement);

/** @type {Talk | undefined} */
let talk;
/** @type {Stage[]} */
let stages = [];
/** What is drawn: a stage, `ATTENTION`, or nothing. */
let drawn = "";

/** @param {Answer} answer @param {number} perSecond */
function showAnswer(answer, perSecond) {
  const list = byId("guesses", HTMLElement);
  list.replaceChildren(...answer.top.map(({ label, probability }) => {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = label;
    const share = document.createElement("span");
    share.textContent = percent(probability);
    const meter = document.createElement("meter");
    meter.value = probability;
    meter.ariaLabel = `Probability of ${label}`;
    item.append(name, share, meter);
    return item;
  }));
  byId("speed", HTMLElement).textContent = `${(1000 * answer.seconds).toFixed(0)} ms for this picture`
    + (perSecond ? `, ${perSecond.toFixed(0)} pictures a second.` : ".");
}

/** Ask of one picture, and show what comes. @param {Blob} blob @param {number} perSecond */
async function look(blob, perSecond) {
  if (!talk) return;
  if (!byId("guesses", HTMLElement).children.length) byId("speed", HTMLElement).textContent = `Opening ${network.value} …`;
  await talk.say(blob);
  const answer = /** @type {Answer} */ (await talk.hear());
  if (answer.error) throw new Error(answer.error);
  problem.hidden = true;
  showAnswer(answer, perSecond);
  if (answer.drawing) {
    const url = URL.createObjectURL(await talk.hear());
    const old = drawing.src;
    drawing.src = url;
    drawing.alt = drawn === ATTENTION ? "The picture; coloured where it speaks for the first guess" : `The maps of ${drawn}`;
    drawing.hidden = false;
    if (old.startsWith("blob:")) URL.revokeObjectURL(old);
  }
}

const watch = new Watch({ file: "file", problem }, look);

/** @param {string} name */
async function show(name) {
  drawn = name;
  drawing.hidden = true;
  for (const button of byId("stages", HTMLElement).querySelectorAll("button")) {
    button.ariaPressed = String(button.dataset.name === name);
  }
  const shape = stages.find((stage) => stage.name === name)?.shape;
  byId("within-about", HTMLElement).textContent = shape ? `${name}: ${shape[0]} maps of ${shape[1]} × ${shape[2]}.` : "";
  await talk?.say(name);
  watch.run();
}

function showStages() {
  const names = ["", ATTENTION, ...stages.map((stage) => stage.name)];
  byId("stages", HTMLElement).replaceChildren(...names.map((name) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.name = name;
    button.textContent = name || "nothing";
    button.ariaPressed = String(name === drawn);
    button.addEventListener("click", () => show(name).catch((error) => tell(problem, error)));
    return button;
  }));
}

async function openNetwork() {
  const name = encodeURIComponent(network.value);
  try {
    stages = (await ask(`/api/look/${name}`)).stages;
    talk?.close();
    talk = new Talk(`/api/look/${name}/live`);
    const kernels = byId("kernels", HTMLImageElement);
    kernels.onload = () => (kernels.hidden = false);
    kernels.src = `/api/look/${name}/kernels.png`;
    drawn = "";
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
