// The results of a game: a row for each round, and looks by eccentricity for person and model.

import { byId, make } from "./dom.js";
import { draw } from "./svg.js";

/**
 * `looks` before the answer; `found`: whether the answer was the target's place.
 * @typedef {{looks: number, found: boolean}} Outcome
 * @typedef {{eccentricity: number, you: Outcome, model: Outcome}} Result
 */

const WHO = /** @type {const} */ (["you", "model"]);
/** Margins of the chart in CSS pixels. */
const LEFT = 40, RIGHT = 12, TOP = 12, FOOT = 48;
/** Degrees at the right end; half the side of a mark, which also keeps marks of equal results apart. */
const FAR = 8, MARK = 5;

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean of looks over the rounds in which the target was found. @param {Result[]} results @param {"you" | "model"} who */
function meanLooks(results, who) {
  const found = results.filter((result) => result[who].found);
  return found.length ? mean(found.map((result) => result[who].looks)) : undefined;
}

/** @param {Outcome} outcome */
const short = ({ looks, found }) => (found ? String(looks) : `${looks}, not found`);

/** @param {Result[]} results @param {number} rounds */
export function showRows(results, rounds) {
  byId("rows", HTMLElement).replaceChildren(...Array.from({ length: rounds }, (_, number) => {
    const result = results[number];
    const texts = result ? [`${result.eccentricity.toFixed(1)}°`, short(result.you), short(result.model)] : ["–", "–", "–"];
    return make("tr", {}, make("th", { scope: "row", textContent: String(number + 1) }), ...texts.map((textContent) => make("td", { textContent })));
  }));
  const means = WHO.map((who) => meanLooks(results, who)?.toFixed(1) ?? "–");
  byId("means", HTMLElement).replaceChildren(make("tr", {},
    make("th", { scope: "row", colSpan: 2, textContent: "Mean if found" }), ...means.map((textContent) => make("td", { textContent }))));
}

/** A sentence about all rounds. @param {Result[]} results */
export function verdict(results) {
  const share = (/** @type {"you" | "model"} */ who) => `${results.filter((result) => result[who].found).length} of ${results.length}`;
  const looks = (/** @type {"you" | "model"} */ who, unit = "") => {
    const average = meanLooks(results, who);
    return average === undefined ? "" : `, in ${average.toFixed(1)}${unit}`;
  };
  return `You found ${share("you")} targets${looks("you", " looks on average")}; the model ${share("model")}${looks("model")}.`;
}

/** Show looks by eccentricity as a drawing. @param {HTMLElement} place @param {Result[]} results */
export function showChart(place, results) {
  const width = place.clientWidth, height = Math.round(Math.min(390, Math.max(240, width * 0.6)));
  const most = Math.max(4, ...results.flatMap((result) => WHO.map((who) => result[who].looks)));
  const step = [1, 2, 5, 10].find((size) => most / size <= 6) ?? 10;
  const high = Math.ceil(most / step) * step;
  const across = (/** @type {number} */ degrees) => LEFT + ((width - LEFT - RIGHT) * degrees) / FAR;
  const up = (/** @type {number} */ looks) => height - FOOT - ((height - FOOT - TOP) * looks) / high;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Looks by eccentricity. The table of rounds has the numbers." });
  for (let looks = 0; looks <= high; looks += step) {
    svg.append(draw("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: up(looks), y2: up(looks) }), draw("text", { class: "end", x: LEFT - 8, y: up(looks) + 4 }, String(looks)));
  }
  for (let degrees = 0; degrees <= FAR; degrees += 2) svg.append(draw("text", { x: across(degrees), y: height - FOOT + 20 }, `${degrees}°`));
  svg.append(draw("text", { x: (LEFT + width - RIGHT) / 2, y: height - 6 }, "eccentricity of the target"));
  const sorted = [...results].sort((a, b) => a.eccentricity - b.eccentricity);
  for (const who of WHO) {
    const pairs = sorted.flatMap((result, number) => (number % 2 ? [[sorted[number - 1], result]] : []));
    const points = pairs.flatMap((pair) => {
      const looks = meanLooks(pair, who);
      return looks === undefined ? [] : [`${across(mean(pair.map((one) => one.eccentricity)))},${up(looks)}`];
    });
    svg.append(draw("polyline", { class: who, points: points.join(" ") }));
  }
  for (const { eccentricity, ...outcomes } of sorted) {
    for (const who of WHO) {
      const x = across(eccentricity) + (who === "you" ? -MARK : MARK), y = up(outcomes[who].looks), kind = `${who}${outcomes[who].found ? "" : " hollow"}`;
      svg.append(who === "you"
        ? draw("circle", { class: kind, cx: x, cy: y, r: MARK })
        : draw("rect", { class: kind, x: x - MARK, y: y - MARK, width: 2 * MARK, height: 2 * MARK }));
    }
  }
  place.replaceChildren(svg);
}
