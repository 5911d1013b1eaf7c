// One project: its classes, its classifier's evaluation, and predictions for the camera's photos.

import { ask } from "./ask.js";
import { showBars } from "./bars.js";
import { Card } from "./card.js";
import { byId, make, tell } from "./dom.js";
import { evaluationElements } from "./evaluation.js";
import { counted } from "./numbers.js";
import { OpenProject } from "./open_project.js";
import { percent } from "./percent.js";
import { Recorder } from "./recorder.js";
import { Talk } from "./talk.js";
import { upload } from "./upload.js";

/**
 * The state of a project; the server leaves out the part that the page has already.
 * @typedef {import("./card.js").Class} Class
 * @typedef {{stage: string, done: number, total: number}} Busy
 * @typedef {{version: number, classes: string[] | null, needed: string, photos: number,
 *   evaluation: import("./evaluation.js").Evaluation | null, left_out: {name: string, reason: string}[]}} Trained
 * @typedef {{number: number, version: number, name: string, file: string, undo: string | null, backbone: string, classes: Class[],
 *   busy: Busy | null, error: string, trained: Trained | null,
 *   fine_tuning: {busy: Busy | null, message: string, active: boolean}}} State
 * @typedef {{version?: number, classes?: {name: string, probability: number}[], unknown: boolean,
 *   similar: {photo: number, similarity: number}[], needed?: string, error?: string}} Prediction
 */

const EXPORTS = { classifier: "classifier.eyespot", onnx: "classifier.onnx", photos: "photos.zip", report: "report.html" };
const FINE_TUNING = "Fine-tuning also trains the backbone. It takes minutes, and helps with many photos that differ from ImageNet.";
const UNKNOWN = "none of these";

/** @param {Busy} busy */
const progressOf = ({ stage, done, total }) => `${stage}${total ? ` ${done.toLocaleString("en")} of ${total.toLocaleString("en")}` : ""} …`;

/** @extends {OpenProject<State>} */
export class Project extends OpenProject {
  /** @param {string} id @param {HTMLElement} problem where errors are shown @param {import("./watch.js").Watch} watch calls `predict` */
  constructor(id, problem, watch) {
    super(`/api/projects/${encodeURIComponent(id)}`, problem);
    this.watch = watch;
    /** @type {Class[]} */
    this.classes = [];
    /** @type {Map<string, Card>} */
    this.cards = new Map();
    this.talk = new Talk(`${this.path}/live`);
    this.recorder = new Recorder(watch, (classId, frame, burst) => this.addFrame(classId, frame, burst));
  }

  open() {
    byId("cards", HTMLElement).replaceChildren();
    for (const [id, file] of Object.entries(EXPORTS)) byId(`export-${id}`, HTMLAnchorElement).href = `${this.path}/${file}`;
    this.follow();
  }

  close() {
    super.close();
    this.recorder.stop();
    this.talk.close();
  }

  /** @param {State} state */
  show(state) {
    const before = this.state;
    this.state = state;
    const name = byId("name", HTMLInputElement);
    if (document.activeElement !== name) name.value = state.name;
    document.title = `${state.name} · eyespot studio`;
    for (const place of document.querySelectorAll(".named")) {
      place.textContent = place.classList.contains("address") ? encodeURIComponent(state.file) : state.file;
    }
    const undo = byId("undo", HTMLButtonElement);
    undo.disabled = !state.undo;
    undo.textContent = state.undo ? `Undo ${state.undo}` : "Undo";
    const backbone = byId("backbone", HTMLSelectElement);
    if (document.activeElement !== backbone) backbone.value = state.backbone;
    if (state.classes !== before?.classes) this.showClasses(state.classes);
    this.showTraining(state);
    this.showFineTuning(state);
    const trained = state.trained;
    if (trained?.version !== before?.trained?.version || Boolean(trained?.evaluation) !== Boolean(before?.trained?.evaluation)) {
      this.watch.run(); // predict a chosen photo again
    }
  }

  /** @param {Class[]} classes */
  showClasses(classes) {
    this.classes = classes;
    const place = byId("cards", HTMLElement);
    const ids = new Set(classes.map((of) => of.id));
    for (const [id, card] of this.cards) {
      if (ids.has(id)) continue;
      card.element.remove();
      this.cards.delete(id);
    }
    for (const [index, of] of classes.entries()) {
      let card = this.cards.get(of.id);
      if (!card) {
        card = new Card(this, of.id);
        this.cards.set(of.id, card);
      }
      if (place.children[index] !== card.element) place.insertBefore(card.element, place.children[index] ?? null);
      card.show(of);
    }
  }

