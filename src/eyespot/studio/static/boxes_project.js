// One project of Boxes: its photos, the boxes of the open one, and the training of its detector.

import { ask, Lost } from "./ask.js";
import { Editor } from "./boxes_editor.js";
import { countElements, dotOf } from "./boxes_figures.js";
import { Live } from "./boxes_live.js";
import { Strip } from "./boxes_strip.js";
import { showTraining } from "./boxes_training.js";
import { byId, make, makeButton, tell } from "./dom.js";
import { OpenProject, RETRY } from "./open_project.js";
import { upload } from "./upload.js";

/**
 * The state of a project; the server leaves out the part that the page has already.
 * @typedef {import("./boxes_editor.js").Box} Box
 * @typedef {import("./boxes_editor.js").BoxClass} BoxClass
 * @typedef {import("./boxes_strip.js").Photo} Photo
 * @typedef {import("./boxes_training.js").Training} Training
 * @typedef {{number: number, version: number, name: string, file: string, undo: string | null, classes: BoxClass[],
 *   photos: Photo[], training: Training}} State
 */

/** Milliseconds until a move by keys is saved. */
const KEYS = 400;

/** @extends {OpenProject<State>} */
export class BoxesProject extends OpenProject {
  /** @param {string} id @param {HTMLElement} problem where errors are shown @param {Editor} editor */
  constructor(id, problem, editor) {
    super(`/api/boxes/${encodeURIComponent(id)}`, problem);
    this.editor = editor;
    /** @type {number | undefined} */
    this.current = undefined;
    /** Proposals that were neither accepted nor discarded, by photo. @type {Map<number, Box[]>} */
    this.proposals = new Map();
    this.strip = new Strip(byId("strip", HTMLElement), this.path, (photo) => this.openPhoto(photo));
    this.live = new Live(this.path);
    /** The save that waits for more keys. @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** Saves that the server has not confirmed. */
    this.saving = 0;
    this.issue = -1;
    for (const to of ["coco", "voc", "yolo"]) byId(`export-${to}`, HTMLAnchorElement).href = `${this.path}/boxes.zip?to=${to}`;
    byId("export-detector", HTMLAnchorElement).href = `${this.path}/detector.eyespot`;
    byId("report", HTMLAnchorElement).href = `${this.path}/report.html`;
    this.follow();
  }

  close() {
    this.flush();
    super.close();
    this.live.close();
  }

  /** @returns {Photo[]} */
  get photos() {
    return this.state?.photos ?? [];
  }

  get photo() {
    return this.photos.find((photo) => photo.id === this.current);
  }

  /** @param {State} state */
  async show(state) {
    const before = this.state;
    this.state = state;
    const name = byId("name", HTMLInputElement);
    if (document.activeElement !== name) name.value = state.name;
    document.title = `${state.name} · eyespot studio`;
    byId("file", HTMLElement).textContent = state.file;
    const undo = byId("undo", HTMLButtonElement);
    undo.disabled = !state.undo;
    undo.title = state.undo ? `Undo ${state.undo}` : "";
    byId("count", HTMLElement).textContent = state.photos.length.toLocaleString("en");
    if (JSON.stringify(state.classes) !== JSON.stringify(before?.classes)) this.showClasses(state.classes);
    showTraining(state.training, state.classes);
    if (state.training.summary?.key !== before?.training.summary?.key) {
      this.proposals.clear();
      await this.load();
    } else if (state.version !== before?.version) await this.load();
    if (!this.photo) {
      const first = state.photos.find((photo) => !photo.done) ?? state.photos[0];
      if (first) this.openPhoto(first.id);
      else this.closePhoto();
    }
    this.showPhoto();
  }

