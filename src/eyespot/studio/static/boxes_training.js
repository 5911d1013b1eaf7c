// The training of a detector: its progress, its figures, and what is missing.

import { figureElements, issueText } from "./boxes_figures.js";
import { byId } from "./dom.js";
import { counted } from "./numbers.js";

/**
 * @typedef {{busy: {stage: string, done: number, total: number} | null, message: string, needed: string,
 *   summary: import("./boxes_figures.js").Summary | null, current: boolean}} Training
 */

/** Set a text that screen readers read out, if it changed. @param {string} id @param {string} text */
function say(id, text) {
  const place = byId(id, HTMLElement);
  if (place.textContent !== text) place.textContent = text;
}

/** Show the training of a detector. @param {Training} training @param {import("./boxes_editor.js").BoxClass[]} classes */
export function showTraining({ busy, message, needed, summary, current }, classes) {
  say("status", busy ? "Training …" : summary ? `Trained on ${counted(summary.photos, "photo")}, ${counted(summary.boxes, "box", "boxes")}` : "");
  byId("status", HTMLElement).classList.toggle("good", Boolean(summary) && !busy);
  byId("evaluated-on", HTMLElement).textContent = summary?.evaluated_on ?? "";
  byId("figures", HTMLElement).replaceChildren(...figureElements(summary, classes));
  const bar = byId("progress", HTMLProgressElement);
  bar.hidden = !busy;
  if (busy?.total) [bar.max, bar.value] = [busy.total, busy.done];
  else bar.removeAttribute("value"); // of unknown length
  const old = summary && !current && !busy && !needed ? "Boxes changed since." : "";
  say("training", busy ? `${busy.stage} …` : message || needed || old);
  const train = byId("train", HTMLButtonElement);
  train.hidden = !busy && (Boolean(needed) || current);
  train.textContent = busy ? "Stop training" : "Train";
  for (const id of ["report", "export-detector"]) byId(id, HTMLElement).ariaDisabled = String(!summary);
  byId("review", HTMLElement).hidden = !summary?.issues.length;
  byId("issues", HTMLElement).textContent = summary ? issueText(summary.issues) : "";
}
