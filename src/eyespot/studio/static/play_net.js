// The network: features, units with their outputs, and edges; and the values of one unit.

import { byId, make, makeButton } from "./dom.js";
import { steady } from "./numbers.js";
import { paint } from "./play_colours.js";
import { edgesOf, surface } from "./play_state.js";

/**
 * @typedef {import("./play_colours.js").Colours} Colours
 * @typedef {import("./play_state.js").State} State
 * @typedef {import("./play_choices.js").Choices} Choices
 */

const SVG = "http://www.w3.org/2000/svg";
/** Widths of edges, in pixels. */
const THIN = 0.5, THICK = 7;
/** Milliseconds between two texts about a unit, so that they can be read. */
const PATIENCE = 300;

/** A feature's name in print. @param {string} feature */
export const spelt = (feature) => feature.replace("^2", "²");

export class Net {
  /** @param {Choices} choices @param {(change: Record<string, string>) => void} change */
  constructor(choices, change) {
    this.choices = choices;
    this.change = change;
    this.place = byId("net", HTMLElement);
    /** Layers, features and colours of the current elements; a change rebuilds them. */
    this.built = "";
    /** @type {{from: number, to: number}[]} */
    this.edges = [];
    /** @type {SVGPathElement[]} */
    this.paths = [];
    /** Buttons of the features in use, the hidden units and the output, in order. @type {HTMLButtonElement[]} */
    this.units = [];
    /** @type {State | undefined} */
    this.state = undefined;
    this.chosen = -1;
    this.described = 0;
    new ResizeObserver(() => this.placeEdges()).observe(this.place);
    this.place.addEventListener("keydown", (event) => this.walk(event));
    byId("fewer-layers", HTMLElement).addEventListener("click", () => this.setHidden(this.hidden.slice(0, -1)));
    byId("more-layers", HTMLElement).addEventListener("click", () => this.setHidden([...this.hidden, this.hidden.at(-1) ?? 4]));
  }

  /** Units of each hidden layer. */
  get hidden() {
    return this.state?.layers.slice(1, -1) ?? [];
  }

  /** @param {number[]} hidden */
  setHidden(hidden) {
    this.change({ hidden: hidden.join(",") });
  }

  /** @param {State} state @param {string[]} features @param {Colours} colours */
  show(state, features, colours) {
    const isOther = this.state?.settings !== state.settings;
    this.state = state;
    const key = `${features.join()}:${state.layers.join()}:${colours.one}`;
    if (key !== this.built) {
      this.built = key;
      this.build(state.layers, features, colours);
    }
    const side = state.shapes.shades[1];
    for (const [number, unit] of this.units.entries()) {
      const canvas = unit.querySelector("canvas");
      if (canvas && number >= state.layers[0]) paint(canvas, surface(state, number), side, colours);
    }
    this.showEdges();
    if (isOther || performance.now() - this.described > PATIENCE) this.describe();
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
    this.describe();
  }