  /** @param {BoxClass[]} classes */
  showClasses(classes) {
    this.editor.setClasses(classes);
    byId("chips", HTMLElement).replaceChildren(...classes.map((of, index) => {
      const chip = makeButton("", () => {
        this.editor.choose(of.id);
        this.showChips();
      });
      chip.dataset.class = of.id;
      chip.append(dotOf(of), of.name, ...(index < 9 ? [make("kbd", { textContent: String(index + 1) })] : []));
      return chip;
    }));
    this.showChips();
    byId("classes", HTMLElement).replaceChildren(...classes.map((of) => {
      const path = `/classes/${of.id}`;
      const name = make("input", { value: of.name, maxLength: 100, ariaLabel: `Name of the class ${of.name}`, autocomplete: "off" });
      name.addEventListener("change", () => this.change(path, "PATCH", { name: name.value }).catch(() => (name.value = of.name)));
      const remove = makeButton("Delete", () => this.change(path, "DELETE").catch(() => {}));
      remove.ariaLabel = `Delete the class ${of.name} and its boxes`;
      return make("li", {}, dotOf(of), name, remove);
    }));
  }

  showChips() {
    for (const chip of byId("chips", HTMLElement).querySelectorAll("button[data-class]")) {
      if (chip instanceof HTMLElement) chip.ariaPressed = String(chip.dataset.class === this.editor.current);
    }
  }

  train() {
    return this.change("/training", this.state?.training.busy ? "DELETE" : "POST").catch(() => {});
  }

  /** @param {number} id */
  async openPhoto(id) {
    await this.flush();
    if (this.timer !== undefined) return; // not saved: the studio does not answer
    this.current = id;
    const photo = this.photo;
    if (!photo) return;
    this.editor.open(`${this.path}/photos/${id}`, photo, photo.name);
    byId("photo-title", HTMLElement).textContent = photo.name;
    this.showPhoto();
    await this.load();
  }

  closePhoto() {
    this.current = undefined;
    this.editor.open("", { width: 4, height: 3 }, "no photo");
  }

  /** Read the boxes of the open photo, unless the page has newer ones, and its proposals. */
  async load() {
    const id = this.current;
    if (id === undefined || this.isEditing) return;
    try {
      const { boxes, done } = await ask(`${this.path}/photos/${id}/boxes`);
      if (this.current !== id || this.isEditing) return;
      if (!done && this.state?.training.summary && !this.proposals.has(id)) {
        const found = await ask(`${this.path}/photos/${id}/proposals`);
        if (this.current !== id || this.isEditing) return;
        this.proposals.set(id, found.boxes.map((/** @type {Box} */ box) => ({ ...box, ignored: false })));
      }
      const known = new Set(this.state?.classes.map((of) => of.id));
      const proposed = done ? [] : (this.proposals.get(id) ?? []).filter((box) => known.has(box.class_id));
      const plain = (/** @type {Box[]} */ some) => JSON.stringify(some.map((box) => [box.class_id, box.xmin, box.ymin, box.xmax, box.ymax, box.ignored, box.probability]).sort());
      if (plain(this.editor.boxes) !== plain([...boxes, ...proposed])) this.editor.replace([...boxes, ...proposed]);
      this.showPhoto();
    } catch (error) {
      if (this.photo) tell(this.problem, error); // it may have been removed meanwhile
    }
  }

  /** Whether the page has boxes that the server does not have yet. */
  get isEditing() {
    return this.editor.isHeld || this.timer !== undefined || this.saving > 0;
  }

  /** What the page says of the open photo. */
  showPhoto() {
    const { photo, editor } = this, proposals = editor.proposals.length;
    this.strip.show(this.photos, this.current, Boolean(this.state?.training.summary));
    const left = this.photos.filter((one) => !one.done).length;
    byId("legend", HTMLElement).textContent = !photo ? "Add photos to begin."
      : proposals ? "solid: yours · dashed: proposed" : photo.done ? `${photo.name}: done` : `${photo.name} · ${left.toLocaleString("en")} not done`;
    const next = byId("next", HTMLButtonElement);
    next.textContent = proposals ? "Accept all and next" : photo?.done ? "Next photo" : "Done, next photo";
    next.disabled = !photo || (!photo.done && editor.boxes.length === 0);
    byId("nothing", HTMLButtonElement).disabled = !photo || photo.done || editor.own.length > 0;
    byId("skip", HTMLButtonElement).disabled = byId("remove-photo", HTMLButtonElement).disabled = !photo;
    byId("reopen", HTMLElement).hidden = !photo?.done;
    byId("delete-box", HTMLButtonElement).disabled = !editor.selected;
    byId("counts", HTMLElement).replaceChildren(...(photo ? countElements(this.state?.classes ?? [], editor.boxes, true) : []));
  }

