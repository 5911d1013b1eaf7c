// Recording photos of a class: while a button is held, or for some seconds after a click.

import { byId } from "./dom.js";

const HANDS_FREE = 5000;
/** Frames on their way to the server; more would only arrive late. */
const MAX_WAITING = 4;

export class Recorder {
  /**
   * @param {import("./watch.js").Watch} watch
   * @param {(classId: string, frame: Blob, burst: string) => Promise<void>} send
   */
  constructor(watch, send) {
    this.watch = watch;
    this.send = send;
    /** The current recording. @type {{isOver: boolean, button: HTMLButtonElement} | undefined} */
    this.current = undefined;
  }

  /** Make a button record a class. @param {HTMLButtonElement} button @param {string} classId */
  attach(button, classId) {
    const isTimed = () => byId("countdown", HTMLSelectElement).value !== "0";
    const start = () => {
      if (!isTimed()) this.record(button, classId);
    };
    const end = () => {  // not the recording of the button that took the focus
      if (!isTimed() && this.current?.button === button) this.stop();
    };
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId); // the page may move beneath the finger
      start();
    });
    for (const name of ["pointerup", "pointercancel", "blur"]) button.addEventListener(name, end);
    button.addEventListener("keydown", (event) => {
      if ((event.key === " " || event.key === "Enter") && !event.repeat) start();
    });
    button.addEventListener("keyup", end);
    button.addEventListener("click", () => {
      if (!isTimed()) return;
      if (this.current) this.stop();
      else this.record(button, classId, Number(byId("countdown", HTMLSelectElement).value));
    });
    button.addEventListener("contextmenu", (event) => event.preventDefault()); // of a long touch
  }

  stop() {
    if (this.current) this.current.isOver = true;
    this.current = undefined;
  }

  /** @param {HTMLButtonElement} button @param {string} classId @param {number} [countdown] seconds */
  async record(button, classId, countdown = 0) {
    this.stop();
    const recording = { isOver: false, button };
    this.current = recording;
    const idle = button.textContent;
    if (!this.watch.camera.isOn && !(await this.watch.start())) return this.end(recording);
    button.classList.add("on");
    for (let left = countdown; left > 0 && !recording.isOver; left--) {
      button.textContent = `Recording in ${left} …`;
      await pause(1000);
    }
    const burst = crypto.randomUUID();
    const end = countdown ? performance.now() + HANDS_FREE : Infinity;
    let count = 0, waiting = 0;
    while (!recording.isOver && this.watch.camera.isOn && performance.now() < end) {
      const due = performance.now() + 1000 / Number(byId("rate", HTMLSelectElement).value);
      if (waiting < MAX_WAITING) {
        button.ariaBusy = String(++waiting > 0);
        const frame = await this.watch.camera.photo();
        button.textContent = `Recording … ${++count}`;
        this.send(classId, frame, burst).finally(() => (button.ariaBusy = String(--waiting > 0)));
      }
      await pause(Math.max(0, due - performance.now()));
    }
    button.classList.remove("on");
    button.textContent = idle;
    this.end(recording);
  }

  /** Clear a recording that is over, unless another one started. @param {{isOver: boolean}} recording */
  end(recording) {
    if (this.current === recording) this.stop();
  }
}

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
