// One class of a project: its name, its pictures, and what can be done with them.

import { byId } from "./ask.js";
import { filesOf, whenDropped } from "./files.js";

const FIRST = 60;

/**
 * @typedef {{id: string, name: string, enabled: boolean, pictures: number[]}} Class
 * @typedef {{
 *   change: (path: string, method: string, body?: object) => Promise<void>,
 *   add: (classId: string, files: File[]) => Promise<void>,
 *   record: (button: HTMLButtonElement, classId: string) => void,
 *   others: (classId: string) => Class[],
 * }} Deeds what a card has done by its project
 */

export class Card {
  /** @param {string} project its address @param {string} id of the class @param {Deeds} deeds */
  constructor(project, id, deeds) {
    this.project = project;
    this.id = id;
    this.deeds = deeds;
    /** @type {Set<number>} */
    this.chosen = new Set();
    /** @type {Map<number, HTMLLIElement>} */
    this.items = new Map();
    /** The class that each seems to be of. @type {Map<number, string>} */
    this.suspects = new Map();
    this.isWhole = false;
    /** @type {HTMLButtonElement | undefined} */
    this.entry = undefined;
    /** @type {Class} */
    this.state = { id, name: "", enabled: true, pictures: [] };
    const template = byId("card", HTMLTemplateElement).content.cloneNode(true);
    const section = template instanceof DocumentFragment ? template.firstElementChild : null;
    if (!(section instanceof HTMLElement)) throw new Error("The page has no template for a class.");
    this.element = section;
    this.name = this.part("class-name", HTMLInputElement);
    this.listen();
  }

  /** @template {Element} T @param {string} name @param {new () => T} kind @returns {T} */
  part(name, kind) {
    const found = this.element.querySelector(`.${name}`);
    if (!(found instanceof kind)) throw new Error(`A class's card has no ${name}.`);
    return found;
  }