  /** The user changed a box. @param {boolean} isKey */
  edited(isKey) {
    if (this.current !== undefined) this.proposals.set(this.current, this.editor.proposals);
    this.showPhoto();
    if (!isKey) this.save();
    else {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.save(), KEYS);
    }
  }

  /** Save at once what waits for more keys. */
  flush() {
    return this.timer === undefined ? undefined : this.save();
  }

  /** @param {boolean} [done] whether all objects of the photo have boxes; as before if undefined */
  async save(done) {
    clearTimeout(this.timer);
    this.timer = undefined;
    const id = this.current, photo = this.photo;
    if (id === undefined || !photo) return;
    this.saving++;
    const body = { boxes: this.editor.own.map(({ class_id, xmin, ymin, xmax, ymax, ignored }) => ({ class_id, xmin, ymin, xmax, ymax, ignored })), done: done ?? photo.done };
    if (done !== undefined) photo.done = done; // the next save may come before the next state
    try {
      await this.change(`/photos/${id}/boxes`, "PUT", body);
    } catch (error) {
      if (error instanceof Lost) this.timer = setTimeout(() => this.save(done), RETRY);
    } finally {
      this.saving--;
    }
  }

  /** Save the open photo as done with all proposals accepted, then turn to the next. */
  async finish() {
    const { editor, photo } = this;
    if (!photo) return;
    for (const box of editor.proposals) delete box.probability;
    this.proposals.delete(photo.id);
    if (!photo.done || this.timer !== undefined) await this.save(true);
    this.turn(1, true);
  }

  /** Mark the open photo as background, without its proposals, and turn to the next. */
  async finishEmpty() {
    const { editor } = this;
    editor.replace(editor.own);
    await this.finish();
  }

  async removePhoto() {
    const id = this.current;
    if (id === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.turn(1, false);
    await this.change("/remove", "POST", { photos: [id] }).catch(() => {});
  }

  async reopen() {
    await this.save(false);
    await this.load();
  }

  /** Open the photo `by` places on; `isSkipping`: past those that are done. @param {number} by @param {boolean} isSkipping */
  turn(by, isSkipping) {
    const { photos } = this, place = photos.findIndex((photo) => photo.id === this.current);
    const rest = [...photos.slice(place + 1), ...photos.slice(0, Math.max(0, place))];
    const next = isSkipping ? rest.find((photo) => !photo.done) ?? rest[0] : photos[(place + by + photos.length) % photos.length];
    if (next) this.openPhoto(next.id);
  }

  /** Open the next photo with label issues, and frame them. */
  async showIssues() {
    const issues = this.state?.training.summary?.issues ?? [];
    const photos = [...new Set(issues.map((issue) => issue.photo))].filter((id) => this.photos.some((photo) => photo.id === id));
    if (!photos.length) return;
    this.issue = (this.issue + 1) % photos.length;
    const id = photos[this.issue];
    await this.openPhoto(id);
    this.editor.mark(issues.filter((issue) => issue.photo === id).map((issue) => issue.box));
  }

  async undo() {
    await this.flush();
    await this.change("/undo", "POST").catch(() => {});
  }

  /** @param {string} _ no class @param {File} file @param {string} name */
  add(_, file, name) {
    return ask(`${this.path}/photos?${new URLSearchParams({ name })}`, { method: "POST", body: file });
  }

  /** Add photos, and list those that were not added. @param {File[]} files */
  async addFiles(files) {
    const problems = await upload(this, files.map((file) => ({ classId: "", file })));
    this.problem.hidden = problems.length === 0;
    if (problems.length) tell(this.problem, `Not added: ${problems.join("; ")}.`);
    if (this.state) showTraining(this.state.training, this.state.classes);
  }
}
