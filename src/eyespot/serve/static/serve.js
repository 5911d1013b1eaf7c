// Try a classifier that is served: the same questions that programs ask.

/**
 * @typedef {{label: string, probability: number}} Guess
 * @typedef {{name: string, label: string | null, unknown: boolean, top: Guess[], error: {message: string} | null}} Prediction
 * @typedef {{name: string, labels: string[], backbone: string, method: string, metrics: {top1?: number}}} Model
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
const drop = byId("drop", HTMLElement);
const file = byId("file", HTMLInputElement);
const key = byId("key", HTMLInputElement);
const problem = byId("problem", HTMLElement);
const speed = byId("speed", HTMLElement);

/** @type {Model[]} */
let models = [];
/** @type {string[]} */
let shown = [];
let asked = 0;

/** @param {string} path @param {RequestInit} [options] @returns {Promise<any>} */
async function ask(path, options) {
  // Kept nowhere: a key belongs to who types it.
  const headers = key.value ? { Authorization: `Bearer ${key.value}` } : undefined;
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch {
    throw new Error("The server does not answer. Is it still running?");
  }
  const body = await answer.json();
  if (answer.status === 401) byId("unlock", HTMLElement).hidden = false;
  if (!answer.ok) throw new Error(body.error.message);
  return body;
}

/** Do something, and say what went wrong with it. @param {() => Promise<void>} work */
async function attempt(work) {
  try {
    problem.hidden = true;
    await work();
  } catch (error) {
    problem.textContent = error instanceof Error ? error.message : String(error);
    problem.hidden = false;
  }
}

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

/** @param {Prediction} prediction @param {string} url */
function card(prediction, url) {
  const item = document.createElement("li");
  const picture = document.createElement("img");
  picture.src = url;
  picture.alt = "";
  item.append(picture, element("p", prediction.name));
  item.children[1].className = "name";
  if (prediction.error) {
    picture.remove();
    const said = element("p", `This picture cannot be used: ${prediction.error.message}.`);
    said.className = "error";
    item.append(said);
    return item;
  }
  item.append(element("h3", prediction.label ?? "None of these. The nearest:"));
  const list = document.createElement("ol");
  list.append(...prediction.top.map(({ label, probability }) => {
    const guess = document.createElement("li");
    const meter = document.createElement("meter");
    meter.value = probability;
    meter.ariaLabel = `Probability of ${label}`;
    guess.append(element("span", label), element("span", percent(probability)), meter);
    return guess;
  }));
  item.append(list);
  return item;
}

/** @param {File[]} files */
async function look(files) {
  if (!files.length) return;
  const number = ++asked;
  const form = new FormData();
  for (const one of files) form.append("file", one);
  const start = performance.now();
  speed.textContent = "Looking …";
  try {
    const path = `/v1/models/${encodeURIComponent(chosen.value)}:predict`;
    const told = /** @type {{predictions: Prediction[]}} */ (await ask(path, { method: "POST", body: form }));
    if (number !== asked) return;
    for (const url of shown) URL.revokeObjectURL(url);
    shown = files.map((one) => URL.createObjectURL(one));
    answers.replaceChildren(...told.predictions.map((prediction, index) => card(prediction, shown[index])));
    speed.textContent = `${(performance.now() - start).toFixed(0)} ms, there and back.`;
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
  const accuracy = model.metrics.top1;
  byId("about", HTMLElement).textContent = `${model.labels.length} classes, told apart by ${model.backbone} and ${model.method}.`
    + (typeof accuracy === "number" ? ` Right on ${percent(accuracy)} of photos it had not seen.` : "");
  const path = `${location.origin}/v1/models/${encodeURIComponent(model.name)}:predict`;
  byId("curl", HTMLElement).textContent = `curl -H "Content-Type: image/jpeg" --data-binary @photo.jpg ${path}`;
}

async function open() {
  models = (await ask("/v1/models")).models;
  chosen.replaceChildren(...models.map(({ name }) => new Option(name, name)));
  byId("unlock", HTMLElement).hidden = true;
  showModel();
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
