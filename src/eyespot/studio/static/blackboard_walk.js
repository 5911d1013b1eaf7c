// A walk through the computation graph: the values and gradients after each step, and their formulas.

import { byId, make, makeButton } from "./dom.js";
import { counted, signs } from "./numbers.js";

/**
 * @typedef {{to: string, formula: string, product: string, above: string, local: string, gradient: string}} Share
 * @typedef {{kind: "forward" | "start" | "backward" | "sum", node: number, text: string, shares: Share[]}} Step
 * @typedef {{values: Record<string, string>, result: {name: string, value: string}, steps: Step[],
 *   gradients: Record<string, string>, drawing: string}} Worked
 */

/** Milliseconds of a step while it plays. */
const PACE = 1000;
const HEADINGS = { forward: "Forward", start: "Backward", backward: "Backward", sum: "Backward" };
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Walk {
  /** @param {() => void} moved called after each step of the user */
  constructor(moved) {
    /** Completed steps. */
    this.step = 0;
    this.moved = moved;
    /** @type {Worked | undefined} */
    this.worked = undefined;
    this.timer = 0;
    this.box = byId("drawing", HTMLElement);
    byId("first", HTMLElement).addEventListener("click", () => this.go(0));
    byId("back", HTMLElement).addEventListener("click", () => this.go(this.step - 1));
    byId("forward", HTMLElement).addEventListener("click", () => this.go(this.step + 1));
    byId("last", HTMLElement).addEventListener("click", () => this.go(Infinity));
    byId("play", HTMLElement).addEventListener("click", () => (this.timer ? this.pause() : this.play()));
    addEventListener("keydown", (event) => this.hear(event));
  }

  get count() {
    return this.worked?.steps.length ?? 0;
  }

  /** @param {Worked} worked @param {number} step */
  show(worked, step) {
    this.pause();
    this.worked = worked;
    const drawing = new DOMParser().parseFromString(worked.drawing, "image/svg+xml").documentElement;
    this.box.style.setProperty("--wide", drawing.getAttribute("width"));
    this.box.replaceChildren(document.importNode(drawing, true));
    for (const group of this.box.querySelectorAll("g")) group.classList.toggle("input", !group.querySelector(".box"));
    byId("steps", HTMLElement).replaceChildren(...worked.steps.map((one, number) => {
      const shares = one.shares.map((share) => `; to ${share.to}: ${share.product}`).join("");
      return make("li", {}, makeButton(signs(one.text + shares), () => this.go(number + 1)));
    }));
    this.move(step);
  }

  /** Go to a step, for the user. @param {number} step */
  go(step) {
    this.pause();
    this.move(step);
    this.moved();
  }

  play() {
    if (this.step === this.count) this.move(0);
    this.timer = setInterval(() => {
      this.move(this.step + 1);
      this.moved();
      if (this.step === this.count) this.pause();
    }, PACE);
    byId("play", HTMLElement).textContent = "Pause";
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    byId("play", HTMLElement).textContent = "Play";
  }

  /** @param {KeyboardEvent} event */
  hear(event) {
    const isTyping = event.target instanceof HTMLInputElement;
    if (isTyping || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const to = { ArrowLeft: this.step - 1, ArrowRight: this.step + 1, Home: 0, End: Infinity }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.go(to);
  }

  /** @param {number} step */
  move(step) {
    this.step = Math.max(0, Math.min(step, this.count));
    for (const [id, isEnd] of /** @type {[string, boolean][]} */ ([
      ["first", this.step === 0], ["back", this.step === 0],
      ["forward", this.step === this.count], ["last", this.step === this.count],
    ])) byId(id, HTMLElement).ariaDisabled = String(isEnd);
    byId("steps", HTMLElement).querySelectorAll("button").forEach((button, number) => {
      button.toggleAttribute("aria-current", number + 1 === this.step);
      if (number + 1 === this.step) button.setAttribute("aria-current", "step");
    });
    this.light();
    this.describe();
  }

  /** Highlight, in the drawing, the computed numbers, the current node and its edges. */
  light() {
    const now = this.worked?.steps[this.step - 1];
    for (const number of this.box.querySelectorAll("[data-step]")) {
      const step = Number(number.getAttribute("data-step"));
      number.classList.toggle("unknown", step > this.step);
      number.classList.toggle("new", step > 0 && step === this.step);
    }
    for (const wire of this.box.querySelectorAll("[data-to]")) {
      const end = now?.kind === "sum" ? "data-from" : "data-to";
      const flows = now && now.kind !== "start" && Number(wire.getAttribute(end)) === now.node;
      wire.classList.toggle("flows", Boolean(flows));
      wire.classList.toggle("forward", now?.kind === "forward");
      wire.classList.toggle("backward", now?.kind !== "forward");
    }
    for (const group of this.box.querySelectorAll("[data-node]")) {
      const isCurrent = Number(group.getAttribute("data-node")) === now?.node;
      group.classList.toggle("current", isCurrent);
      if (isCurrent) this.reveal(group);
    }
    if (!now) this.box.scrollTo({ left: 0 });
  }

  /** Scroll a wide drawing to the current node. @param {Element} group */
  reveal(group) {
    const seen = this.box.getBoundingClientRect(), place = group.getBoundingClientRect();
    const left = this.box.scrollLeft + place.left + place.width / 2 - seen.left - seen.width / 2;
    this.box.scrollTo({ left, behavior: calm.matches ? "auto" : "smooth" });
  }

  /** Describe the current step. */
  describe() {
    if (!this.worked) return;
    const { steps, values, result, gradients } = this.worked;
    const now = steps[this.step - 1];
    byId("place", HTMLElement).textContent = now
      ? `${HEADINGS[now.kind]} · step ${this.step} of ${this.count}`
      : `Start, ${counted(this.count, "step")} to go`;
    const parts = [];
    if (now) parts.push(make("p", { className: "text", textContent: signs(now.text) }));
    else {
      const given = Object.entries(values).map(([name, value]) => `${name} = ${signs(value)}`).join(", ");
      const names = given ? `Inputs: ${given}.` : "No inputs.";
      parts.push(make("p", { className: "text", textContent: `${names} Forward pass: each node computes its value from its inputs on the left.` }));
    }
    if (now?.shares.length) parts.push(make("ul", {}, ...now.shares.map(passedBack)));
    if (now && this.step === this.count) {
      const found = Object.entries(gradients).map(([name, gradient]) => `${name} ${signs(gradient)}`);
      parts.push(make("p", { textContent: `Result: ${result.name} = ${signs(result.value)}. `
        + (found.length ? `Gradients: ${found.join(", ")}.` : "Without names there are no gradients.") }));
    }
    byId("step", HTMLElement).replaceChildren(...parts);
  }
}

/** @param {Share} share */
function passedBack(share) {
  const part = (/** @type {string} */ number, /** @type {string} */ about, className = "") =>
    make("span", { className }, make("small", { textContent: about }), signs(number));
  return make("li", {},
    make("p", { className: "factors" },
      part(share.above, "upstream "), make("span", { textContent: "×" }), part(share.local, "local gradient "),
      make("span", { textContent: "=" }), part(share.gradient, `to ${share.to} `, "gradient")),
    make("p", {}, make("code", { textContent: signs(share.formula) })));
}
