// Try a served classifier with the requests that programs send.

import { showBars } from "./bars.js";
import { byId, make, makeButton, tell } from "./dom.js";
import { whenDropped } from "./files.js";
import { percent, percentInterval } from "./percent.js";

/**
 * @typedef {{name: string, label: string | null, unknown: boolean, top: {label: string, probability: number}[],
 *   error: {message: string} | null}} Prediction
 * @typedef {{name: string, labels: string[], backbone: string, method: string, metrics: {top1?: number, top1_interval?: number[]}}} Model
 */

const answers = byId("answers", HTMLElement);
const chosen = byId("model", HTMLSelectElement);
const drawn = byId("drawn", HTMLImageElement);
const file = byId("file", HTMLInputElement);
const key = byId("key", HTMLInputElement);
const problem = byId("problem", HTMLElement);
const reasons = byId("reasons", HTMLElement);
const speed = byId("speed", HTMLElement);

/** @type {Model[]} */
let models = [];
/** @type {string[]} */
let shown = [];
let sent = 0;

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
    tell(problem, error);
  }
}

/** @param {string} verb */
const address = (verb) => `/v1/models/${encodeURIComponent(chosen.value)}:${verb}`;

/** @param {Prediction} prediction @param {string} url @param {File} one */
function card(prediction, url, one) {
  const name = make("p", { className: "name", textContent: prediction.name });
  if (prediction.error) {
    const textContent = `Cannot use this photo: ${prediction.error.message.replace(/\.$/, "")}.`;
    return make("li", {}, name, make("p", { className: "error", textContent }));
  }
  const bars = make("ol");
  showBars(bars, prediction.top.map(({ label, probability }) => ({ name: label, text: percent(probability), value: probability })));
  return make("li", {},
    make("img", { src: url, alt: "" }),
    name,
    make("h3", { textContent: prediction.label ?? "None of these. Most probable:" }),
    bars,
    makeButton("Explain", () => attempt(() => explain(one))));
}

/** @param {File} one */
async function explain(one) {
  const number = sent;
  const body = new FormData();
  body.append("file", one);
  reasons.hidden = true;
  speed.textContent = "Explaining, which takes some seconds …";
  try {
    const answer = await call(address("explain"), { method: "POST", body, headers: { Accept: "image/png" } });
    const photo = await answer.blob();
    if (number !== sent) return;
    URL.revokeObjectURL(drawn.src);
    drawn.src = URL.createObjectURL(photo);
    drawn.alt = `Explanation for ${one.name}`;
    reasons.hidden = false;
  } finally {
    if (number === sent) speed.textContent = "";
  }
}

/** @param {File[]} files */
async function look(files) {
  if (!files.length) return;
  const number = ++sent;
  const form = new FormData();
  for (const one of files) form.append("file", one);
  const start = performance.now();
  reasons.hidden = true;
  speed.textContent = "Classifying …";
  try {
    const answer = /** @type {{predictions: Prediction[]}} */ (await ask(address("predict"), { method: "POST", body: form }));
    if (number !== sent) return;
    for (const url of shown) URL.revokeObjectURL(url);
    shown = files.map((one) => URL.createObjectURL(one));
    answers.replaceChildren(...answer.predictions.map((prediction, index) => card(prediction, shown[index], files[index])));
    speed.textContent = `${(performance.now() - start).toFixed(0)} ms per request.`;
  } catch (error) {
    if (number !== sent) return;
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
    Object.entries(methods).map(([method, { summary }]) =>
      make("li", {}, make("code", { textContent: `${method.toUpperCase()} ${path}` }), `: ${summary}`))));
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
whenDropped(byId("drop", HTMLElement), (data) => attempt(() => look([...(data?.files ?? [])])));
attempt(open);
attempt(list);
