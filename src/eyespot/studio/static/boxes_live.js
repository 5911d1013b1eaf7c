// Boxes and counts on the camera's video, or on a chosen photo.

import { countElements } from "./boxes_figures.js";
import { classColour } from "./boxes_shape.js";
import { byId } from "./dom.js";
import { Talk } from "./talk.js";
import { draw } from "./svg.js";

/** @typedef {import("./boxes_editor.js").Box} Box */

export class Live {
  /** @param {string} project its address */
  constructor(project) {
    this.talk = new Talk(`${project}/live`);
    this.svg = byId("live", SVGSVGElement);
    this.svg.replaceChildren();
    byId("live-counts", HTMLElement).replaceChildren();
  }

  close() {
    this.talk.close();
  }

  /** Find and count the objects of one photo. @param {Blob} photo @param {number} perSecond @param {import("./boxes_editor.js").BoxClass[]} classes */
  async predict(photo, perSecond, classes) {
    await this.talk.send(photo);
    const found = /** @type {{boxes: Box[], width?: number, height?: number, error?: string}} */ (await this.talk.receive());
    if (found.error) throw new Error(found.error);
    const isTrained = found.width !== undefined;
    byId("speed", HTMLElement).textContent = !isTrained ? "The detector is not trained yet." : perSecond ? `${perSecond.toFixed(0)} photos/s` : "";
    byId("live-counts", HTMLElement).replaceChildren(...(isTrained ? countElements(classes, found.boxes, false) : []));
    this.svg.setAttribute("viewBox", `0 0 ${found.width ?? 1} ${found.height ?? 1}`);
    const size = (found.width ?? 1) / 22;
    this.svg.replaceChildren(...found.boxes.flatMap((box) => {
      const of = classes.find((one) => one.id === box.class_id);
      const frame = draw("rect", { x: box.xmin, y: box.ymin, width: box.xmax - box.xmin, height: box.ymax - box.ymin });
      frame.style.setProperty("--class", classColour(of?.position ?? 0));
      const label = draw("text", { x: box.xmin, y: box.ymin > size ? box.ymin - 0.3 * size : box.ymin + size });
      label.textContent = of?.name ?? "";
      Object.assign(label.style, { fontSize: `${size}px`, strokeWidth: `${size / 5}px` });
      return [frame, label];
    }));
  }
}
