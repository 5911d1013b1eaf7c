// One project: its classes, what was learnt of them, and what that says of the camera's pictures.

import { ask, byId, sending, tell } from "./ask.js";
import { Card } from "./card.js";
import { figuresShown } from "./figures.js";
import { percent } from "./percent.js";
import { Recorder } from "./recorder.js";
import { Talk } from "./talk.js";

/**
 * What there is to know of a project; the server leaves out what the page has already.
 * @typedef {import("./card.js").Class} Class
 * @typedef {{stage: string, done: number, total: number}} Busy
 * @typedef {{version: number, classes: string[] | null, needed: string, pictures: number,
 *   figures: import("./figures.js").Figures | null, left_out: {name: string, reason: string}[]}} Learnt
 * @typedef {{number: number, version: number, name: string, file: string, undo: string | null, backbone: string, classes: Class[],
 *   busy: Busy | null, error: string, learnt: Learnt | null,
 *   tuning: {busy: Busy | null, told: string, answers: boolean}}} State
 * @typedef {{version?: number, classes?: {name: string, probability: number}[], unknown: boolean,
 *   near: {picture: number, similarity: number}[], needed?: string, error?: string}} Answer
 */

const AT_ONCE = 3;
const AGAIN = 2000;
const RARELY = 100;

/** @param {Busy} busy */
const progressOf = ({ stage, done, total }) => `${stage}${total ? ` ${done} of ${total}` : ""} …`;

export class Project {
  /** @param {string} id @param {HTMLElement} problem where errors are told */
  constructor(id, problem) {
    this.path = `/api/projects/${encodeURIComponent(id)}`;
    this.problem = problem;
    /** @type {State | undefined} */
    this.state = undefined;
    /** @type {Class[]} */
    this.classes = [];
    /** @type {Map<string, Card>} */
    this.cards = new Map();
    this.isOpen = true;
    this.ending = new AbortController();
    this.talk = new Talk(`${this.path}/live`);
    /** @type {import("./watch.js").Watch | undefined} */
    this.watch = undefined;
    /** @type {Recorder | undefined} */
    this.recorder = undefined;
  }

  /** Begin to show it. @param {import("./watch.js").Watch} watch asks `look` */
  open(watch) {
    this.watch = watch;
    this.recorder = new Recorder(watch, (classId, frame, burst) => this.addFrame(classId, frame, burst));
    byId("cards", HTMLElement).replaceChildren();
    for (const [id, file] of [["take-classifier", "classifier.eyespot"], ["take-onnx", "classifier.onnx"], ["take-pictures", "pictures.zip"], ["take-report", "report.html"]]) {
      byId(id, HTMLAnchorElement).href = `${this.path}/${file}`;
    }
    this.follow();
  }

  close() {
    this.isOpen = false;
    this.ending.abort();
    this.recorder?.stop();
    this.talk.close();
  }

  /** Show every change, also those of other tabs, for as long as the project is open. */
  async follow() {
    let isLost = false;
    while (this.isOpen) {
      const { number = -1, version = -1 } = isLost ? {} : this.state ?? {};
      try {
        const news = /** @type {Partial<State>} */ (await ask(`${this.path}?seen=${number}&version=${version}`, { signal: this.ending.signal }));
        if (!this.isOpen) return;
        if (isLost) this.problem.hidden = true;
        isLost = false;
        this.show(/** @type {State} */ ({ ...this.state, ...news }));
        await new Promise((resolve) => setTimeout(resolve, RARELY)); // progress is told more often
      } catch (error) {
        if (!this.isOpen) return;
        isLost = true;
        tell(this.problem, error);
        await new Promise((resolve) => setTimeout(resolve, AGAIN));
      }
    }
  }