  listen() {
    const path = `${this.project}/classes/${this.id}`;
    this.name.addEventListener("change", () => {
      this.deeds.change(path, "PATCH", { name: this.name.value }).catch(() => {
        this.name.value = this.state.name;
      });
    });
    this.name.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.name.blur();
    });
    this.deeds.record(this.part("record", HTMLButtonElement), this.id);
    const files = this.part("files", HTMLInputElement);
    files.addEventListener("change", async () => {
      await this.deeds.add(this.id, [...(files.files ?? [])]);
      files.value = "";
    });
    this.part("turn", HTMLButtonElement).addEventListener("click", () =>
      this.deeds.change(path, "PATCH", { enabled: !this.state.enabled }).catch(() => {}));
    this.part("delete", HTMLButtonElement).addEventListener("click", () =>
      this.deeds.change(path, "DELETE").catch(() => {}));
    this.part("remove", HTMLButtonElement).addEventListener("click", () => this.remove());
    const move = this.part("move", HTMLSelectElement);
    move.addEventListener("change", () => {
      const pictures = [...this.chosen], to = move.value;
      this.choose([]);
      this.deeds.change(`${this.project}/move`, "POST", { pictures, to }).catch(() => {});
    });
    this.part("more", HTMLButtonElement).addEventListener("click", () => {
      this.isWhole = !this.isWhole;
      this.showPictures();
    });
    this.part("thumbs", HTMLElement).addEventListener("keydown", (event) => this.walk(event));
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Delete" && this.chosen.size) this.remove();
    });
    this.element.addEventListener("paste", async (event) => this.deeds.add(this.id, await filesOf(event.clipboardData)));
    whenDropped(this.element, async (data) => this.deeds.add(this.id, await filesOf(data)));
  }

  /** @param {Class} state */
  show(state) {
    this.state = state;
    const { name, enabled, pictures } = state;
    if (document.activeElement !== this.name) this.name.value = name;
    this.element.classList.toggle("off", !enabled);
    this.element.ariaLabel = `Class ${name}`;
    this.part("count", HTMLElement).textContent =
      `${pictures.length} ${pictures.length === 1 ? "picture" : "pictures"}${enabled ? "" : ", turned off: it is not learnt"}`;
    this.part("turn", HTMLButtonElement).textContent = enabled ? "Turn off" : "Turn on";
    this.part("hint", HTMLElement).hidden = pictures.length > 0;
    this.choose([...this.chosen].filter((picture) => pictures.includes(picture)));
    this.showPictures();
  }

  /** Mark pictures that may be of another class. @param {Map<number, string>} suspects */
  suspect(suspects) {
    this.suspects = suspects;
    for (const [picture, item] of this.items) {
      const button = item.querySelector("button");
      const other = suspects.get(picture);
      button?.classList.toggle("suspect", other !== undefined);
      if (button) button.title = other === undefined ? "" : `Is this ${other}?`;
    }
    this.showLast();
  }

  /** The picture that was chosen last, large, and what else it may be. */
  showLast() {
    const last = [...this.chosen].at(-1);
    if (last === undefined) return;
    const other = this.suspects.get(last);
    this.part("chosen-doubt", HTMLElement).textContent = other === undefined ? "" : `Is this ${other}?`;
    const large = this.part("large", HTMLImageElement), source = `${this.project}/pictures/${last}`;
    if (large.getAttribute("src") !== source) large.setAttribute("src", source);
  }

  showPictures() {
    const newest = [...this.state.pictures].reverse();
    const shown = this.isWhole ? newest : newest.slice(0, FIRST);
    const list = this.part("thumbs", HTMLElement);
    const wanted = new Set(shown);
    for (const [picture, item] of this.items) {
      if (wanted.has(picture)) continue;
      item.remove();
      this.items.delete(picture);
    }
    shown.forEach((picture, place) => {
      const item = this.items.get(picture) ?? this.makeItem(picture);
      if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
    });
    if (!this.entry?.isConnected) this.enterAt(list.querySelector("button"));
    const more = this.part("more", HTMLButtonElement);
    more.hidden = newest.length <= FIRST;
    more.textContent = this.isWhole ? "Show fewer" : `Show all ${newest.length}`;
  }

  /** Have the tab key come to this picture, and to no other of the class. @param {HTMLButtonElement | null | undefined} button */
  enterAt(button) {
    if (!button) return;
    if (this.entry) this.entry.tabIndex = -1;
    button.tabIndex = 0;
    this.entry = button;
  }

  /** Go from picture to picture with the arrow keys. @param {KeyboardEvent} event */
  walk(event) {
    const list = this.part("thumbs", HTMLElement), items = [...list.children];
    const row = getComputedStyle(list).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row }[event.key];
    const place = items.findIndex((item) => item.contains(document.activeElement));
    if (!step || place < 0) return;
    event.preventDefault();
    this.enterAt(items[place + step]?.querySelector("button"));
    this.entry?.focus();
  }

  /** @param {number} picture */
  makeItem(picture) {
    const image = document.createElement("img");
    image.loading = "lazy";
    image.decoding = "async";
    image.alt = `Picture ${picture}`;
    image.src = `${this.project}/thumbnails/${picture}`;
    const button = document.createElement("button");
    button.type = "button";
    button.ariaPressed = "false";
    button.tabIndex = -1;
    button.append(image);
    button.addEventListener("focus", () => this.enterAt(button));
    button.addEventListener("click", () => {
      if (this.chosen.has(picture)) this.choose([...this.chosen].filter((one) => one !== picture));
      else this.choose([...this.chosen, picture]);
    });
    const item = document.createElement("li");
    item.append(button);
    this.items.set(picture, item);
    return item;
  }

  /** @param {number[]} pictures */
  choose(pictures) {
    this.chosen = new Set(pictures);
    for (const [picture, item] of this.items) {
      const button = item.querySelector("button");
      if (button) button.ariaPressed = String(this.chosen.has(picture));
    }
    this.part("chosen", HTMLElement).hidden = pictures.length === 0;
    this.part("chosen-count", HTMLElement).textContent = `${pictures.length} chosen`;
    this.showLast();
    const others = this.deeds.others(this.id);
    const none = new Option("…", "");
    none.disabled = none.selected = true;
    this.part("move", HTMLSelectElement).replaceChildren(none, ...others.map((of) => new Option(of.name, of.id)));
  }

  remove() {
    const pictures = [...this.chosen];
    this.choose([]);
    this.deeds.change(`${this.project}/remove`, "POST", { pictures }).catch(() => {});
  }
}
