// The network: features, units with their surfaces, and edges; and a unit of it in words.

import { byId } from "./ask.js";
import { paint } from "./play_colours.js";
import { edgesOf, short, surface } from "./play_picture.js";

/**
 * @typedef {import("./play_colours.js").Colours} Colours
 * @typedef {import("./play_picture.js").Picture} Picture
 * @typedef {import("./play_choices.js").Choices} Choices
 */

const SVG = "http://www.w3.org/2000/svg";
/** Widths of edges, in pixels. */
const THIN = 0.5, THICK = 7;
/** Milliseconds between two texts about a unit: nobody reads faster. */
const PATIENCE = 300;

/** What people write. @param {string} feature */
export const spelt = (feature) => feature.replace("^2", "²");

export class Net {
  /** @param {Choices} choices @param {(change: Record<string, string>) => void} change */
  constructor(choices, change) {
    this.choices = choices;
    this.change = change;
    this.place = byId("net", HTMLElement);
    /** What it is built for; when this changes, all is built anew. */
    this.built = "";
    /** @type {{from: number, to: number}[]} */
    this.edges = [];
    /** @type {SVGPathElement[]} */
    this.paths = [];
    /** Of features that are in use, hidden units and the output, as they are counted. @type {HTMLButtonElement[]} */
    this.units = [];
    /** @type {Picture | undefined} */
    this.picture = undefined;
    this.chosen = -1;
    this.told = 0;
    new ResizeObserver(() => this.placeEdges()).observe(this.place);
    this.place.addEventListener("keydown", (event) => this.walk(event));
    byId("fewer-layers", HTMLElement).addEventListener("click", () => this.setHidden(this.hidden.slice(0, -1)));
    byId("more-layers", HTMLElement).addEventListener("click", () => this.setHidden([...this.hidden, this.hidden.at(-1) ?? 4]));
  }

  /** Units of each hidden layer. */
  get hidden() {
    return this.picture?.layers.slice(1, -1) ?? [];
  }

  /** @param {number[]} hidden */
  setHidden(hidden) {
    this.change({ hidden: hidden.join(",") });
  }

  /** @param {Picture} picture @param {string[]} features @param {Colours} colours */
  show(picture, features, colours) {
    const isOther = this.picture?.settings !== picture.settings;
    this.picture = picture;
    const key = `${features.join()}:${picture.layers.join()}:${colours.one}`;
    if (key !== this.built) {
      this.built = key;
      this.build(picture.layers, features, colours);
    }
    const side = picture.shapes.shades[1];
    for (const [number, unit] of this.units.entries()) {
      const canvas = unit.querySelector("canvas");
      if (canvas && number >= picture.layers[0]) paint(canvas, surface(picture, number), side, colours);
    }
    this.showEdges();
    if (isOther || performance.now() - this.told > PATIENCE) this.tell();
  }

  /** @param {number[]} layers @param {string[]} features @param {Colours} colours */
  build(layers, features, colours) {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.key : undefined;
    this.units = [];
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("aria-hidden", "true");
    this.edges = edgesOf(layers);
    this.paths = this.edges.map(({ to }, number) => {
      const path = document.createElementNS(SVG, "path");
      path.addEventListener("pointerenter", () => this.choose(to, number));
      return path;
    });
    drawing.append(...this.paths);
    const columns = [this.featureColumn(features, colours)];
    for (const [number, count] of layers.slice(1).entries()) columns.push(this.column(number + 1, count, layers));
    this.place.replaceChildren(drawing, ...columns);
    this.placeEdges();
    const count = layers.length - 2;
    byId("layers-text", HTMLElement).textContent = `${count} hidden layer${count === 1 ? "" : "s"}`;
    byId("fewer-layers", HTMLButtonElement).disabled = count === 0;
    byId("more-layers", HTMLButtonElement).disabled = count === this.choices.most_layers;
    this.chosen = this.units.length - 1;
    this.units[this.chosen].tabIndex = 0;
    if (focused) this.place.querySelector(/** @type {"button"} */ (`[data-key="${focused}"]`))?.focus();
    this.tell();
  }

