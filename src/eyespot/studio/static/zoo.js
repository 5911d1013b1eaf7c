// The zoo: accuracy by multiply-adds, the table of networks, and the layers of one network.

import { ask } from "./ask.js";
import { byId, make, makeButton, tell } from "./dom.js";
import { compact } from "./numbers.js";
import { draw } from "./svg.js";

/**
 * @typedef {{name: string, family: string, year: number, authors: string, paper: string,
 *   dataset: string, input_size: number, depth: number | null, parameters: number, macs: number,
 *   memory: number, top1_error: number | null, top5_error: number | null,
 *   errors_source: string | null}} Network
 * @typedef {{name: string, kind: string, shape: number[], parameters: number, macs: number,
 *   receptive_field: number | null}} Layer
 * @typedef {{key: keyof Network, heading: string, show: (value: any) => string, text?: boolean}} Column
 */

const LEFT = 52, MARGIN = 14, FOOT = 60;
/** Radius of a network with 100 million parameters, relative to the chart's width. */
const RADIUS_OF_100M = 0.034;

const error = (/** @type {number} */ value) => value.toPrecision(3);
/** @type {Column[]} */
const COLUMNS = [
  { key: "name", heading: "Network", show: String, text: true },
  { key: "year", heading: "Year", show: String },
  { key: "dataset", heading: "Dataset", show: String, text: true },
  { key: "input_size", heading: "Input size", show: String },
  { key: "depth", heading: "Depth", show: String },
  { key: "parameters", heading: "Parameters", show: (n) => compact(n) },
  { key: "macs", heading: "Multiply-adds", show: (n) => compact(n) },
  { key: "memory", heading: "Memory", show: (n) => `${compact(n)}B` },
  { key: "top1_error", heading: "Top-1 error", show: error },
  { key: "top5_error", heading: "Top-5 error", show: error },
];

/** @type {Network[]} */
let networks = [];
/** @type {{key: keyof Network, down: boolean}} */
let order = { key: "year", down: false };
/** @type {Set<string>} */
const hiddenFamilies = new Set();

/** A colour for each family, evenly spaced. @param {string} family */
function hue(family) {
  const families = [...new Set(networks.map((network) => network.family))];
  return `oklch(62% 0.15 ${Math.round((360 * families.indexOf(family)) / families.length)})`;
}

/** @param {Network} network */
const isEvaluated = (network) => network.dataset === "ImageNet" && network.top1_error !== null;

function showFamilies() {
  const families = [...new Set(networks.filter(isEvaluated).map((network) => network.family))];
  byId("families", HTMLElement).replaceChildren(...families.map((family) => {
    const box = make("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => {
      if (box.checked) hiddenFamilies.delete(family);
      else hiddenFamilies.add(family);
      showChart();
    });
    const swatch = make("span", { className: "swatch" });
    swatch.style.setProperty("--hue", hue(family));
    return make("label", {}, box, swatch, family.replaceAll("_", " "));
  }));
}

function showChart() {
  const evaluated = networks.filter(isEvaluated);
  const logs = evaluated.map((network) => Math.log10(network.macs));
  const accuracies = evaluated.map((network) => 100 - Number(network.top1_error));
  const low = Math.min(...logs) - 0.15, high = Math.max(...logs) + 0.2;
  const least = Math.floor(Math.min(...accuracies) / 5) * 5 - 5, most = Math.ceil(Math.max(...accuracies) / 5) * 5;
  const place = byId("chart", HTMLElement);
  const width = place.clientWidth, height = Math.round(Math.max(width * 0.62, 320));
  const end = width - MARGIN, bottom = height - FOOT;
  const across = (/** @type {number} */ log) => LEFT + ((end - LEFT) * (log - low)) / (high - low);
  const up = (/** @type {number} */ accuracy) => bottom - ((bottom - MARGIN) * (accuracy - least)) / (most - least);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", "aria-labelledby": "chart-title" });
  for (let accuracy = least; accuracy <= most; accuracy += 5) {
    svg.append(draw("line", { x1: LEFT, x2: end, y1: up(accuracy), y2: up(accuracy) }));
    svg.append(draw("text", { x: LEFT - 8, y: up(accuracy) + 5, class: "end" }, `${accuracy}%`));
  }
  for (let power = Math.ceil(low); power <= high; power++) {
    svg.append(draw("line", { x1: across(power), x2: across(power), y1: MARGIN, y2: bottom }));
    svg.append(draw("text", { x: across(power), y: bottom + 22 }, compact(10 ** power)));
  }
  svg.append(draw("text", { x: end, y: height - 10, class: "end" }, "multiply-adds per image"));
  const shown = evaluated.filter((network) => !hiddenFamilies.has(network.family));
  // Large bubbles first, so that small ones lie above them.
  for (const network of shown.sort((a, b) => b.parameters - a.parameters)) {
    const x = across(Math.log10(network.macs)), accuracy = 100 - Number(network.top1_error), y = up(accuracy);
    const about = `${network.name}: top-1 accuracy ${accuracy.toFixed(1)}% (${network.errors_source}), `
      + `${compact(network.macs)} multiply-adds, ${compact(network.parameters)} parameters`;
    const link = draw("a", { href: `#${network.name}`, "aria-label": about });
    link.style.setProperty("--hue", hue(network.family));
    if (location.hash === `#${network.name}`) link.setAttribute("aria-current", "true");
    const radius = Math.max(4, RADIUS_OF_100M * width * Math.sqrt(network.parameters / 1e8));
    link.append(draw("circle", { cx: x, cy: y, r: radius }), draw("title", {}, about));
    const side = x > width / 2 ? "end" : "start";
    link.append(draw("text", { x, y: y - radius - 6, class: side }, network.name));
    svg.append(link);
  }
  const current = svg.querySelector("[aria-current]");
  if (current) svg.append(current); // above all others, so that its name is readable
  place.replaceChildren(svg);
}