  /** @param {string[]} features @param {Colours} colours */
  featureColumn(features, colours) {
    const column = columnOf("Features");
    for (const [name, shades] of Object.entries(this.choices.features)) {
      const isUsed = features.includes(name);
      const button = canvasButton(name, "feature");
      button.ariaPressed = String(isUsed);
      button.prepend(make("span", { textContent: spelt(name) }));
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
      const resize = (/** @type {number} */ units) => this.setHidden(this.hidden.map((old, place) => (place === layer - 1 ? units : old)));
      column.replaceChildren(make("div", { className: "stepper", role: "group", ariaLabel: `Units of layer ${layer}` },
        make("span", { textContent: String(count) }),
        stepButton("−", `Remove a unit from layer ${layer}`, `fewer-${layer}`, count === 1, () => resize(count - 1)),
        stepButton("+", `Add a unit to layer ${layer}`, `more-${layer}`, count === this.choices.most_units, () => resize(count + 1))));
    }
    for (let number = 1; number <= count; number++) {
      const place = this.units.length;
      const unit = canvasButton(`${layer}-${number}`, isOutput ? "unit large" : "unit");
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
    const state = this.state;
    if (!state) return;
    const showsSlopes = byId("lines", HTMLSelectElement).value === "slopes";
    const values = showsSlopes ? state.weights_slope : state.weights;
    // A weight of 3 has the thickest line; gradients are relative to the largest.
    const most = showsSlopes ? Math.max(...values.map(Math.abs)) || 1 : 3;
    for (const [number, path] of this.paths.entries()) {
      const share = Math.min(1, Math.abs(values[number]) / most);
      path.setAttribute("stroke-width", (THIN + (THICK - THIN) * share).toFixed(1));
      path.setAttribute("opacity", (0.35 + 0.65 * share).toFixed(2));
      path.classList.toggle("negative", values[number] < 0);
    }
    byId("lines-about", HTMLElement).textContent = showsSlopes
      ? "Lines show the gradient of the loss with respect to each weight in the last step, relative to the largest. Training moves a weight against its gradient. Blue: positive. Orange, dashed: negative."
      : "Lines show weights: a thicker line is a larger weight. Blue: positive. Orange, dashed: negative. Point at a unit or a line, or move with the arrow keys, to read its values.";
  }

  /** @param {number} unit @param {number} [edge] that leads there */
  choose(unit, edge) {
    this.units[this.chosen]?.removeAttribute("aria-current");
    if (this.units[this.chosen] !== this.units[unit]) this.units[this.chosen].tabIndex = -1;
    this.chosen = unit;
    this.units[unit].tabIndex = 0;
    this.describe();
    this.mark(edge);
  }

  /** @param {number} [edge] */
  mark(edge) {
    for (const [number, path] of this.paths.entries()) path.classList.toggle("marked", number === edge);
  }

  /** Move from unit to unit with the arrow keys. @param {KeyboardEvent} event */
  walk(event) {
    const layers = this.state?.layers;
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

  /** Show the values of the chosen unit. */
  describe() {
    const state = this.state;
    if (!state) return;
    this.described = performance.now();
    const unit = this.units[this.chosen];
    unit.setAttribute("aria-current", "true");
    byId("unit-name", HTMLElement).textContent = this.nameOf(this.chosen);
    const bias = this.chosen - state.layers[0];
    byId("unit-about", HTMLElement).textContent = `Bias ${steady(state.bias[bias])}, gradient ${steady(state.bias_slope[bias])}. Inputs:`;
    const incoming = this.edges.flatMap(({ to }, number) => (to === this.chosen ? [number] : []));
    const list = byId("unit-edges", HTMLElement);
    while (list.children.length > incoming.length) list.lastElementChild?.remove();
    for (const [place, edge] of incoming.entries()) {
      const text = `${this.nameOf(this.edges[edge].from)}: weight ${steady(state.weights[edge])}, gradient ${steady(state.weights_slope[edge])}`;
      const button = list.children[place]?.querySelector("button") ?? this.addEdge(list);
      button.dataset.edge = String(edge);
      button.textContent = text;
    }
  }

  /** A list item of an edge: it highlights the edge, and leads to its input. @param {HTMLElement} list */
  addEdge(list) {
    const button = makeButton("", () => this.units[this.edges[Number(button.dataset.edge)].from].focus());
    for (const kind of ["focus", "pointerenter"]) button.addEventListener(kind, () => this.mark(Number(button.dataset.edge)));
    for (const kind of ["blur", "pointerleave"]) button.addEventListener(kind, () => this.mark());
    list.append(make("li", {}, button));
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
  return make("div", { className: "column" }, make("span", { className: "head", textContent: title }));
}

/** @param {string} key @param {string} kind */
function canvasButton(key, kind) {
  const button = make("button", { type: "button", className: kind }, make("canvas"));
  button.dataset.key = key;
  return button;
}

/** @param {string} sign @param {string} name @param {string} key @param {boolean} isOff @param {() => void} act */
function stepButton(sign, name, key, isOff, act) {
  const button = Object.assign(makeButton(sign, act), { ariaLabel: name, disabled: isOff });
  button.dataset.key = key;
  return button;
}