  /** @param {string[]} features @param {Colours} colours */
  featureColumn(features, colours) {
    const column = columnOf("Features");
    for (const [name, shades] of Object.entries(this.choices.features)) {
      const isUsed = features.includes(name);
      const button = pictured(name, "feature");
      button.ariaPressed = String(isUsed);
      const text = document.createElement("span");
      text.textContent = spelt(name);
      button.prepend(text);
      button.addEventListener("click", () => {
        const names = Object.keys(this.choices.features).filter((one) => features.includes(one) !== (one === name));
        this.change({ features: names.join(",") });
      });
      const canvas = button.querySelector("canvas");
      if (canvas) paint(canvas, shades.flat(), shades.length, colours);
      column.append(button);
    }
    // In the order in which the network has them.
    const buttons = [...column.querySelectorAll("button")];
    this.units.push(...features.map((name) => /** @type {HTMLButtonElement} */ (buttons.find((button) => button.dataset.key === name))));
    return column;
  }

  /** @param {number} layer @param {number} count @param {number[]} layers */
  column(layer, count, layers) {
    const isOutput = layer === layers.length - 1;
    const column = columnOf(isOutput ? "Output" : "");
    if (!isOutput) {
      const head = document.createElement("div");
      head.className = "stepper";
      head.role = "group";
      head.ariaLabel = `Units of layer ${layer}`;
      const number = document.createElement("span");
      number.textContent = String(count);
      const resize = (/** @type {number} */ units) => this.setHidden(this.hidden.map((old, place) => (place === layer - 1 ? units : old)));
      head.append(
        number,
        stepButton("−", `Remove a unit from layer ${layer}`, `fewer-${layer}`, count === 1, () => resize(count - 1)),
        stepButton("+", `Add a unit to layer ${layer}`, `more-${layer}`, count === this.choices.most_units, () => resize(count + 1)),
      );
      column.replaceChildren(head);
    }
    for (let number = 1; number <= count; number++) {
      const place = this.units.length;
      const unit = pictured(`${layer}-${number}`, isOutput ? "unit large" : "unit");
      unit.ariaLabel = isOutput ? "Output unit" : `Unit ${number} of layer ${layer}`;
      unit.tabIndex = -1;
      unit.addEventListener("focus", () => this.choose(place));
      unit.addEventListener("pointerenter", () => this.choose(place));
      this.units.push(unit);
      column.append(unit);
    }
    return column;
  }

  placeEdges() {
    for (const [number, { from, to }] of this.edges.entries()) {
      const [left, right] = [from, to].map((unit) => this.units[unit]);
      const x = left.offsetLeft + left.offsetWidth, y = left.offsetTop + left.offsetHeight / 2;
      const endX = right.offsetLeft, endY = right.offsetTop + right.offsetHeight / 2, bend = (endX - x) / 2;
      this.paths[number].setAttribute("d", `M${x} ${y} C${x + bend} ${y} ${endX - bend} ${endY} ${endX} ${endY}`);
    }
  }

  /** Width and colour of each edge. */
  showEdges() {
    const picture = this.picture;
    if (!picture) return;
    const showsSlopes = byId("lines", HTMLSelectElement).value === "slopes";
    const values = showsSlopes ? picture.weights_slope : picture.weights;
    // A weight of 3 is as thick as can be; slopes are compared to the steepest.
    const most = showsSlopes ? Math.max(...values.map(Math.abs)) || 1 : 3;
    for (const [number, path] of this.paths.entries()) {
      const share = Math.min(1, Math.abs(values[number]) / most);
      path.setAttribute("stroke-width", (THIN + (THICK - THIN) * share).toFixed(1));
      path.setAttribute("opacity", (0.35 + 0.65 * share).toFixed(2));
      path.classList.toggle("negative", values[number] < 0);
    }
    byId("lines-about", HTMLElement).textContent = showsSlopes
      ? "A line is the slope of the loss by a weight, in the last step, beside the steepest: learning moves the weight the other way. Blue: positive. Orange, broken: negative."
      : "A line is a weight: the thicker, the larger. Blue: positive. Orange, broken: negative. Point at a unit or a line, or go to them with the arrow keys, to read its values.";
  }

