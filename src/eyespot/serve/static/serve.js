// Try a served classifier with the requests that programs send.

import { percent, percentInterval } from "./percent.js";

/**
 * @typedef {{label: string, probability: number}} Guess
 * @typedef {{name: string, label: string | null, unknown: boolean, top: Guess[], error: {message: string} | null}} Prediction
 * @typedef {{name: string, labels: string[], backbone: string, method: string, metrics: {top1?: number, top1_interval?: number[]}}} Model
 */

/**
 * The element of the page with this id.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`There is no ${kind.name} called ${id}.`);
  return found;
}

/** @param {string} tag @param {string} text */
function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

const answers = byId("answers", HTMLElement);
const chosen = byId("model", HTMLSelectElement);
const drawn = byId("drawn", HTMLImageElement);
const drop = byId("drop", HTMLElement);
const file = byId("file", HTMLInputElement);
const key = byId("key", HTMLInputElement);
const problem = byId("problem", HTMLElement);
const reasons = byId("reasons", HTMLElement);
const speed = byId("speed", HTMLElement);

/** @type {Model[]} */
let models = [];
/** @type {string[]} */
let shown = [];
let asked = 0;

/** @param {string} path @param {RequestInit} [options] */
async function call(path, options) {
  const headers = new Headers(options?.headers);
  // The page stores no key.
  if (key.value) headers.set("Authorization", `Bearer ${key.value}`);
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch {
    throw new Error("The server does not answer. Is it still running?");
  }
  if (answer.status === 401) byId("unlock", HTMLElement).hidden = false;
  if (!answer.ok) throw new Error((await answer.json()).error.message);
  return answer;
}

/** @param {string} path @param {RequestInit} [options] @returns {Promise<any>} */
const ask = async (path, options) => (await call(path, options)).json();

/** Run `work` and show its error. @param {() => Promise<void>} work */
async function attempt(work) {
  try {
    problem.hidden = true;
    await work();
  } catch (error) {
    problem.textContent = error instanceof Error ? error.message : String(error);
    problem.hidden = false;
  }
}

/** @param {string} verb */
const address = (verb) => `/v1/models/${encodeURIComponent(chosen.value)}:${verb}`;

/** @param {Prediction} prediction @param {string} url @param {File} one */
function card(prediction, url, one) {
  const item = document.createElement("li");
  const photo = document.createElement("img");
  photo.src = url;
  photo.alt = "";
  item.append(photo, element("p", prediction.name));
  item.children[1].className = "name";
  if (prediction.error) {
    photo.remove();
    const message = element("p", `Cannot use this photo: ${prediction.error.message.replace(/\.$/, "")}.`);
    message.className = "error";
    item.append(message);
    return item;
  }
  item.append(element("h3", prediction.label ?? "None of these. Most probable:"));
  const list = document.createElement("ol");
  list.append(...prediction.top.map(({ label, probability }) => {
    const guess = document.createElement("li");
    const meter = document.createElement("meter");
    meter.value = probability;
    meter.ariaLabel = `Probability of ${label}`;
    guess.append(element("span", label), element("span", percent(probability)), meter);
    return guess;
  }));
  const why = element("button", "Explain");
  why.addEventListener("click", () => attempt(() => explain(one)));
  item.append(list, why);
  return item;
}

/** @param {File} one */
async function explain(one) {
  const number = asked;
  const body = new FormData();
  body.append("file", one);
  reasons.hidden = true;
  speed.textContent = "Explaining, which takes some seconds …";
  try {
    const answer = await call(address("explain"), { method: "POST", body, headers: { Accept: "image/png" } });
    const photo = await answer.blob();
    if (number !== asked) return;
    URL.revokeObjectURL(drawn.src);
    drawn.src = URL.createObjectURL(photo);
    drawn.alt = `Explanation for ${one.name}`;
    reasons.hidden = false;
  } finally {
    if (number === asked) speed.textContent = "";
  }
}

/** @param {File[]} files */
async function look(files) {
  if (!files.length) return;
  const number = ++asked;
  const form = new FormData();
  for (const one of files) form.append("file", one);
  const start = performance.now();
  reasons.hidden = true;
  speed.textContent = "Classifying …";
  try {
    const answer = /** @type {{predictions: Prediction[]}} */ (await ask(address("predict"), { method: "POST", body: form }));
    if (number !== asked) return;
    for (const url of shown) URL.revokeObjectURL(url);
    shown = files.map((one) => URL.createObjectURL(one));
    answers.replaceChildren(...answer.predictions.map((prediction, index) => card(prediction, shown[index], files[index])));
    speed.textContent = `${(performance.now() - start).toFixed(0)} ms per request.`;
  } catch (error) {
    if (number !== asked) return;
    answers.replaceChildren();
    speed.textContent = "";
    throw error;
  }
}

function showModel() {
  const model = models.find(({ name }) => name === chosen.value);
  if (!model) return;
  byId("labels", HTMLElement).textContent = model.labels.slice(0, 100).join(", ") + (model.labels.length > 100 ? ", …" : "");
  const { top1, top1_interval: interval } = model.metrics;
  const figures = top1 === undefined || !interval ? ""
    : ` Accuracy ${percent(top1)} (95% CI ${percentInterval(interval[0], interval[1])}).`;
  byId("about", HTMLElement).textContent =
    `${model.labels.length} classes. Backbone ${model.backbone}, head ${model.method}.${figures}`;
  byId("curl", HTMLElement).textContent =
    `curl -H "Content-Type: image/jpeg" --data-binary @photo.jpg ${location.origin}${address("predict")}`;
}

async function open() {
  models = (await ask("/v1/models")).models;
  chosen.replaceChildren(...models.map(({ name }) => new Option(name, name)));
  byId("unlock", HTMLElement).hidden = true;
  showModel();
}

async function list() {
  /** @type {{paths: Record<string, Record<string, {summary: string}>>}} */
  const { paths } = await ask("/openapi.json");
  byId("addresses", HTMLElement).append(...Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary }]) => {
      const item = document.createElement("li");
      item.append(element("code", `${method.toUpperCase()} ${path}`), `: ${summary}`);
      return item;
    })));
}

const again = () => attempt(() => look([...(file.files ?? [])]));
chosen.addEventListener("change", () => {
  showModel();
  again();
});
file.addEventListener("change", again);
byId("unlock", HTMLElement).addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(open);
});
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  attempt(() => look([...(event.dataTransfer?.files ?? [])]));
});
attempt(open);
attempt(list);
