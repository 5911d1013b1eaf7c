// Convolution: an input image and a kernel to edit, the output, and the computation of each pixel.

import * as address from "./address.js";
import { ask, latest } from "./ask.js";
import { Grid } from "./convolution_grid.js";
import { KernelEditor } from "./convolution_kernel.js";
import { compare, fields } from "./convolution_costs.js";
import { IMAGES, WHITE, read, reduce, write } from "./convolution_images.js";
import { showWorking } from "./convolution_working.js";
import { byId, make, tell } from "./dom.js";
import { signs } from "./numbers.js";

/** Choices of each setting. @type {Record<string, number[]>} */
const CHOICES = { stride: [1, 2, 3, 4], padding: [0, 1, 2, 3, 4, 5, 6], dilation: [1, 2, 3, 4] };
const SIZES = { convolution: [1, 3, 5, 7], pooling: [1, 2, 3, 4, 5, 6, 7] };
/** Milliseconds in which changes are collected, and of a slide over the image. */
const PAUSE = 60, WALK = 25_000;
const { BROKEN } = address;
const KEYS = ["image", "kind", "size", "kernel", ...Object.keys(CHOICES), ...fields().map((field) => field.id)];

const problem = byId("problem", HTMLElement);
const kind = byId("kind", HTMLSelectElement);
const size = byId("size", HTMLSelectElement);
const slide = latest("/api/convolution");
const lookAt = latest("/api/convolution/pixel");

/** @type {number[][]} */
let image = read("digit");
/** The output pixel that is explained. @type {[number, number]} */
let chosen = [3, 3];
/** @type {number[][]} */
let output = [];
let isWalking = false;
let timer = 0;

const input = new Grid(byId("input", HTMLElement));
const result = new Grid(byId("output", HTMLElement), (row, column) => choose(row, column));
const kernel = new KernelEditor(() => {
  size.value = String(kernel.size);
  change();
});

const number = (/** @type {string} */ id) => Number(byId(id, HTMLSelectElement).value);
const isConvolution = () => kind.value === "convolution";

/** The request to the server. */
function request() {
  const common = { image, kind: kind.value, stride: number("stride"), padding: number("padding") };
  return isConvolution()
    ? { ...common, kernel: kernel.values, dilation: number("dilation") }
    : { ...common, size: number("size") };
}

function keep() {
  const state = new URLSearchParams({ image: write(image), kind: kind.value, size: size.value });
  if (isConvolution()) state.set("kernel", kernel.write());
  for (const id of Object.keys(CHOICES)) state.set(id, String(number(id)));
  for (const field of fields()) state.set(field.id, field.value);
  address.write(state);
}

/** Show a change at once, and the new output soon. */
function change() {
  isWalking = false;
  problem.hidden = true;
  input.show(image, number("padding"), WHITE);
  byId("input-size", HTMLElement).textContent = `${image.length} × ${image[0].length}`;
  byId("images", HTMLSelectElement).value = IMAGES.has(write(image)) ? write(image) : "own";
  keep();
  clearTimeout(timer);
  timer = setTimeout(update, PAUSE);
}

async function update() {
  const fault = byId("fault", HTMLElement);
  try {
    const answer = await slide(request());
    if (!answer) return;
    fault.hidden = !answer.error;
    for (const id of ["output", "working", "sum", "sizes", "costs"]) byId(id, HTMLElement).classList.toggle("old", Boolean(answer.error));
    if (answer.error) {
      input.mark("seen", []);
      tell(fault, answer.error);
      return;
    }
    output = answer.output;
    showOutput(answer);
    await choose(Math.min(chosen[0], output.length - 1), Math.min(chosen[1], output[0].length - 1));
  } catch (error) {
    tell(problem, error);
  }
}

/** @param {{output: number[][], sizes: string[], costs: string[]}} answer */
function showOutput({ sizes, costs }) {
  result.show(output, 0, WHITE);
  byId("output-size", HTMLElement).textContent = `${output.length} × ${output[0].length}`;
  const isSigned = output.flat().some((value) => value < 0);
  byId("colours", HTMLElement).textContent = isSigned
    ? "Green is positive, red is negative."
    : "Black is 0.";
  for (const [id, texts] of /** @type {[string, string[]][]} */ ([["sizes", sizes], ["costs", costs]])) {
    byId(id, HTMLElement).replaceChildren(...texts.map((text) => make("li", { textContent: signs(text) })));
  }
}

/** Explain an output pixel. @param {number} row @param {number} column */
async function choose(row, column) {
  chosen = [row, column];
  result.mark("chosen", [chosen]);
  try {
    const answer = await lookAt({ ...request(), row, column });
    if (!answer || answer.error) return; // `update` shows the error
    input.mark("seen", answer.rows.flatMap((/** @type {number} */ r) =>
      answer.columns.map((/** @type {number} */ c) => /** @type {[number, number]} */ ([r, c]))));
    showWorking(answer, isConvolution() ? kernel.values : undefined, image);
  } catch (error) {
    tell(problem, error);
  }
}

