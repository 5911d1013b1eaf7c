// Play with backpropagation: requests one state of the network after the other, and shows it.

import { whenFollowed } from "./address.js";
import { ask, OFFLINE } from "./ask.js";
import { byId, tell } from "./dom.js";
import { counted, steady } from "./numbers.js";
import { percent } from "./percent.js";
import { Talk } from "./talk.js";
import { drawLosses, drawSpace } from "./play_charts.js";
import { addressOf, changed, computable, isDraft, openControls, ownPoints, readAddress, showControls, showSets } from "./play_choices.js";
import { prepare, readColours } from "./play_colours.js";
import { Net } from "./play_net.js";
import { readState } from "./play_state.js";
import { Plane } from "./play_plane.js";

/**
 * @typedef {import("./play_choices.js").Settings} Settings
 * @typedef {{settings?: Settings, reset?: boolean, steps?: number | "epoch"}} Request
 */

/** @type {(number | "epoch")[]} */
const PACES = [1, 2, 5, 10, 20, 50, 100, "epoch"];
/** An error that the server reports. */
class Rejection extends Error {}

const problem = byId("problem", HTMLElement);
const talk = new Talk("/api/play/live");
/** @type {import("./play_choices.js").Choices} */
let choices;
/** @type {Net} */
let net;
/** @type {Plane} */
let plane;
let colours = readColours();
/** @type {Settings} */
let settings = {};
/** The last settings that the server accepted. @type {Settings} */
let accepted = {};
/** The next request. @type {Request | undefined} */
let wanted;
let isRunning = false;
let isBusy = false;
/** Whether the server has the page's settings. */
let isKnown = false;
/** Whether the next request comes from a link. */
let isLink = true;
/** @type {import("./play_state.js").State | undefined} */
let state;

const isChecked = (/** @type {string} */ id) => byId(id, HTMLInputElement).checked;
const pace = () => PACES[Number(byId("pace", HTMLInputElement).value)];
const draft = () => isDraft(choices, settings);

/** @param {Request} part */
function want(part) {
  problem.hidden = true;
  wanted = { ...wanted, ...part };
  turn();
}

/** Send requests and show the states, while there is something to request. */
async function turn() {
  if (isBusy) return;
  isBusy = true;
  while (wanted || isRunning) {
    const request = { ...(isRunning ? { steps: pace() } : {}), ...wanted };
    if (!isKnown) request.settings = settings;
    if (request.settings) request.settings = computable(choices, request.settings);
    const meant = settings, wasLink = isLink;
    wanted = undefined;
    isLink = false;
    try {
      if (isKnown && !talk.socket) throw new Error(OFFLINE);
      await talk.send(JSON.stringify(request));
      const answer = await talk.receive();
      if (!(answer instanceof Blob)) throw new Rejection(answer.error);
      state = readState(await answer.arrayBuffer());
    } catch (error) {
      fail(error, wasLink);
      continue;
    }
    isKnown = true;
    if (request.settings) {
      accepted = meant;
      share();
    }
    if (state.stopped) {
      setRunning(false);
      tell(problem, state.stopped);
    }
    await new Promise((resolve) => requestAnimationFrame(resolve));
    show();
  }
  isBusy = false;
}

/** @param {unknown} error @param {boolean} wasLink whether the request came from a link */
function fail(error, wasLink) {
  setRunning(false);
  if (!(error instanceof Rejection)) {
    tell(problem, error);
    isKnown = false;  // a restarted server does not have the settings
    isLink ||= wasLink;
    return;
  }
  if (isLink) return; // the user followed another link since
  tell(problem, error);
  if (wasLink) problem.textContent = `This link is broken: ${error.message} Below are the default settings instead.`;
  settings = wasLink ? choices.defaults : accepted;
  showSettings();
  if (wasLink || !isKnown) wanted = { settings };
}

/** Keep the settings in the address. */
function share() {
  const address = addressOf(choices, accepted);
  if (address !== location.pathname + location.hash) history.replaceState(null, "", address);
}

/** @param {Settings} change */
function change(change) {
  settings = changed(choices, settings, change);
  if (draft()) setRunning(false);
  showSettings();
  want({ settings });
}

function showSettings() {
  showControls(settings);
  showSets(choices, settings, colours, change);
  const isOwn = settings.data === "own", isOpen = draft();
  plane.setOpen(isOwn);
  for (const id of ["run", "step", "epoch", "reset"]) byId(id, HTMLButtonElement).disabled = isOpen;
  const missing = choices.fewest_own - ownPoints(settings).length;
  byId("own-about", HTMLElement).textContent = (isOpen ? `Add ${counted(missing, "more point")} to start. ` : "")
    + "Click in the plane to add a point, or on a point to remove it. Keys in the plane: arrows move the cross, Enter adds or removes a point.";
  for (const id of ["undo", "clear"]) byId(id, HTMLButtonElement).disabled = !settings.own;
  byId("legend", HTMLElement).hidden = settings.problem === "regression";
  for (const row of document.querySelectorAll("[data-accuracy]")) row.toggleAttribute("hidden", settings.problem === "regression");
}