  // --- showing -------------------------------------------------------------------------------

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
    this.showLearnt(state);
    this.showTuning(state);
    const learnt = state.learnt;
    if (learnt?.version !== before?.learnt?.version || Boolean(learnt?.figures) !== Boolean(before?.learnt?.figures)) {
      this.watch?.run(); // a picture that stands still is asked of again
    }
  }

  /** @param {Class[]} classes */
  showClasses(classes) {
    this.classes = classes;
    byId("add-what", HTMLElement).textContent = classes.length ? "Another thing to recognise (a class)" : "The first thing to recognise (a class)";
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
        card = new Card(this.path, of.id, {
          change: (path, method, body) => this.change(path, method, body),
          add: (classId, files) => this.addFiles(files.map((file) => ({ classId, file }))),
          record: (button, classId) => this.recorder?.attach(button, classId),
          others: (classId) => this.classes.filter((one) => one.id !== classId),
        });
        this.cards.set(of.id, card);
      }
      if (place.children[index] !== card.element) place.insertBefore(card.element, place.children[index] ?? null);
      card.show(of);
    }
  }

  /** @param {State} state */
  showLearnt({ busy, error, learnt, version }) {
    const isCurrent = learnt?.version === version;
    byId("status", HTMLElement).textContent = error || (busy ? progressOf(busy)
      : learnt?.classes ? `Learnt from ${learnt.pictures} pictures.` : learnt?.needed ?? "");
    byId("figures", HTMLElement).replaceChildren(...figuresShown(isCurrent ? learnt?.figures ?? null : null, isCurrent ? learnt?.needed ?? "" : ""));
    const suspects = new Map((learnt?.figures?.label_issues ?? []).map((one) => [one.picture, one.suggested]));
    for (const card of this.cards.values()) card.suspect(suspects);
    const isReady = Boolean(learnt?.classes);
    for (const id of ["take-classifier", "take-onnx", "take-report"]) byId(id, HTMLElement).ariaDisabled = String(!isReady);
    byId("take-note", HTMLElement).hidden = isReady;
  }

  /** @param {State} state */
  showTuning({ learnt, tuning: { busy, told, answers } }) {
    const button = byId("tune", HTMLButtonElement);
    button.textContent = busy ? "Stop fine-tuning" : "Fine-tune";
    button.disabled = !busy && learnt?.figures?.top1 == null; // what cannot be judged cannot get better
    const now = answers ? " It answers as long as nothing is changed." : "";
    const bar = byId("tuned", HTMLProgressElement);
    bar.hidden = !busy;
    if (busy?.total) [bar.max, bar.value] = [busy.total, busy.done];
    else bar.removeAttribute("value"); // how long it takes is not known
    byId("tuning", HTMLElement).textContent = busy ? progressOf(busy)
      : told || now ? `${told}${now}` : "Learns more thoroughly, for minutes: it helps with many pictures of unusual things.";
  }

  /** Let the network itself learn, or stop that. */
  tune() {
    const method = this.state?.tuning.busy ? "DELETE" : "POST";
    return this.change(`${this.path}/tune`, method);
  }

  /** Ask of one picture, and show what comes. @param {Blob} picture @param {number} perSecond */
  async look(picture, perSecond) {
    await this.talk.say(picture);
    const answer = /** @type {Answer} */ (await this.talk.hear());
    const speed = byId("speed", HTMLElement);
    if (answer.error) throw new Error(answer.error);
    this.showBars(answer);
    byId("alike", HTMLElement).hidden = !answer.classes;
    speed.textContent = answer.needed ?? (perSecond ? `${perSecond.toFixed(0)} pictures a second.` : "");
    byId("near", HTMLElement).replaceChildren(...(answer.near ?? []).map(({ picture: id }) => {
      const image = document.createElement("img");
      image.src = `${this.path}/thumbnails/${id}`;
      image.alt = "";
      const name = document.createElement("span");
      name.textContent = this.classes.find((of) => of.pictures.includes(id))?.name ?? "";
      const item = document.createElement("li");
      item.append(image, name);
      return item;
    }));
  }

  /** @param {Answer} answer */
  showBars({ classes = [], unknown }) {
    const list = byId("bars", HTMLElement);
    const best = Math.max(...classes.map((of) => of.probability));
    const rows = [...classes, ...(classes.length ? [{ name: "none of these", probability: unknown ? 1 : 0 }] : [])];
    while (list.children.length > rows.length) list.lastElementChild?.remove();
    const first = classes.find((of) => of.probability === best);
    byId("best", HTMLElement).textContent = unknown ? "none of these" : first ? `${first.name} ${percent(best)}` : "";
    rows.forEach(({ name, probability }, index) => {
      const isRefusal = index === classes.length;
      let item = list.children[index];
      if (!item) {
        item = document.createElement("li");
        item.append(document.createElement("span"), document.createElement("span"), document.createElement("meter"));
        list.append(item);
      }
      const [label, share, meter] = item.children;
      label.textContent = name;
      share.textContent = isRefusal ? (unknown ? "yes" : "") : unknown ? "" : percent(probability);
      if (meter instanceof HTMLMeterElement) {
        meter.value = unknown && !isRefusal ? 0 : probability;
        meter.hidden = isRefusal;
        meter.ariaLabel = `Probability of ${name}`;
      }
      item.classList.toggle("best", isRefusal ? unknown : !unknown && probability === best);
    });
  }

  // --- changing ------------------------------------------------------------------------------

  /** @param {string} path @param {string} method @param {object} [body] */
  async change(path, method, body) {
    try {
      await ask(path, sending(method, body));
      this.problem.hidden = true;
    } catch (error) {
      tell(this.problem, error);
      throw error;
    }
  }

  /** @param {string} classId @param {Blob} file @param {string} name @param {string} [burst] */
  async add(classId, file, name, burst) {
    const query = new URLSearchParams({ name, ...(burst && { burst }) });
    return ask(`${this.path}/classes/${classId}/pictures?${query}`, { method: "POST", body: file });
  }

  /** @param {string} classId @param {Blob} frame @param {string} burst */
  async addFrame(classId, frame, burst) {
    try {
      await this.add(classId, frame, "frame", burst);
    } catch (error) {
      this.recorder?.stop();
      tell(this.problem, error);
    }
  }

  /** Add files, a few at once; those that are no pictures are named, the others are kept.
   * @param {{classId: string, file: File}[]} files */
  async addFiles(files) {
    /** @type {string[]} */
    const failed = [];
    let next = 0, known = 0;
    const status = byId("status", HTMLElement);
    const work = async () => {
      while (next < files.length && this.isOpen) {
        const { classId, file } = files[next++];
        status.textContent = `Adding ${next} of ${files.length} …`;
        try {
          const added = await this.add(classId, file, file.name);
          known += added.known;
          for (const one of added.skipped) failed.push(`${one.name}: ${one.reason}`);
        } catch (error) {
          failed.push(`${file.name}: ${error instanceof Error ? error.message : error}`);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const again = known ? [`${known} ${known === 1 ? "picture was" : "pictures were"} there already`] : [];
    if (failed.length || known) {
      const shown = failed.slice(0, 5).concat(failed.length > 5 ? [`and ${failed.length - 5} more`] : []);
      tell(this.problem, `Not added: ${[...shown, ...again].join("; ")}.`);
    } else this.problem.hidden = true;
  }
}