  /** @param {State} state */
  showTraining({ busy, error, trained, version }) {
    const isCurrent = trained?.version === version;
    byId("status", HTMLElement).textContent = error || (busy ? progressOf(busy)
      : trained?.classes ? `Trained on ${counted(trained.photos, "photo")}.` : trained?.needed ?? "");
    byId("evaluation", HTMLElement).replaceChildren(...evaluationElements(isCurrent ? trained?.evaluation ?? null : null, isCurrent ? trained?.needed ?? "" : ""));
    const issues = new Map((trained?.evaluation?.label_issues ?? []).map((one) => [one.photo, one.suggested]));
    for (const card of this.cards.values()) card.thumbnails.mark(issues);
    const isReady = Boolean(trained?.classes);
    for (const id of ["classifier", "onnx", "report"]) byId(`export-${id}`, HTMLElement).ariaDisabled = String(!isReady);
    byId("export-note", HTMLElement).hidden = isReady;
  }

  /** @param {State} state */
  showFineTuning({ trained, fine_tuning: { busy, message, active } }) {
    const button = byId("fine-tune", HTMLButtonElement);
    button.textContent = busy ? "Stop fine-tuning" : "Fine-tune";
    button.disabled = !busy && trained?.evaluation?.accuracy == null;
    const bar = byId("fine-tuned", HTMLProgressElement);
    bar.hidden = !busy;
    if (busy?.total) [bar.max, bar.value] = [busy.total, busy.done];
    else bar.removeAttribute("value"); // of unknown length
    const result = [message, active ? "The fine-tuned classifier is used until the project changes." : ""].filter(Boolean).join(" ");
    byId("fine-tuning", HTMLElement).textContent = busy ? progressOf(busy) : result || FINE_TUNING;
  }

  /** Predict one photo. @param {Blob} photo @param {number} perSecond */
  async predict(photo, perSecond) {
    await this.talk.send(photo);
    const prediction = /** @type {Prediction} */ (await this.talk.receive());
    if (prediction.error) throw new Error(prediction.error);
    this.showPrediction(prediction);
    byId("speed", HTMLElement).textContent = prediction.needed ?? (perSecond ? `${perSecond.toFixed(0)} photos/s` : "");
    byId("similar-photos", HTMLElement).hidden = !prediction.classes;
    byId("similar", HTMLElement).replaceChildren(...(prediction.similar ?? []).map(({ photo: id }) => make("li", {},
      make("img", { src: `${this.path}/thumbnails/${id}`, alt: "" }),
      make("span", { textContent: this.classes.find((of) => of.photos.includes(id))?.name ?? "" }))));
  }

  /** @param {Prediction} prediction */
  showPrediction({ classes = [], unknown }) {
    const best = Math.max(...classes.map((of) => of.probability));
    const first = classes.find((of) => of.probability === best);
    byId("best", HTMLElement).textContent = unknown ? UNKNOWN : first ? `${first.name} ${percent(best)}` : "";
    const bars = classes.map(({ name, probability }) => ({
      name, text: unknown ? "" : percent(probability), value: unknown ? 0 : probability, isBest: !unknown && probability === best,
    }));
    const last = classes.length ? [{ name: UNKNOWN, text: unknown ? "yes" : "", isBest: unknown }] : [];
    showBars(byId("bars", HTMLElement), [...bars, ...last]);
  }

  /** Start or stop fine-tuning. */
  fineTune() {
    return this.change("/fine-tuning", this.state?.fine_tuning.busy ? "DELETE" : "POST");
  }

  /** @param {string} classId @param {Blob} file @param {string} name @param {string} [burst] */
  async add(classId, file, name, burst) {
    const query = new URLSearchParams({ name, ...(burst && { burst }) });
    return ask(`${this.path}/classes/${classId}/photos?${query}`, { method: "POST", body: file });
  }

  /** @param {string} classId @param {Blob} frame @param {string} burst */
  async addFrame(classId, frame, burst) {
    try {
      await this.add(classId, frame, "frame", burst);
    } catch (error) {
      this.recorder.stop();
      tell(this.problem, error);
    }
  }

  /** Add files to classes, and list those that were not added. @param {{classId: string, file: File}[]} files */
  async addFiles(files) {
    const problems = await upload(this, files);
    if (problems.length) tell(this.problem, `Not added: ${problems.join("; ")}.`);
    else this.problem.hidden = true;
  }
}
