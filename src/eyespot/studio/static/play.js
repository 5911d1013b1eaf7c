// Play with backpropagation: asks the server for one picture after the other, and shows them.

import { whenFollowed } from "./address.js";
import { ask, byId, tell } from "./ask.js";
import { percent } from "./percent.js";
import { Talk } from "./talk.js";
import { drawLosses, drawSpace } from "./play_charts.js";
import { addressOf, changed, computable, isDraft, openControls, ownPoints, readAddress, showControls, showSets } from "./play_choices.js";
import { prepare, readColours } from "./play_colours.js";
import { Net } from "./play_net.js";
import { readPicture, short } from "./play_picture.js";
import { Plane } from "./play_plane.js";

/**
 * @typedef {import("./play_choices.js").Settings} Settings
 * @typedef {{settings?: Settings, reset?: boolean, steps?: number | "epoch"}} Wish
 */

/** @type {(number | "epoch")[]} */
const PACES = [1, 2, 5, 10, 20, 50, 100, "epoch"];
/** What the server would not do. */
class Refusal extends Error {}

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
/** The last that the server took. @type {Settings} */
let accepted = {};
/** What is to be asked next. @type {Wish | undefined} */
let wish;
let isRunning = false;
let isBusy = false;
/** Whether the server has our settings. */
let isKnown = false;
/** Whether what is asked next comes from a link. */
let isLink = true;
/** @type {import("./play_picture.js").Picture | undefined} */
let picture;

const isChecked = (/** @type {string} */ id) => byId(id, HTMLInputElement).checked;
const pace = () => PACES[Number(byId("pace", HTMLInputElement).value)];
const draft = () => isDraft(choices, settings);

/** @param {Wish} part */
function want(part) {
  problem.hidden = true;
  wish = { ...wish, ...part };
  turn();
}

/** Ask and show, for as long as there is something to ask. */
async function turn() {
  if (isBusy) return;
  isBusy = true;
  while (wish || isRunning) {
    const asked = { ...(isRunning ? { steps: pace() } : {}), ...wish };
    if (!isKnown) asked.settings = settings;
    if (asked.settings) asked.settings = computable(choices, asked.settings);
    const meant = settings, wasLink = isLink;
    wish = undefined;
    isLink = false;
    try {
      if (isKnown && !talk.socket) throw new Error("The studio does not answer any more. Is it still running?");
      await talk.say(JSON.stringify(asked));
      const answer = await talk.hear();
      if (!(answer instanceof Blob)) throw new Refusal(answer.error);
      picture = readPicture(await answer.arrayBuffer());
    } catch (error) {
      fail(error, wasLink);
      continue;
    }
    isKnown = true;
    if (asked.settings) {
      accepted = meant;
      share();
    }
    if (picture.stopped) {
      setRunning(false);
      tell(problem, picture.stopped);
    }
    await new Promise((resolve) => requestAnimationFrame(resolve));
    show();
  }
  isBusy = false;
}

/** @param {unknown} error @param {boolean} wasLink what was asked came from one */
function fail(error, wasLink) {
  setRunning(false);
  if (!(error instanceof Refusal)) {
    tell(problem, error);
    isKnown = false;  // whoever answers next knows nothing of us
    isLink ||= wasLink;
    return;
  }
  if (isLink) return; // another one was followed since, and comes next
  tell(problem, error);
  if (wasLink) problem.textContent = `This link cannot be opened. ${error.message} Here is the playground as it is without a link.`;
  settings = wasLink ? choices.defaults : accepted;
  showSettings();
  if (wasLink || !isKnown) wish = { settings };
}

/** The address holds what there is to see. */
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
  byId("own-about", HTMLElement).textContent = (isOpen ? `Place ${missing} more point${missing > 1 ? "s" : ""} to begin. ` : "")
    + "Click in the plane to add a point, on a point to remove it. With the keyboard: go to the plane, move with the arrow keys, press Enter.";
  for (const id of ["undo", "clear"]) byId(id, HTMLButtonElement).disabled = !settings.own;
  byId("legend", HTMLElement).hidden = settings.problem === "regression";
  for (const row of document.querySelectorAll("[data-accuracy]")) row.toggleAttribute("hidden", settings.problem === "regression");
}

function show() {
  if (!picture) return;
  const showsTests = isChecked("tests"), isEmpty = draft();
  net.show(picture, (picture.settings.features ?? choices.defaults.features).split(","), colours);
  plane.draw(picture, colours, showsTests, isEmpty ? ownPoints(settings) : undefined);
  const space = byId("space", HTMLCanvasElement), chart = byId("chart", HTMLCanvasElement);
  if (isEmpty) [space, chart].forEach(prepare);
  else {
    drawSpace(space, picture, colours, showsTests);
    drawLosses(chart, picture, colours, isChecked("log"));
  }
  for (const [id, text] of Object.entries({
    epochs: picture.epochs.toLocaleString("en"),
    steps: picture.steps.toLocaleString("en"),
    rate: String(Number(picture.learning_rate.toPrecision(3))),
    "train-loss": isEmpty ? "–" : short(picture.train_loss),
    "test-loss": isEmpty ? "–" : short(picture.test_loss),
    "train-right": share100(isEmpty ? null : picture.train_accuracy),
    "test-right": share100(isEmpty ? null : picture.test_accuracy),
    axes: picture.axes + (picture.layers.at(-2) === 2 ? " Broken line: where the output is 0." : ""),
  })) byId(id, HTMLElement).textContent = text;
}

/** @param {number | null} share */
const share100 = (share) => (share === null ? "–" : percent(share));

/** What there is to see, in words, once a second at most. */
function report() {
  if (!picture || draft()) return;
  const losses = `Epoch ${picture.epochs}. Loss of training ${short(picture.train_loss)}, of test ${short(picture.test_loss)}.`;
  const right = picture.test_accuracy === null ? "" : ` ${share100(picture.test_accuracy)} of the test points are right.`;
  const status = byId("status", HTMLElement);
  if (status.dataset.losses === losses + right) return;
  status.dataset.losses = status.textContent = losses + right;
  byId("plane", HTMLElement).ariaLabel = `The plane, coloured by what the network says, and ${picture.shapes.points[0]} points.${right}`
    + (settings.data === "own" ? " Arrow keys move a cross, Enter adds or removes a point there." : "");
  byId("chart", HTMLElement).ariaLabel = losses;
  byId("space", HTMLElement).ariaLabel = `The points as the output unit sees them. ${picture.axes}`;
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

/** A point was put at x, y: a new one, or one that is to go. @param {number} x @param {number} y @param {number} near */
function place(x, y, near) {
  const points = ownPoints(settings);
  const distances = points.map(([left, up]) => Math.hypot(left - x, up - y));
  const nearest = Math.min(...distances);
  if (nearest < near) points.splice(distances.indexOf(nearest), 1);
  else points.push([x, y, target()]);
  byId("status", HTMLElement).textContent = `${nearest < near ? "Removed" : "Added"}: ${points.length} point${points.length === 1 ? "" : "s"}.`;
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
    () => tell(problem, "The link could not be copied. The page's address holds it: copy it there."),
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
    // A broken link: the server says why.
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
