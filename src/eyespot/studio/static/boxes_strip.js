// The photos of a project as a strip: which are done, which have proposals.

import { make, makeButton } from "./dom.js";
import { counted } from "./numbers.js";

/** @typedef {{id: number, name: string, width: number, height: number, done: boolean, boxes: number}} Photo */

export class Strip {
  /** @param {HTMLElement} list @param {string} project its address @param {(photo: number) => void} open */
  constructor(list, project, open) {
    this.list = list;
    this.project = project;
    this.open = open;
    /** @type {Map<number, HTMLLIElement>} */
    this.items = new Map();
    list.replaceChildren();
  }

  /** @param {Photo[]} photos @param {number | undefined} current @param {boolean} hasDetector */
  show(photos, current, hasDetector) {
    const wanted = new Set(photos.map((photo) => photo.id));
    for (const [id, item] of this.items) {
      if (wanted.has(id)) continue;
      item.remove();
      this.items.delete(id);
    }
    photos.forEach((photo, place) => {
      const item = this.items.get(photo.id) ?? this.makeItem(photo);
      if (this.list.children[place] !== item) this.list.insertBefore(item, this.list.children[place] ?? null);
      this.mark(item, photo, photo.id === current, hasDetector);
    });
  }

  /** @param {Photo} photo */
  makeItem({ id, name }) {
    const button = makeButton("", () => this.open(id));
    button.title = name;
    button.append(
      make("img", { loading: "lazy", decoding: "async", alt: "", src: `${this.project}/thumbnails/${id}` }),
      make("span", { className: "mark", ariaHidden: "true" }),
    );
    const item = make("li", {}, button);
    this.items.set(id, item);
    return item;
  }

  /** @param {HTMLLIElement} item @param {Photo} photo @param {boolean} isCurrent @param {boolean} hasDetector */
  mark(item, { name, done, boxes }, isCurrent, hasDetector) {
    const button = item.querySelector("button"), mark = item.querySelector(".mark");
    const state = done ? (boxes ? "done" : "no objects") : boxes ? "begun" : hasDetector ? "proposed" : "";
    if (mark) mark.textContent = state === "done" ? "✓" : state;
    if (!button) return;
    button.ariaLabel = [name, state, boxes ? counted(boxes, "box", "boxes") : ""].filter(Boolean).join(", ");
    if (isCurrent && button.ariaCurrent !== "true") item.scrollIntoView({ block: "nearest", inline: "nearest" });
    button.ariaCurrent = String(isCurrent);
  }
}
