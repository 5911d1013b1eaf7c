// Loads the model of the page, and says so.

import { showBars } from "./bars.js";
import { byId, tell } from "./dom.js";
import { InferenceSession, env } from "./onnxruntime.js";

/**
 * The content of eyespot.json, and the model that runs.
 * @template {{name: string, labels: string[]}} About
 * @param {string} noun of the model: its file is noun.onnx
 * @param {(about: any) => About} read
 */
export async function loadModel(noun, read) {
  const speed = byId("speed", HTMLElement);
  try {
    env.logLevel = "error"; // no warning about the unknown processor, which no browser tells
    env.wasm.numThreads = 1; // threads need headers that most static servers do not send
    const [response, session] = await Promise.all([
      fetch("eyespot.json"),
      InferenceSession.create(`${noun}.onnx`, { executionProviders: ["wasm"] }),
    ]);
    if (!response.ok) throw new Error(`eyespot.json: ${response.status}`);
    const about = read(await response.json());
    byId("name", HTMLElement).textContent = about.name;
    document.title = `${about.name} · eyespot`;
    showBars(byId("classes", HTMLElement), about.labels.map((name) => ({ name, text: "", value: 0 })));
    speed.textContent = "Ready.";
    return { about, session };
  } catch (error) {
    speed.textContent = "";
    const reason = error instanceof Error ? error.message : error;
    tell(byId("problem", HTMLElement), new Error(`The ${noun} did not load (${reason}). Reload the page. If that does not help, use a current browser, or export the ${noun} again.`));
    throw error;
  }
}

/** How long one photo took. @param {number} start of performance.now() @param {number} perSecond */
export function showSpeed(start, perSecond) {
  const time = performance.now() - start;
  byId("speed", HTMLElement).textContent = `${time.toFixed(0)} ms for this photo` + (perSecond ? `, ${perSecond.toFixed(1)} photos/s.` : ".");
}
