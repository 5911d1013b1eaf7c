// The pixels of a photo, as a model takes them.

import { Tensor } from "./onnxruntime.js";

const canvas = document.createElement("canvas");
const drawing = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));

/** Upright RGB [1, height, width, 3] on white, and the size of the photo.
 * @param {Blob} blob
 * @param {(width: number, height: number) => [number, number]} sizeOf width and height of the pixels */
export async function pixelsOf(blob, sizeOf) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    throw new Error("The browser cannot read this photo. Choose a JPEG, PNG or WebP file.");
  }
  const photo = { width: bitmap.width, height: bitmap.height };
  const [width, height] = sizeOf(photo.width, photo.height);
  Object.assign(canvas, { width, height });
  drawing.imageSmoothingQuality = "high";
  drawing.fillStyle = "white";
  drawing.fillRect(0, 0, width, height);
  drawing.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = drawing.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(3 * width * height);
  for (let from = 0, to = 0; to < rgb.length; from += 4) {
    rgb[to++] = data[from];
    rgb[to++] = data[from + 1];
    rgb[to++] = data[from + 2];
  }
  return { image: new Tensor("uint8", rgb, [1, height, width, 3]), width, height, photo };
}
