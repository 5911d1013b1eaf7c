// The blackboard: an expression, the values of its names, and a walk through its computation graph.

import * as address from "./address.js";
import { latest } from "./ask.js";
import { byId, make, makeButton, tell } from "./dom.js";
import { Walk } from "./blackboard_walk.js";

/**
 * @typedef {import("./blackboard_walk.js").Worked} Worked
 * @typedef {{values?: Record<string, string>, error?: string} & Partial<Worked>} Answer
 * @typedef {{name: string, expression: string, values: Record<string, string>}} Example
 */

/** @type {Example[]} */
const EXAMPLES = [
  { name: "Sum and product", expression: "(x + y) * z", values: { x: "-2", y: "5", z: "-4" } },
  {
    name: "Sigmoid neuron",
    expression: "1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))",
    values: { w0: "2", x0: "-1", w1: "-3", x1: "-2", w2: "-3" },
  },
  { name: "relu and max", expression: "relu(a*x + b) + max(x, y)", values: { a: "2", x: "3", b: "-1", y: "-4" } },
  { name: "A name used twice", expression: "x * x + x * y", values: { x: "3", y: "-2" } },
];
/** Milliseconds after the last key, before the expression is sent. */
const PAUSE = 150;
const { BROKEN } = address;

const expression = byId("expression", HTMLInputElement);
const problem = byId("problem", HTMLElement);
const ask = latest("/api/blackboard");
const walk = new Walk(keep);

/** Values by name, as typed; also of names that are not in the expression now.
 * @type {Map<string, string>} */
const values = new Map();
/** The expression of the walk. */
let walked = "";
let timer = 0;

/** Keep the state in the address. */
function keep() {
  const state = new URLSearchParams({ expression: walked });
  for (const input of fields()) state.append("value", `${input.name}=${input.value}`);
  if (walk.step) state.set("step", String(walk.step));
  address.write(state);
}

function fields() {
  return [...byId("values", HTMLElement).querySelectorAll("input")];
}

/** One field per name; existing fields keep their text and the cursor.
 * @param {Record<string, string>} given */
function showFields(given) {
  const old = new Map(fields().map((input) => [input.name, input]));
  const names = Object.keys(given);
  for (const name of names) values.set(name, given[name]);
  if (names.join() === [...old.keys()].join()) return;
  byId("values", HTMLElement).replaceChildren(...names.map((name) => {
    const kept = old.get(name)?.parentElement;
    if (kept) return kept;
    const input = make("input", { type: "number", step: "any", name, value: given[name], autocomplete: "off" });
    input.addEventListener("input", () => {
      values.set(name, input.value);
      soon();
    });
    return make("label", {}, name, input);
  }));
}

/** @param {string} [error] a message, and below it the position with a caret */
function showFault(error = "") {
  const [sentence, ...place] = error.split("\n");
  byId("fault-text", HTMLElement).textContent = sentence;
  const pre = byId("fault-place", HTMLElement);
  pre.textContent = place.join("\n");
  pre.hidden = !place.length;
  byId("fault", HTMLElement).hidden = !error;
  // Scroll to the caret on a narrow page.
  const [line = "", caret = ""] = place;
  pre.scrollLeft = (pre.scrollWidth * caret.length) / Math.max(line.length, caret.length, 1) - pre.clientWidth / 2;
  expression.ariaInvalid = String(Boolean(error));
}

/** Evaluate the expression and show it. @param {number} [step] to start with */
async function work(step) {
  clearTimeout(timer);
  const text = expression.value;
  // Only values of names that may be in the expression.
  const meant = Object.fromEntries([...values].filter(([name]) => text.includes(name)).slice(-100));
  /** @type {Answer | undefined} */
  let answer;
  try {
    answer = await ask({ expression: text, values: meant });
  } catch (error) {
    tell(problem, error);
  }
  if (!answer) return;
  if (answer.values) showFields(answer.values);
  showFault(answer.error);
  byId("drawing", HTMLElement).classList.toggle("old", Boolean(answer.error));
  if (answer.error) return;
  // New values change the text of a step, not the steps.
  const same = text === walked ? walk.step : 0;
  walked = text;
  walk.show(/** @type {Worked} */ (answer), step ?? same);
  keep();
}

function soon() {
  problem.hidden = true;
  clearTimeout(timer);
  timer = setTimeout(work, PAUSE);
}

/** @param {string} text @param {Record<string, string>} given @param {number} [step] */
function write(text, given, step) {
  expression.value = text;
  for (const [name, value] of Object.entries(given)) values.set(name, value);
  byId("values", HTMLElement).replaceChildren();
  return work(step);
}

/** The state in the address. Throws an Error if it is invalid. */
function linked() {
  const state = address.read(["expression", "value", "step"]);
  /** @type {Record<string, string>} */
  const given = {};
  for (const text of state.getAll("value")) {
    const [name, value = ""] = text.split("=");
    if (!value || !Number.isFinite(Number(value))) throw new Error(`${BROKEN}"${text.slice(0, 30)}" is not a name with a number.`);
    given[name] = value;
  }
  const step = Number(state.get("step") ?? 0);
  if (!Number.isInteger(step) || step < 0) throw new Error(`${BROKEN}step is not a whole number.`);
  return { text: state.get("expression"), given, step };
}

async function follow() {
  problem.hidden = true;
  try {
    const { text, given, step } = linked();
    if (text !== null) {
      await write(text, given, step);
      if (walked === text) return;
      throw new Error(`${BROKEN}expression cannot be read. Below is an example instead.`);
    }
  } catch (error) {
    tell(problem, error);
  }
  await write(EXAMPLES[0].expression, EXAMPLES[0].values);
}

function open() {
  byId("examples", HTMLElement).append(...EXAMPLES.map((example) => makeButton(example.name, () => {
    problem.hidden = true;
    write(example.expression, example.values, 0);
  })));
  expression.addEventListener("input", soon);
  address.whenFollowed(follow);
  follow();
}

open();
