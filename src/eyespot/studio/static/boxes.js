// Boxes: the list of projects, and the project that the address names.

import { ask, sending } from "./ask.js";
import { ARROWS, Editor } from "./boxes_editor.js";
import { BoxesProject } from "./boxes_project.js";
import { byId, note, tell } from "./dom.js";
import { filesOf, whenDropped } from "./files.js";
import { ProjectList } from "./project_list.js";
import { Watch } from "./watch.js";

const problem = byId("problem", HTMLElement);
const list = new ProjectList("/api/boxes", problem, false);
const canvas = byId("canvas", SVGSVGElement);
const editor = new Editor(canvas, (isKey) => project?.edited(isKey), (message) => {
  tell(problem, message);
  byId("class-name", HTMLElement).focus();
}, (scale) => {
  const text = `${Math.round(100 * scale)}%`;
  if (byId("zoom", HTMLElement).textContent === text) return;
  byId("zoom", HTMLElement).textContent = text;
  byId("zoomed", HTMLElement).textContent = scale === 1 ? "Whole photo" : `Zoom ${text}`; // for screen readers
});
/** @type {BoxesProject | undefined} */
let project;
const watch = new Watch({ file: "try", problem }, async (photo, perSecond) =>
  project?.live.predict(photo, perSecond, project.state?.classes ?? []));

/** Show the list, or the project in the address. */
async function show() {
  project?.close();
  project = undefined;
  const id = decodeURIComponent(location.hash.slice(1));
  byId("list", HTMLElement).hidden = Boolean(id);
  byId("project", HTMLElement).hidden = !id;
  problem.hidden = true;
  if (id) project = new BoxesProject(id, problem, editor);
  else {
    watch.stop();
    document.title = "Boxes · eyespot studio";
    await list.show();
  }
}

/** @param {string} id @param {() => unknown} act */
const onClick = (id, act) => byId(id, HTMLElement).addEventListener("click", act);

/** What a submitted form does with the text of its field. @param {string} form @param {string} field @param {(text: string) => Promise<unknown> | undefined} act */
function whenSubmitted(form, field, act) {
  byId(form, HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const input = byId(field, HTMLInputElement);
    const text = input.value;
    input.value = ""; // at once, for the next text
    act(text)?.catch((error) => {
      input.value = text;
      tell(problem, error);
    });
  });
}

/** Draw boxes, or select them. @param {boolean} isDrawing */
function setMode(isDrawing) {
  editor.isDrawing = isDrawing;
  byId("draw", HTMLElement).ariaPressed = String(isDrawing);
  byId("select", HTMLElement).ariaPressed = String(!isDrawing);
  canvas.classList.toggle("select", !isDrawing);
}

/** Keys of the whole page; those of a selected box are the editor's. @param {KeyboardEvent} event */
function press(event) {
  const target = event.target;
  if (!project || target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
  if (event.ctrlKey || event.metaKey) {
    if (event.key !== "z") return;
    project.undo();
  } else if (event.altKey) return;
  else if (/^[1-9]$/.test(event.key)) {
    const of = editor.classes[Number(event.key) - 1];
    if (!of) return;
    editor.choose(of.id);
    project.showChips();
  } else if (event.key === "+" || event.key === "=") editor.magnify(true);
  else if (event.key === "-") editor.magnify(false);
  else if (event.key === "0") editor.zoom.fit();
  else if (ARROWS[event.key] && editor.zoom.isZoomed) editor.zoom.pan(...ARROWS[event.key]);
  else if (event.key === "ArrowLeft" || event.key === "ArrowRight") project.turn(event.key === "ArrowLeft" ? -1 : 1, false);
  else if (event.key === "n" && project.photo) editor.addInTheMiddle();
  else return;
  event.preventDefault();
}

/** A menu closes with Escape, and when the focus or a click goes elsewhere. @param {HTMLDetailsElement} menu */
function closeOutside(menu) {
  const isOutside = (/** @type {EventTarget | null} */ target) => !(target instanceof Node && menu.contains(target));
  for (const name of ["pointerdown", "focusin"]) addEventListener(name, (event) => (menu.open &&= !isOutside(event.target)));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
}

function listen() {
  closeOutside(byId("export", HTMLDetailsElement));
  whenSubmitted("new", "new-name", async (name) => {
    location.hash = (await ask("/api/boxes", sending("POST", { name }))).id;
  });
  whenSubmitted("add-class", "class-name", (name) => project?.change("/classes", "POST", { name }));
  const archive = byId("import-file", HTMLInputElement);
  archive.addEventListener("change", async () => {
    const file = archive.files?.[0];
    archive.value = "";
    if (!file) return;
    try {
      const { id, note: read, skipped } = await ask(`/api/boxes/import?${new URLSearchParams({ name: file.name })}`, { method: "POST", body: file });
      location.hash = id;
      await new Promise((resolve) => addEventListener("hashchange", resolve, { once: true }));
      const reasons = skipped.slice(0, 5).map((/** @type {{name: string, reason: string}} */ one) => `${one.name}: ${one.reason}`);
      if (reasons.length) tell(problem, `${read} Not added: ${reasons.join("; ")}.`.trim());
      else if (read) note(problem, read);
    } catch (error) {
      tell(problem, error);
    }
  });
  const files = byId("files", HTMLInputElement), name = byId("name", HTMLInputElement);
  files.addEventListener("change", async () => {
    const chosen = [...(files.files ?? [])];
    files.value = "";
    await project?.addFiles(chosen);
  });
  whenDropped(byId("drop-photos", HTMLElement), async (data) => project?.addFiles(await filesOf(data)));
  name.addEventListener("change", () => project?.change("", "PATCH", { name: name.value }).catch(() => {}));
  onClick("undo", () => project?.undo());
  onClick("draw", () => setMode(true));
  onClick("select", () => setMode(false));
  onClick("zoom-in", () => editor.magnify(true));
  onClick("zoom-out", () => editor.magnify(false));
  onClick("fit", () => editor.zoom.fit());
  onClick("next", () => project?.finish());
  onClick("nothing", () => project?.finishEmpty());
  onClick("skip", () => project?.turn(1, true));
  onClick("reopen", () => project?.reopen());
  onClick("remove-photo", () => project?.removePhoto());
  onClick("train", () => project?.train());
  onClick("show-issues", () => project?.showIssues());
  byId("delete-box", HTMLElement).addEventListener("click", () => {
    if (editor.selected) editor.remove(editor.selected);
    project?.showPhoto();
  });
  canvas.addEventListener("pointerdown", () => project?.flush(), { capture: true }); // a step of its own
  canvas.addEventListener("focusin", () => project?.showPhoto());
  addEventListener("keydown", press);
  addEventListener("hashchange", show);
  addEventListener("pagehide", () => project?.flush());
}

listen();
show();