  /** @param {number} unit @param {number} [edge] that led there */
  choose(unit, edge) {
    this.units[this.chosen]?.removeAttribute("aria-current");
    if (this.units[this.chosen] !== this.units[unit]) this.units[this.chosen].tabIndex = -1;
    this.chosen = unit;
    this.units[unit].tabIndex = 0;
    this.tell();
    this.mark(edge);
  }

  /** @param {number} [edge] */
  mark(edge) {
    for (const [number, path] of this.paths.entries()) path.classList.toggle("marked", number === edge);
  }

  /** The arrow keys lead from unit to unit. @param {KeyboardEvent} event */
  walk(event) {
    const layers = this.picture?.layers;
    const here = this.units.findIndex((unit) => unit === event.target);
    if (!layers || here < layers[0]) return;
    let layer = 0, number = here;
    while (number >= layers[layer]) number -= layers[layer++];
    const [down, right] = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ?? [0, 0];
    if (!down && !right) return;
    event.preventDefault();
    layer = Math.min(layers.length - 1, Math.max(1, layer + right));
    number = Math.min(layers[layer] - 1, Math.max(0, number + down));
    this.units[layers.slice(0, layer).reduce((sum, count) => sum + count, number)].focus();
  }

  /** Say what the chosen unit is made of. */
  tell() {
    const picture = this.picture;
    if (!picture) return;
    this.told = performance.now();
    const unit = this.units[this.chosen];
    unit.setAttribute("aria-current", "true");
    byId("unit-name", HTMLElement).textContent = this.nameOf(this.chosen);
    const bias = this.chosen - picture.layers[0];
    byId("unit-about", HTMLElement).textContent = `Bias ${short(picture.bias[bias])}, gradient ${short(picture.bias_slope[bias])}. What comes in:`;
    const incoming = this.edges.flatMap(({ to }, number) => (to === this.chosen ? [number] : []));
    const list = byId("unit-edges", HTMLElement);
    while (list.children.length > incoming.length) list.lastElementChild?.remove();
    for (const [place, edge] of incoming.entries()) {
      const text = `${this.nameOf(this.edges[edge].from)}: weight ${short(picture.weights[edge])}, gradient ${short(picture.weights_slope[edge])}`;
      const button = list.children[place]?.querySelector("button") ?? this.addEdge(list);
      button.dataset.edge = String(edge);
      button.textContent = text;
    }
  }

  /** A place in the list of edges: it shows its edge, and leads to where that comes from. @param {HTMLElement} list */
  addEdge(list) {
    const button = document.createElement("button");
    button.type = "button";
    for (const kind of ["focus", "pointerenter"]) button.addEventListener(kind, () => this.mark(Number(button.dataset.edge)));
    for (const kind of ["blur", "pointerleave"]) button.addEventListener(kind, () => this.mark());
    button.addEventListener("click", () => this.units[this.edges[Number(button.dataset.edge)].from].focus());
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
    return button;
  }

  /** @param {number} unit */
  nameOf(unit) {
    const button = this.units[unit];
    return button.ariaLabel ?? spelt(button.dataset.key ?? "");
  }
}

/** @param {string} title */
function columnOf(title) {
  const column = document.createElement("div");
  column.className = "column";
  const head = document.createElement("span");
  head.className = "head";
  head.textContent = title;
  column.append(head);
  return column;
}

/** @param {string} key @param {string} kind */
function pictured(key, kind) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = kind;
  button.dataset.key = key;
  button.append(document.createElement("canvas"));
  return button;
}

/** @param {string} sign @param {string} name @param {string} key @param {boolean} isOff @param {() => void} act */
function stepButton(sign, name, key, isOff, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = sign;
  button.ariaLabel = name;
  button.dataset.key = key;
  button.disabled = isOff;
  button.addEventListener("click", act);
  return button;
}
