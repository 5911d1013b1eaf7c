// Search: ten rounds in which person and model look for a target, made from the seed in the address.

import * as address from "./address.js";
import { ask, latest } from "./ask.js";
import { byId, tell } from "./dom.js";
import { counted } from "./numbers.js";
import { distance } from "./search_places.js";
import { showChart, showRows, verdict } from "./search_results.js";
import { Scene } from "./search_scene.js";
import { decoded, paintTarget } from "./search_view.js";

/**
 * @typedef {import("./search_places.js").Place} Place
 * @typedef {{textures: string[], difficulties: Record<string, number>, most_seed: number, rounds: number,
 *   most_looks: number, side: number, degrees: number, places: Place[]}} Settings
 * @typedef {{looks: Place[], answer: number, found: boolean}} ModelSearch
 * @typedef {{pixels: import("./search_view.js").Pixels, place: number, model: ModelSearch}} Round
 */

const CENTRE = /** @type {Place} */ ([0, 0]);
const { BROKEN } = address;

const problem = byId("problem", HTMLElement);
const next = byId("next", HTMLButtonElement);
const giveUp = byId("give-up", HTMLButtonElement);
const texture = byId("texture", HTMLSelectElement);
const difficulty = byId("difficulty", HTMLSelectElement);
const seed = byId("seed", HTMLInputElement);
const stage = byId("scene", HTMLElement);
const request = latest("/api/search");

/** @type {Settings} */
let settings;
/** @type {Scene} */
let scene;
/** @type {Round | undefined} */
let round;
/** Of the rounds that are over. @type {import("./search_results.js").Result[]} */
let results = [];
/** The person's looks in this round. @type {Place[]} */
let looks = [];

const say = (/** @type {string} */ id, /** @type {string} */ text) => (byId(id, HTMLElement).textContent = text);
const slope = () => settings.difficulties[difficulty.value];

/** Begin the game of the settings on the page: show its target. */
async function begin() {
  if (!seed.reportValidity()) return;
  address.write(state());
  [results, looks] = [[], []];
  scene.close();
  showSummary(false);
  showPhase("Target", "Start");
  say("about", "It hides in each scene.");
  say("said", "Find the target in fewer looks than the model.");
  showRows(results, settings.rounds);
  const loaded = await load();
  showCounts();
  if (!loaded) return;
  scene.showTarget(loaded.pixels);
  paintTarget(byId("target", HTMLCanvasElement), loaded.pixels);
}

const state = () => new URLSearchParams({ seed: seed.value, texture: texture.value, difficulty: difficulty.value });

/** Load the next round. Returns it, unless that failed or another game has begun. */
async function load() {
  round = undefined;
  next.disabled = true;
  const number = results.length;
  try {
    const answer = await request({ seed: Number(seed.value), texture: texture.value, difficulty: difficulty.value, round: number });
    if (!answer) return undefined;
    const pixels = {
      texture: decoded(answer.texture), patch: new Float32Array(answer.patch.flat()),
      width: answer.patch.length, place: settings.places[answer.place],
    };
    round = { pixels, place: answer.place, model: answer.model };
    problem.hidden = true;
    say("round", `Round ${number + 1} of ${settings.rounds}`);
  } catch (error) {
    tell(problem, error);
  }
  next.disabled = false;
  return round;
}

/** Open the scene: the first look is at its centre, for person and model. */
function open() {
  if (!round) return;
  looks = [CENTRE];
  showPhase("Scene", "");
  say("about", "Click the target, or look elsewhere.");
  say("said", "1 look.");
  scene.show(round.pixels, slope(), looks);
  showCounts();
  stage.focus({ preventScroll: true });
}

/** @param {number} place where the person clicked: the answer if the target is there, else a look */
function look(place) {
  if (!round) return;
  if (place === round.place) return finish(true);
  if (looks.length === settings.most_looks) return finish(false);
  looks.push(settings.places[place]);
  scene.show(round.pixels, slope(), looks);
  say("said", `Not here. ${counted(looks.length, "look")}.`);
  showCounts();
}

/** @param {boolean} found */
function finish(found) {
  if (!round) return;
  const { model, pixels } = round;
  results.push({
    eccentricity: distance(CENTRE, pixels.place),
    you: { looks: looks.length, found },
    model: { looks: model.looks.length, found: model.found },
  });
  scene.reveal(pixels, { looks, answer: found ? pixels.place : undefined }, { looks: model.looks, answer: settings.places[model.answer] });
  const isLast = results.length === settings.rounds;
  showPhase("Paths", isLast ? "Show results" : "Next round");
  say("about", "");
  say("said", `${found ? "Found" : "Not found"} after ${counted(looks.length, "look")}. The model ${model.found ? "needed" : "failed after"} ${counted(model.looks.length, "look")}.`);
  showCounts(found);
  showRows(results, settings.rounds);
  next.focus({ preventScroll: true });
}

