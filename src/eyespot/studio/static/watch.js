// The camera or a chosen photo, and its predictions, for Look inside, Teach and exported pages.

import { Camera } from "./camera.js";
import { byId, tell } from "./dom.js";
import { whenDropped } from "./files.js";

/** Shows the camera, or a photo that was chosen or dropped, and predicts it again and again. */
export class Watch {
  /**
   * @param {{file: string, problem: HTMLElement}} parts id of the file input; where errors are shown
   * @param {(photo: Blob, perSecond: number) => Promise<void>} predict classifies one photo
   */
  constructor({ file, problem }, predict) {
    this.predict = predict;
    this.problem = problem;
    this.camera = new Camera(byId("video", HTMLVideoElement));
    this.image = byId("photo", HTMLImageElement);
    /** @type {Blob | undefined} */
    this.chosen = undefined;
    this.isBusy = false;
    /** Whether something changed since the last prediction. */
    this.isWanted = false;

    byId("camera", HTMLElement).addEventListener("click", () => {
      if (this.camera.isOn) this.stop();
      else this.start();
    });
    byId("device", HTMLSelectElement).addEventListener("change", (event) => {
      if (event.target instanceof HTMLSelectElement) this.start(event.target.value);
    });
    const input = byId(file, HTMLInputElement);
    input.addEventListener("change", () => this.choose(input.files?.[0]));
    const place = byId("drop", HTMLElement);
    whenDropped(place, (data) => this.choose(data?.files[0]));
    this.isInSight = true;
    new IntersectionObserver((changes) => { // several at once if the browser is busy: the last counts
      this.isInSight = changes[changes.length - 1].isIntersecting;
      this.pin();
    }).observe(place);
  }

  /** Start the camera; return whether it is on. @param {string} [device] */
  async start(device) {
    try {
      await this.camera.start(device);
      const choices = await this.camera.choices();
      const options = choices.map((one, number) => new Option(one.label || `Camera ${number + 1}`, one.deviceId));
      byId("device", HTMLSelectElement).replaceChildren(...options);
      byId("device-label", HTMLElement).hidden = choices.length < 2;
      if (device) byId("device", HTMLSelectElement).value = device;
      this.problem.hidden = true;
    } catch (error) {
      tell(this.problem, error);
    }
    this.show();
    this.run();
    return this.camera.isOn;
  }

  stop() {
    this.camera.stop();
    this.show();
  }

  /** @param {File | undefined} file */
  choose(file) {
    if (!file) return;
    this.camera.stop();
    this.chosen = file;
    if (this.image.src) URL.revokeObjectURL(this.image.src);
    this.image.src = URL.createObjectURL(file);
    this.show();
    this.run();
  }

  /** Keep the camera's video in sight while the user records further down. */
  pin() {
    const place = byId("drop", HTMLElement), isPinned = this.camera.isOn && !this.isInSight;
    place.style.minHeight = isPinned ? `${place.offsetHeight}px` : "";
    place.classList.toggle("pinned", isPinned);
  }

  show() {
    const isOn = this.camera.isOn;
    this.camera.video.hidden = !isOn;
    this.image.hidden = isOn || !this.chosen;
    byId("empty", HTMLElement).hidden = isOn || Boolean(this.chosen);
    byId("camera", HTMLElement).textContent = isOn ? "Stop camera" : "Start camera";
    this.pin();
  }

  /** Predict the chosen photo once more, or the camera's photos while it is on. */
  async run() {
    this.isWanted = true;
    if (this.isBusy) return;
    this.isBusy = true;
    let last = 0, perSecond = 0;
    try {
      while (this.isWanted || this.camera.isOn) {
        this.isWanted = false;
        const photo = this.camera.isOn ? await this.camera.photo() : this.chosen;
        if (!photo) break;
        await this.predict(photo, this.camera.isOn ? perSecond : 0);
        await new Promise((resolve) => requestAnimationFrame(resolve));
        const now = performance.now();
        // A running mean of about ten photos, so that the number can be read.
        if (last) perSecond += (1000 / (now - last) - perSecond) * (perSecond ? 0.1 : 1);
        last = now;
      }
    } catch (error) {
      this.stop();
      tell(this.problem, error);
    } finally {
      this.isBusy = false;
    }
  }
}