/** Compute the output pixel by pixel. */
async function walk() {
  const button = byId("walk", HTMLElement), place = byId("output", HTMLElement);
  if (isWalking) {
    isWalking = false;
    return;
  }
  isWalking = true;
  button.textContent = "Stop";
  place.classList.add("walking");
  // Screen readers should not read out each pixel.
  byId("sum", HTMLElement).ariaLive = "off";
  const cells = output.flatMap((line, row) => line.map((_, column) => /** @type {[number, number]} */ ([row, column])));
  const pause = Math.max(40, Math.min(400, WALK / cells.length));
  for (const [row, column] of cells) {
    if (!isWalking) break;
    await choose(row, column);
    result.cell(row, column)?.classList.add("done");
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  isWalking = false;
  button.textContent = "Slide over the image";
  place.classList.remove("walking");
  result.mark("done", []);
  byId("sum", HTMLElement).ariaLive = "polite";
}

/** @param {EventTarget | null} target @param {number} value */
function paint(target, value) {
  const place = input.placeOf(target);
  if (!place || image[place[0]][place[1]] === value) return;
  image[place[0]][place[1]] = value;
  change();
}

function listenToInput() {
  const place = byId("input", HTMLElement);
  const slider = byId("paint", HTMLInputElement);
  const brush = () => Number(slider.value);
  slider.addEventListener("input", () => (byId("paint-value", HTMLOutputElement).value = slider.value));
  let colour = 0;
  place.addEventListener("pointerdown", (event) => {
    const at = input.placeOf(event.target);
    if (!at || event.button) return;
    // A second click erases.
    colour = image[at[0]][at[1]] === brush() ? 0 : brush();
    paint(event.target, colour);
  });
  place.addEventListener("pointermove", (event) => {
    if (event.buttons === 1) paint(document.elementFromPoint(event.clientX, event.clientY), colour);
  });
  place.addEventListener("keydown", (event) => {
    const at = input.placeOf(event.target);
    if (!at || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^\d$/.test(event.key)) paint(event.target, Number(event.key));
    else if (event.key === "Enter" || event.key === " ") paint(event.target, image[at[0]][at[1]] === brush() ? 0 : brush());
    else return;
    event.preventDefault();
  });
}

/** @param {string} id @param {(string | number)[]} values @param {(value: string | number) => string} [name] */
function fill(id, values, name = String) {
  byId(id, HTMLSelectElement).replaceChildren(...values.map((value) => new Option(name(value), String(value))));
}

/** Show the fields of the operation. */
function showKind() {
  for (const id of ["kernel-figure", "kernels-label", "dilation-label", "sharing"]) byId(id, HTMLElement).hidden = !isConvolution();
  document.querySelector(".maps")?.classList.toggle("pooling", !isConvolution());
  fill("size", isConvolution() ? SIZES.convolution : SIZES.pooling, (value) => `${value} × ${value}`);
}

/** Show the state in an address. Throws an Error if it is invalid.
 * @param {URLSearchParams} state */
function follow(state) {
  /** @param {string} id @param {string} otherwise */
  const set = (id, otherwise) => {
    const select = byId(id, HTMLSelectElement), value = state.get(id) ?? otherwise;
    if (![...select.options].some((option) => option.value === value)) throw new Error(`${BROKEN}${id} cannot be ${value.slice(0, 30)}.`);
    select.value = value;
  };
  set("kind", "convolution");
  showKind();
  set("size", isConvolution() ? "3" : "2");
  for (const id of Object.keys(CHOICES)) set(id, String(!isConvolution() && id === "stride" ? number("size") : CHOICES[id][0]));
  try {
    image = read(state.get("image") ?? "digit");
    kernel.read(state.get("kernel") ?? "Sobel x");
  } catch (error) {
    throw new Error(BROKEN + (error instanceof Error ? error.message : error));
  }
  if (isConvolution()) size.value = String(kernel.size);
  for (const field of fields()) {
    const text = state.get(field.id) ?? field.defaultValue;
    if (!/^\d{1,9}$/.test(text)) throw new Error(`${BROKEN}${field.id} is not a number.`);
    field.value = text;
  }
}

function openLink() {
  try {
    follow(address.read(KEYS));
    change();
  } catch (error) {
    follow(new URLSearchParams());
    change();
    tell(problem, `${error instanceof Error ? error.message : error} Below is an example instead.`);
  }
  compare();
}

async function open() {
  for (const [id, values] of Object.entries(CHOICES)) {
    fill(id, values);
    byId(id, HTMLSelectElement).addEventListener("change", change);
  }
  fill("images", [...IMAGES.keys(), "own"]);
  byId("images", HTMLSelectElement).addEventListener("change", (event) => {
    const example = event.target instanceof HTMLSelectElement ? IMAGES.get(event.target.value) : undefined;
    if (example) image = example();
    change();
  });
  byId("photo", HTMLInputElement).addEventListener("change", async (event) => {
    const file = event.target instanceof HTMLInputElement ? event.target.files?.[0] : undefined;
    try {
      if (file) image = await reduce(file);
      change();
    } catch (error) {
      tell(problem, error);
    }
  });
  kind.addEventListener("change", () => {
    // The window stays when only the kind of pooling changes.
    if (byId("kernel-figure", HTMLElement).hidden === isConvolution()) {
      showKind();
      size.value = isConvolution() ? String(kernel.size) : "2";
      byId("stride", HTMLSelectElement).value = isConvolution() ? "1" : "2";
    }
    change();
  });
  size.addEventListener("change", () => {
    if (isConvolution()) kernel.resize(number("size"));
    else change();
  });
  byId("output", HTMLElement).addEventListener("pointerover", (event) => {
    const place = result.placeOf(event.target);
    if (place && !isWalking) choose(...place);
  });
  byId("walk", HTMLElement).addEventListener("click", walk);
  listenToInput();
  address.whenFollowed(openLink);
  for (const field of fields()) field.addEventListener("input", () => {
    keep();
    compare();
  });
  try {
    kernel.open(await ask("/api/convolution"));
    openLink();
  } catch (error) {
    tell(problem, error);
  }
}

open();