/** @param {string} title @param {string} action the main button; none while the person searches */
function showPhase(title, action) {
  say("scene-title", title);
  stage.ariaLabel = title === "Scene" ? `Scene of round ${results.length + 1}` : title;
  next.hidden = !action;
  next.textContent = action;
  giveUp.hidden = Boolean(action);
  byId("paths", HTMLElement).hidden = title !== "Paths";
  byId("keys", HTMLElement).hidden = title === "Paths";
}

/** The looks so far. @param {boolean} [found] at the end of a round */
function showCounts(found) {
  const model = round?.model;
  if (!model || !looks.length) {
    for (const id of ["your-looks", "model-looks"]) say(id, "–");
    for (const id of ["your-state", "model-state"]) say(id, "");
    return;
  }
  const isOver = found !== undefined, hasAnswered = looks.length >= model.looks.length;
  say("your-looks", String(looks.length));
  say("your-state", isOver ? (found ? "found" : "not found") : "searching");
  say("model-looks", String(isOver ? model.looks.length : Math.min(looks.length, model.looks.length)));
  say("model-state", isOver ? (model.found ? "found" : "not found") : hasAnswered ? "has answered" : "searching");
}

/** The main button: start, next round or results. */
async function goOn() {
  if (results.length === settings.rounds) summarize();
  else if (!results.length && !round) await begin(); // the first request has failed
  else if (!results.length || await load()) open();
}

function summarize() {
  showSummary(true);
  say("round", "Results");
  say("copy", "Copy link");
  say("verdict", verdict(results));
  showChart(byId("chart", HTMLElement), results);
  byId("link", HTMLAnchorElement).href = `#${state()}`;
  byId("summary", HTMLElement).focus();
}

/** Show the results of all rounds instead of a scene, or a scene again. @param {boolean} isOver */
function showSummary(isOver) {
  byId("summary", HTMLElement).hidden = !isOver;
  for (const id of ["field", "now"]) byId(id, HTMLElement).hidden = isOver;
}

/** Take the game from the address. Throws an Error if it is invalid. */
function follow() {
  const given = address.read(["seed", "texture", "difficulty"]);
  const isNumber = /^\d{1,9}$/.test(given.get("seed") ?? "0") && Number(given.get("seed")) <= settings.most_seed;
  if (!isNumber) throw new Error(`${BROKEN}seed is not a number from 0 to ${settings.most_seed.toLocaleString("en")}.`);
  for (const select of [texture, difficulty]) {
    const value = given.get(select.id) ?? select.options[0].value;
    if (![...select.options].some((option) => option.value === value)) throw new Error(`${BROKEN}${select.id} cannot be ${value.slice(0, 30)}.`);
    select.value = value;
  }
  seed.value = given.get("seed") ?? randomSeed();
}

const randomSeed = () => String(Math.floor((settings.most_seed + 1) * Math.random()));

async function openLink() {
  let message;
  try {
    follow();
  } catch (error) {
    seed.value = randomSeed();
    message = `${error instanceof Error ? error.message : error} Below is another game.`;
  }
  await begin();
  if (message) tell(problem, message);
}

function listen() {
  next.addEventListener("click", goOn);
  giveUp.addEventListener("click", () => finish(false));
  for (const field of [texture, difficulty, seed]) field.addEventListener("change", begin);
  for (const id of ["new", "again"]) byId(id, HTMLElement).addEventListener("click", () => {
    seed.value = randomSeed();
    begin();
  });
  for (const who of ["you", "model"]) {
    const button = byId(`show-${who}`, HTMLElement);
    button.addEventListener("click", () => {
      button.ariaPressed = String(button.ariaPressed !== "true");
      stage.classList.toggle(`without-${who}`, button.ariaPressed !== "true");
    });
  }
  byId("copy", HTMLElement).addEventListener("click", () => navigator.clipboard.writeText(byId("link", HTMLAnchorElement).href).then(
    () => say("copy", "Copied"),
    () => tell(problem, "The link could not be copied. Copy the address of this page instead."),
  ));
  byId("link", HTMLElement).addEventListener("click", () => {
    if (location.hash === new URL(byId("link", HTMLAnchorElement).href).hash) begin();
  });
  addEventListener("resize", () => {
    if (!byId("summary", HTMLElement).hidden) showChart(byId("chart", HTMLElement), results);
  });
  address.whenFollowed(openLink);
}

async function start() {
  try {
    settings = await ask("/api/search");
  } catch (error) {
    tell(problem, error);
    return;
  }
  texture.replaceChildren(...settings.textures.map((name) => new Option(name)));
  difficulty.replaceChildren(...Object.keys(settings.difficulties).map((name) => new Option(name)));
  seed.max = String(settings.most_seed);
  const small = byId("target", HTMLCanvasElement);
  small.width = small.height = Math.round(3 * settings.side / settings.degrees);
  scene = new Scene(stage, settings, look, (text) => say("cursor", text));
  listen();
  await openLink();
}

start();
