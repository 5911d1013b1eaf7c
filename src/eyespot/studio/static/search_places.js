// The places where the target may hide: the nearest one to a click, and the next one for an arrow key.

/** Degrees from the centre of the scene, to the right and down. @typedef {[number, number]} Place */

/** @param {Place} one @param {Place} other */
export const distance = (one, other) => Math.hypot(one[0] - other[0], one[1] - other[1]);

/** The index of the place nearest to a point. @param {Place[]} places @param {Place} point */
export function nearest(places, point) {
  const distances = places.map((place) => distance(place, point));
  return distances.indexOf(Math.min(...distances));
}

/** Indices of the places from left to right, in rows from top to bottom. @param {Place[]} places */
export function rowsOf(places) {
  /** @type {Map<number, number[]>} */
  const rows = new Map();
  const order = [...places.keys()].sort((a, b) => places[a][1] - places[b][1] || places[a][0] - places[b][0]);
  for (const index of order) {
    const height = places[index][1];
    rows.set(height, [...(rows.get(height) ?? []), index]);
  }
  return [...rows.values()];
}

/** The row and the column of a place, from 0. @param {number[][]} rows @param {number} index @returns {[number, number]} */
export function positionOf(rows, index) {
  const row = rows.findIndex((line) => line.includes(index));
  return [row, rows[row].indexOf(index)];
}

/**
 * The place that an arrow key leads to; undefined for other keys.
 * @param {Place[]} places @param {number[][]} rows @param {number} from @param {string} key
 * @param {number} column where a walk up and down began, in degrees: rows alternate
 */
export function stepped(places, rows, from, key, column) {
  const [row, place] = positionOf(rows, from);
  const line = rows[row];
  if (key === "ArrowLeft") return line[Math.max(0, place - 1)];
  if (key === "ArrowRight") return line[Math.min(line.length - 1, place + 1)];
  if (key === "Home") return line[0];
  if (key === "End") return line[line.length - 1];
  if (key !== "ArrowUp" && key !== "ArrowDown") return undefined;
  const next = rows[row + (key === "ArrowUp" ? -1 : 1)];
  return next ? next[nearest(next.map((index) => places[index]), [column, places[next[0]][1]])] : from;
}