function show() {
  if (!state) return;
  const showsTests = isChecked("tests"), isEmpty = draft();
  net.show(state, (state.settings.features ?? choices.defaults.features).split(","), colours);
  plane.draw(state, colours, showsTests, isEmpty ? ownPoints(settings) : undefined);
  const space = byId("space", HTMLCanvasElement), chart = byId("chart", HTMLCanvasElement);
  if (isEmpty) [space, chart].forEach(prepare);
  else {
    drawSpace(space, state, colours, showsTests);
    drawLosses(chart, state, colours, isChecked("log"));
  }
  for (const [id, text] of Object.entries({
    epochs: state.epochs.toLocaleString("en"),
    steps: state.steps.toLocaleString("en"),
    rate: String(Number(state.learning_rate.toPrecision(3))),
    "train-loss": isEmpty ? "–" : steady(state.train_loss),
    "test-loss": isEmpty ? "–" : steady(state.test_loss),
    "train-accuracy": accuracyText(isEmpty ? null : state.train_accuracy),
    "test-accuracy": accuracyText(isEmpty ? null : state.test_accuracy),
    axes: state.axes + (state.layers.at(-2) === 2 ? " Dashed line: output 0." : ""),
  })) byId(id, HTMLElement).textContent = text;
}

/** @param {number | null} accuracy */
const accuracyText = (accuracy) => (accuracy === null ? "–" : percent(accuracy));

/** Describe the state for screen readers, at most once a second. */
function report() {
  if (!state || draft()) return;
  const losses = `Epoch ${state.epochs.toLocaleString("en")}. Training loss ${steady(state.train_loss)}, test loss ${steady(state.test_loss)}.`;
  const accuracy = state.test_accuracy === null ? "" : ` Test accuracy ${percent(state.test_accuracy)}.`;
  const status = byId("status", HTMLElement);
  if (status.dataset.losses === losses + accuracy) return;
  status.dataset.losses = status.textContent = losses + accuracy;
  byId("plane", HTMLElement).ariaLabel = `Plane coloured by the output, with ${counted(state.shapes.points[0], "point")}.${accuracy}`
    + (settings.data === "own" ? " Arrow keys move a cross, Enter adds or removes a point there." : "");
  byId("chart", HTMLElement).ariaLabel = losses;
  byId("space", HTMLElement).ariaLabel = `Inputs of the output unit. ${state.axes}`;
}

/** @param {boolean} isOn */
function setRunning(isOn) {
  isRunning = isOn;
  byId("run", HTMLElement).textContent = isOn ? "Pause" : "Run";
  if (!isOn) return;
  problem.hidden = true;
  turn();
}

function showPace() {
  const text = pace() === "epoch" ? "an epoch" : String(pace());
  byId("pace-text", HTMLElement).textContent = text;
  byId("pace", HTMLElement).setAttribute("aria-valuetext", text);
}

/** Add a custom point at x, y, or remove the one there. @param {number} x @param {number} y @param {number} near */
function place(x, y, near) {
  const points = ownPoints(settings);
  const distances = points.map(([left, up]) => Math.hypot(left - x, up - y));
  const nearest = Math.min(...distances);
  if (nearest < near) points.splice(distances.indexOf(nearest), 1);
  else points.push([x, y, target()]);
  byId("status", HTMLElement).textContent = `${nearest < near ? "Removed" : "Added"}: ${counted(points.length, "point")}.`;
  change({ own: points.join(";") });
}

function target() {
  if (settings.problem === "regression") return Number(byId("value", HTMLInputElement).value);
  return Number(document.querySelector(/** @type {"input"} */ ("input[name=class]:checked"))?.value);
}

/** @param {string} id @param {() => unknown} act */
const onClick = (id, act) => byId(id, HTMLElement).addEventListener("click", act);

function listen() {
  onClick("run", () => setRunning(!isRunning));
  onClick("step", () => want({ steps: 1 }));
  onClick("epoch", () => want({ steps: "epoch" }));
  onClick("reset", () => want({ reset: true }));
  onClick("seed", () => change({ seed: String(Math.floor(1_000_000 * Math.random())) }));
  onClick("undo", () => change({ own: ownPoints(settings).slice(0, -1).join(";") }));
  onClick("clear", () => change({ own: "" }));
  onClick("copy", () => navigator.clipboard.writeText(location.href).then(
    () => { byId("copy", HTMLElement).textContent = "Copied"; },
    () => tell(problem, "The link could not be copied. Copy the address of this page instead."),
  ));
  byId("pace", HTMLElement).addEventListener("input", showPace);
  byId("value", HTMLInputElement).addEventListener("input", () => {
    byId("value-text", HTMLElement).textContent = byId("value", HTMLInputElement).value;
  });
  for (const id of ["tests", "log", "lines"]) byId(id, HTMLElement).addEventListener("change", show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    colours = readColours();
    showSettings();
    show();
  });
  new ResizeObserver(show).observe(byId("plane", HTMLElement));
  for (const kind of ["focus", "blur", "keydown"]) byId("plane", HTMLElement).addEventListener(kind, show);
  whenFollowed(openAddress);
  setInterval(report, 1000);
}

function openAddress() {
  settings = readAddress(choices);
  isLink = true;
  try {
    showSettings();
  } catch {
    // A broken link: the server returns the reason.
  }
  want({ settings, reset: true });
}

async function open() {
  try {
    choices = await ask("/api/play");
  } catch (error) {
    tell(problem, error);
    return;
  }
  net = new Net(choices, change);
  plane = new Plane(byId("plane", HTMLCanvasElement), choices.edge, place, (text) => { byId("status", HTMLElement).textContent = text; });
  openControls(choices, change);
  listen();
  showPace();
  openAddress();
}

open();
