// The controls of the settings, and the address that shares them.

import { byId, make, makeButton } from "./dom.js";
import { mark, prepare } from "./play_colours.js";

/**
 * @typedef {Record<string, string>} Settings
 * @typedef {"classification" | "regression"} Problem
 * @typedef {import("./play_plane.js").Point} Point
 * @typedef {{defaults: Settings, choices: Record<string, string[]>, ranges: Record<string, [number, number]>,
 *   data: Record<Problem, Record<string, Point[]>>, features: Record<string, number[][]>,
 *   most_layers: number, most_units: number, most_own: number, fewest_own: number, edge: number}} Choices
 */

/** Numbers in the menus. An address may hold others. */
const NUMBERS = {
  learning_rate: ["0.0001", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "3", "10"],
  epochs: ["30", "100", "300", "1000", "3000", "10000"],
  batch_size: ["1", "2", "5", "10", "20", "50", "100", "2000"],
  l1: ["0", "0.0001", "0.001", "0.003", "0.01", "0.03", "0.1"],
  l2: ["0", "0.0001", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1"],
  dropout: ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"],
};
const WORDS = { relu: "ReLU", "batch_size 2000": "all points" };
const SHARES = ["noise", "train_share"];

/** @param {string} name @param {string} value */
function spelt(name, value) {
  const words = /** @type {Settings} */ (WORDS);
  return words[`${name} ${value}`] ?? words[value] ?? value;
}

/** @returns {(HTMLInputElement | HTMLSelectElement)[]} */
const controls = () => [...document.querySelectorAll(/** @type {"input"} */ ("[data-setting]"))];

/** Fill the controls, and report each change. @param {Choices} choices @param {(change: Settings) => void} change */
export function openControls(choices, change) {
  for (const control of controls()) {
    const name = control.dataset.setting ?? "";
    if (control instanceof HTMLSelectElement) {
      const values = /** @type {Record<string, string[]>} */ (NUMBERS)[name] ?? choices.choices[name];
      control.replaceChildren(...values.map((value) => new Option(spelt(name, value), value)));
      control.addEventListener("change", () => change({ [name]: control.value }));
    } else if (control.type === "checkbox") {
      control.addEventListener("change", () => change({ [name]: control.checked ? "1" : "0" }));
    } else {
      [control.min, control.max] = choices.ranges[name].map(String);
      control.addEventListener("input", () => change({ [name]: control.value }));
    }
  }
}

/** @param {Settings} settings */
export function showControls(settings) {
  for (const control of controls()) {
    const name = control.dataset.setting ?? "", value = settings[name];
    if (control instanceof HTMLSelectElement) {
      if (![...control.options].some((option) => option.value === value)) control.add(new Option(spelt(name, value), value));
      control.value = value;
    } else if (control.type === "checkbox") {
      control.checked = value === "1";
    } else {
      if (control.value !== value) control.value = value;
      const text = SHARES.includes(name) ? `${Math.round(100 * Number(value))}%` : value;
      const shown = control.parentElement?.querySelector(".value");
      if (shown) shown.textContent = text;
      control.setAttribute("aria-valuetext", text);
    }
  }
  const isOwn = settings.data === "own", isRegression = settings.problem === "regression";
  byId("horizon", HTMLElement).hidden = settings.schedule === "constant";
  byId("own", HTMLElement).hidden = !isOwn;
  byId("made", HTMLElement).hidden = isOwn;
  byId("classes", HTMLElement).hidden = isRegression;
  byId("value-label", HTMLElement).hidden = !isRegression;
}

/**
 * The datasets, as previews to choose from. @param {Choices} choices @param {Settings} settings
 * @param {import("./play_colours.js").Colours} colours @param {(change: Settings) => void} change
 */
export function showSets(choices, settings, colours, change) {
  /** @type {Record<string, Point[]>} */
  const sets = { ...choices.data[/** @type {Problem} */ (settings.problem)], own: ownPoints(settings) };
  const place = byId("sets", HTMLElement);
  if (place.dataset.problem !== settings.problem) {
    place.dataset.problem = settings.problem;
    place.replaceChildren(...Object.keys(sets).map((name) => {
      const button = makeButton(name === "own" ? "custom" : name, () => change({ data: name }));
      button.dataset.name = name;
      button.prepend(make("canvas"));
      return button;
    }));
  }
  for (const button of place.querySelectorAll("button")) {
    button.ariaPressed = String(button.dataset.name === settings.data);
    const canvas = button.querySelector("canvas");
    if (!canvas) continue;
    const { pen, width } = prepare(canvas);
    if (!sets[button.dataset.name ?? ""].length) {
      pen.fillStyle = colours.soft;
      pen.font = `${width / 2}px system-ui`;
      pen.textAlign = "center";
      pen.fillText("+", width / 2, 0.67 * width);
    }
    for (const [x, y, target] of sets[button.dataset.name ?? ""]) {
      mark(pen, (width * (x / choices.edge + 1)) / 2, (width * (1 - y / choices.edge)) / 2, 1.6, target, true, colours);
    }
  }
}

/** @param {Settings} settings @returns {Point[]} */
export function ownPoints(settings) {
  const points = settings.own ? settings.own.split(";").map((text) => text.split(",").map(Number)) : [];
  return /** @type {Point[]} */ (points.filter((point) => point.length === 3 && point.every(Number.isFinite)));
}

/** Whether there are too few custom points to train on. @param {Choices} choices @param {Settings} settings */
export function isDraft(choices, settings) {
  return settings.data === "own" && ownPoints(settings).length < choices.fewest_own;
}

/**
 * What changes along: not all sets are of both problems, and classes are -1 and 1.
 * @param {Choices} choices @param {Settings} settings @param {Settings} change @returns {Settings}
 */
export function changed(choices, settings, change) {
  const next = { ...settings, ...change };
  // Most of a few custom points are for training.
  if (change.data === "own" && settings.train_share === choices.defaults.train_share) next.train_share = "0.8";
  if (next.problem === settings.problem) return next;
  const sets = choices.data[/** @type {Problem} */ (next.problem)];
  if (next.data !== "own" && !(next.data in sets)) next.data = Object.keys(sets)[0];
  if (next.problem === "classification") {
    next.own = ownPoints(next).map(([x, y, target]) => [x, y, target < 0 ? -1 : 1].join()).join(";");
  }
  return next;
}

/** Settings that the server can compute: a draft without its points. @param {Choices} choices @param {Settings} settings */
export function computable(choices, settings) {
  if (!isDraft(choices, settings)) return settings;
  const sets = choices.data[/** @type {Problem} */ (settings.problem)] ?? choices.data.classification;
  return { ...settings, data: Object.keys(sets)[0], own: "" };
}

/** The address of the page with these settings. @param {Choices} choices @param {Settings} settings */
export function addressOf(choices, settings) {
  const differing = Object.entries(settings).filter(([name, value]) => value !== choices.defaults[name]);
  return differing.length ? `${location.pathname}#${new URLSearchParams(differing)}` : location.pathname;
}

/** The settings in the page's address. @param {Choices} choices @returns {Settings} */
export function readAddress(choices) {
  return { ...choices.defaults, ...Object.fromEntries(new URLSearchParams(location.hash.slice(1))) };
}