function showTable() {
  byId("headings", HTMLElement).replaceChildren(...COLUMNS.map(({ key, heading, text }) => {
    const cell = make("th", { scope: "col", className: text ? "" : "number" });
    const isOrder = order.key === key;
    if (isOrder) cell.ariaSort = order.down ? "descending" : "ascending";
    const button = makeButton(`${heading}${isOrder ? (order.down ? " ▾" : " ▴") : ""}`, () => {
      order = { key, down: isOrder && !order.down };
      showTable();
      byId("headings", HTMLElement).querySelectorAll("button")[COLUMNS.findIndex((column) => column.key === key)]?.focus();
    });
    cell.append(button);
    return cell;
  }));
  const sorted = [...networks].sort((a, b) => {
    const one = a[order.key], other = b[order.key];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return (one < other ? -1 : one > other ? 1 : 0) * (order.down ? -1 : 1);
  });
  byId("rows", HTMLElement).replaceChildren(...sorted.map((network) => {
    return make("tr", {}, ...COLUMNS.map(({ key, show, text }) => {
      if (key === "name") return make("th", { scope: "row" }, make("a", { textContent: network.name, href: `#${network.name}` }));
      const value = network[key];
      return make("td", { className: text ? "" : "number", textContent: value === null ? "–" : show(value) });
    }));
  }));
}

/** A row of the table of layers: costs summed over `layers`, output shape of the last one.
 * @param {string} name @param {string} kind @param {Layer[]} layers @param {string} style */
function layerRow(name, kind, layers, style) {
  const last = layers[layers.length - 1];
  const sum = (/** @type {"parameters" | "macs"} */ key) => layers.reduce((total, layer) => total + layer[key], 0);
  const costs = [sum("parameters"), sum("macs")].map((cost) => (cost ? compact(cost) : "–"));
  const field = last.receptive_field === null ? "all" : `${last.receptive_field} px`;
  return make("tr", { className: style },
    make("th", { textContent: name, scope: "row" }),
    ...[kind, last.shape.join(" × ")].map((text) => make("td", { textContent: text })),
    ...[...costs, field].map((text) => make("td", { textContent: text, className: "number" })));
}

/** Show the network in the address. @param {boolean} [isChosen] by the user */
async function showOne(isChosen = false) {
  const name = decodeURIComponent(location.hash.slice(1));
  const network = networks.find((one) => one.name === name);
  const section = byId("one", HTMLElement);
  section.hidden = !network;
  showChart();
  if (!network) return;
  const { layers } = /** @type {{layers: Layer[]}} */ (await ask(`/api/zoo/${encodeURIComponent(name)}`));
  byId("one-title", HTMLElement).textContent = name;
  byId("one-about", HTMLElement).textContent =
    `${network.authors}, ${network.paper}, ${network.year}. ${network.dataset}, ${network.input_size} × ${network.input_size} pixels; `
    + `${compact(network.parameters)} parameters, ${compact(network.macs)} multiply-adds, ${compact(network.memory)}B of memory.`
    + (network.top1_error === null ? "" : ` Top-1 error ${error(network.top1_error)}% (${network.errors_source}).`);
  /** @type {Map<string, Layer[]>} */
  const stages = new Map();
  for (const layer of layers) {
    const stage = layer.name.replace(/^stages\./, "").split(".")[0];
    stages.set(stage, [...(stages.get(stage) ?? []), layer]);
  }
  byId("layers", HTMLElement).replaceChildren(...[...stages].flatMap(([stage, members]) => [
    layerRow(stage, members.length === 1 ? members[0].kind : "", members, "stage"),
    ...(members.length === 1 ? [] : members).map((layer) =>
      layerRow(layer.name.replace(/^stages\./, "").slice(stage.length + 1), layer.kind, [layer], "within")),
  ]));
  if (isChosen) section.focus();
}

async function open() {
  const problem = byId("problem", HTMLElement);
  try {
    const answer = /** @type {{networks: Network[]}} */ (await ask("/api/zoo"));
    networks.push(...answer.networks);
    showFamilies();
    showTable();
    await showOne();
    addEventListener("resize", showChart);
    addEventListener("hashchange", () => showOne(true).catch((error) => tell(problem, error)));
  } catch (error) {
    tell(problem, error);
  }
}

open();
