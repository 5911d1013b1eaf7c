// Small grey images: from 0, black, to 9, white.

export const WHITE = 9;
/** Pixels of a photo's longer side. */
const MOST = 28;
const SIDE = 12;

const DIGIT = [
  "000000000000", "000899999980", "000999999980", "000994000000", "001992000000", "002999999300",
  "001588899960", "000000028990", "000000005990", "018400029970", "029999999920", "002799997200",
];

/** @param {(row: number, column: number) => number} value */
const made = (value) => Array.from({ length: SIDE }, (_, row) => Array.from({ length: SIDE }, (_, column) => value(row, column)));

/** Examples by name, in the order of the page. @type {Map<string, () => number[][]>} */
export const IMAGES = new Map([
  ["digit", () => read(DIGIT.join("."))],
  ["edge", () => made((_, column) => (column < SIDE / 2 ? 1 : 8))],
  ["gradient", () => made((row, column) => Math.round((WHITE * (row + column)) / (2 * SIDE - 2)))],
  ["spot", () => made((row, column) => (row === 5 && column === 5 ? WHITE : 0))],
  ["empty", () => made(() => 0)],
]);

/** One digit per pixel, a full stop between rows. @param {number[][]} image */
export function write(image) {
  for (const [name, make] of IMAGES) if (JSON.stringify(make()) === JSON.stringify(image)) return name;
  return image.map((row) => row.join("")).join(".");
}

/** Read the text of `write`. Throws an Error if it is invalid. @param {string} text @returns {number[][]} */
export function read(text) {
  const ready = IMAGES.get(text);
  if (ready) return ready();
  const rows = text.split(".");
  const isImage = rows.length <= MOST && rows.every((row) => /^\d{1,28}$/.test(row) && row.length === rows[0].length);
  if (!isImage) throw new Error("image cannot be read.");
  return rows.map((row) => [...row].map(Number));
}

/** A photo, reduced to `MOST` grey pixels per side. @param {Blob} file */
export async function reduce(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error("The browser cannot decode this photo. Choose a JPEG, PNG or WebP file.");
  }
  const scale = Math.min(1, MOST / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale)), height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser cannot draw. Try another browser.");
  context.imageSmoothingQuality = "high";
  context.fillRect(0, 0, width, height); // transparent pixels become black
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const grey = (/** @type {number} */ at) => 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: width }, (_, column) => Math.round((WHITE * grey(4 * (row * width + column))) / 255)));
}
