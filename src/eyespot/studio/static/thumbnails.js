// The photos of a class as thumbnails that can be selected, by mouse or by keys.

import { make, makeButton } from "./dom.js";
import { counted } from "./numbers.js";

/** Thumbnails that are shown at first. */
const FIRST = 60;

export class Thumbnails {
  /** @param {HTMLElement} card of the class @param {string} project its address @param {() => void} onSelect */
  constructor(card, project, onSelect) {
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (card.querySelector(`.${name}`));
    this.part = part;
    this.list = part("thumbs");
    this.project = project;
    this.onSelect = onSelect;
    /** Newest first. @type {number[]} */
    this.photos = [];
    /** @type {Set<number>} */
    this.selected = new Set();
    /** @type {Map<number, HTMLLIElement>} */
    this.items = new Map();
    /** Suggested class of each photo with a label issue. @type {Map<number, string>} */
    this.issues = new Map();
    this.isWhole = false;
    /** @type {HTMLButtonElement | undefined} */
    this.entry = undefined;
    part("more").addEventListener("click", () => {
      this.isWhole = !this.isWhole;
      this.showItems();
    });
    this.list.addEventListener("keydown", (event) => this.walk(event));
  }

  /** @param {number[]} photos the newest last */
  show(photos) {
    this.photos = [...photos].reverse();
    this.select([...this.selected].filter((photo) => photos.includes(photo)));
    this.showItems();
  }

  showItems() {
    const shown = this.isWhole ? this.photos : this.photos.slice(0, FIRST);
    const wanted = new Set(shown);
    for (const [photo, item] of this.items) {
      if (wanted.has(photo)) continue;
      item.remove();
      this.items.delete(photo);
    }
    shown.forEach((photo, place) => {
      const item = this.items.get(photo) ?? this.makeItem(photo);
      if (this.list.children[place] !== item) this.list.insertBefore(item, this.list.children[place] ?? null);
    });
    if (!this.entry?.isConnected) this.enterAt(this.list.querySelector("button"));
    const more = this.part("more");
    more.hidden = this.photos.length <= FIRST;
    more.textContent = this.isWhole ? "Show fewer" : `Show all ${counted(this.photos.length, "photo")}`;
  }

  /** @param {number} photo */
  makeItem(photo) {
    const button = makeButton("", () => {
      if (this.selected.has(photo)) this.select([...this.selected].filter((one) => one !== photo));
      else this.select([...this.selected, photo]);
    });
    Object.assign(button, { ariaPressed: "false", tabIndex: -1 });
    button.append(make("img", { loading: "lazy", decoding: "async", alt: `Photo ${photo}`, src: `${this.project}/thumbnails/${photo}` }));
    button.addEventListener("focus", () => this.enterAt(button));
    const item = make("li", {}, button);
    this.items.set(photo, item);
    return item;
  }

  /** Mark the label issues. @param {Map<number, string>} issues suggested class by photo */
  mark(issues) {
    this.issues = issues;
    for (const [photo, item] of this.items) {
      const button = item.querySelector("button");
      button?.classList.toggle("issue", issues.has(photo));
      if (button) button.title = this.question(photo);
    }
    this.showLast();
  }

  /** @param {number} photo */
  question(photo) {
    const suggested = this.issues.get(photo);
    return suggested === undefined ? "" : `Is this ${suggested}?`;
  }

  /** @param {number[]} photos */
  select(photos) {
    this.selected = new Set(photos);
    for (const [photo, item] of this.items) {
      const button = item.querySelector("button");
      if (button) button.ariaPressed = String(this.selected.has(photo));
    }
    this.part("selected").hidden = photos.length === 0;
    this.part("selected-count").textContent = `${photos.length} selected`;
    this.showLast();
    this.onSelect();
  }

  /** The selected photos, which are no longer selected afterwards. */
  takeSelected() {
    const photos = [...this.selected];
    this.select([]);
    return photos;
  }

  /** The photo selected last, enlarged, with its label issue. */
  showLast() {
    const last = [...this.selected].at(-1);
    if (last === undefined) return;
    this.part("selected-issue").textContent = this.question(last);
    const large = this.part("large"), source = `${this.project}/photos/${last}`;
    if (large.getAttribute("src") !== source) large.setAttribute("src", source);
  }

  /** Let the tab key reach this thumbnail, and no other of the class. @param {HTMLButtonElement | null | undefined} button */
  enterAt(button) {
    if (!button) return;
    if (this.entry) this.entry.tabIndex = -1;
    button.tabIndex = 0;
    this.entry = button;
  }

  /** Move the focus with the arrow keys. @param {KeyboardEvent} event */
  walk(event) {
    const items = [...this.list.children];
    const row = getComputedStyle(this.list).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row }[event.key];
    const place = items.findIndex((item) => item.contains(document.activeElement));
    if (!step || place < 0) return;
    event.preventDefault();
    this.enterAt(items[place + step]?.querySelector("button"));
    this.entry?.focus();
  }
}
