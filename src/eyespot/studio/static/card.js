// One class of a project: its name, its photos, and the operations on them.

import { byId } from "./dom.js";
import { filesOf, whenDropped } from "./files.js";
import { counted } from "./numbers.js";
import { Thumbnails } from "./thumbnails.js";

/** @typedef {{id: string, name: string, enabled: boolean, photos: number[]}} Class */

export class Card {
  /** @param {import("./project.js").Project} project @param {string} id of the class */
  constructor(project, id) {
    this.project = project;
    this.id = id;
    this.path = `/classes/${id}`;
    /** @type {Class} */
    this.state = { id, name: "", enabled: true, photos: [] };
    const template = byId("card", HTMLTemplateElement).content.cloneNode(true);
    const section = template instanceof DocumentFragment ? template.firstElementChild : null;
    if (!(section instanceof HTMLElement)) throw new Error("The page has no template for a class.");
    this.element = section;
    this.name = this.part("class-name", HTMLInputElement);
    this.move = this.part("move", HTMLSelectElement);
    this.thumbnails = new Thumbnails(section, project.path, () => this.showMoves());
    this.listen();
  }

  /** @template {Element} T @param {string} name @param {new () => T} type @returns {T} */
  part(name, type) {
    const found = this.element.querySelector(`.${name}`);
    if (!(found instanceof type)) throw new Error(`The card of a class has no ${name}.`);
    return found;
  }

  /** @param {string} path @param {string} method @param {object} [body] @returns {Promise<unknown>} */
  change(path, method, body) {
    return this.project.change(path, method, body).catch(() => { // the project shows the error
      this.name.value = this.state.name;
    });
  }

  /** @param {File[]} files */
  add(files) {
    return this.project.addFiles(files.map((file) => ({ classId: this.id, file })));
  }

  listen() {
    this.name.addEventListener("change", () => this.change(this.path, "PATCH", { name: this.name.value }));
    this.name.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.name.blur();
    });
    this.project.recorder.attach(this.part("record", HTMLButtonElement), this.id);
    const files = this.part("files", HTMLInputElement);
    files.addEventListener("change", async () => {
      await this.add([...(files.files ?? [])]);
      files.value = "";
    });
    const onClick = (/** @type {string} */ name, /** @type {() => unknown} */ act) =>
      this.part(name, HTMLButtonElement).addEventListener("click", act);
    onClick("enable", () => this.change(this.path, "PATCH", { enabled: !this.state.enabled }));
    onClick("delete", () => this.change(this.path, "DELETE"));
    onClick("remove", () => this.remove());
    this.move.addEventListener("change", () => {
      const to = this.move.value;
      this.change("/move", "POST", { photos: this.thumbnails.takeSelected(), to });
    });
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Delete" && this.thumbnails.selected.size) this.remove();
    });
    this.element.addEventListener("paste", async (event) => this.add(await filesOf(event.clipboardData)));
    whenDropped(this.element, async (data) => this.add(await filesOf(data)));
  }

  remove() {
    this.change("/remove", "POST", { photos: this.thumbnails.takeSelected() });
  }

  /** @param {Class} state */
  show(state) {
    this.state = state;
    const { name, enabled, photos } = state;
    if (document.activeElement !== this.name) this.name.value = name;
    this.element.classList.toggle("off", !enabled);
    this.element.ariaLabel = `Class ${name}`;
    this.part("count", HTMLElement).textContent = counted(photos.length, "photo") + (enabled ? "" : ", disabled");
    this.part("enable", HTMLButtonElement).textContent = enabled ? "Disable" : "Enable";
    this.part("hint", HTMLElement).hidden = photos.length > 0;
    this.thumbnails.show(photos);
  }

  /** The classes that photos can be moved to. */
  showMoves() {
    const none = new Option("…", "");
    none.disabled = none.selected = true;
    const others = this.project.classes.filter((of) => of.id !== this.id);
    this.move.replaceChildren(none, ...others.map((of) => new Option(of.name, of.id)));
  }
}
