// Teach: the list of projects, and the project that the address names.

import { ask, sending } from "./ask.js";
import { byId, tell } from "./dom.js";
import { found, whenDropped } from "./files.js";
import { Project } from "./project.js";
import { ProjectList } from "./project_list.js";
import { Watch } from "./watch.js";

const problem = byId("problem", HTMLElement);

/** @type {Project | undefined} */
let project;
const watch = new Watch({ file: "try", problem }, async (photo, perSecond) => project?.predict(photo, perSecond));

const list = new ProjectList("/api/projects", problem, true);

/** Show the list, or the project in the address. */
async function show() {
  project?.close();
  project = undefined;
  const id = decodeURIComponent(location.hash.slice(1));
  byId("list", HTMLElement).hidden = Boolean(id);
  byId("project", HTMLElement).hidden = !id;
  problem.hidden = true;
  if (id) {
    project = new Project(id, problem, watch);
    project.open();
  } else {
    watch.stop();
    document.title = "Teach · eyespot studio";
    await list.show();
  }
}

/** Open a project. @param {string} id */
function goTo(id) {
  location.hash = id;
  return new Promise((resolve) => addEventListener("hashchange", resolve, { once: true }));
}

/** Create a project and open it; return its id. @param {string} name @returns {Promise<string>} */
async function create(name) {
  const { id } = await ask("/api/projects", sending("POST", { name }));
  await goTo(id);
  return id;
}

/** Create a project from a .zip or .eyespot file. @param {File} file */
async function importFile(file) {
  const query = new URLSearchParams({ name: file.name });
  for (const id of ["path_column", "label_column", "split_column"]) {
    const column = byId(id, HTMLInputElement).value.trim();
    if (column) query.set(id, column);
  }
  const imported = await ask(`/api/projects/import?${query}`, { method: "POST", body: file });
  await goTo(imported.id);
  showNotes(imported);
}

/** Create a project from a folder of class folders. @param {import("./files.js").Found[]} files */
async function importFolder(files) {
  const layout = await ask("/api/projects/layout", sending("POST", { paths: files.map(({ path }) => path) }));
  const id = await create(layout.name);
  const opened = project;
  const photos = [];
  for (const [name, indices] of Object.entries(/** @type {Record<string, number[]>} */ (layout.classes))) {
    const added = await ask(`/api/projects/${id}/classes`, sending("POST", { name }));
    photos.push(...indices.map((index) => ({ classId: added.id, file: files[index].file })));
  }
  await opened?.addFiles(photos);
  showNotes(layout);
}

/** Show the notes of an import after the errors already shown.
 * @param {{note: string, skipped: {name: string, reason: string}[]}} imported */
function showNotes({ note, skipped }) {
  const reasons = skipped.slice(0, 5).map(({ name, reason }) => `${name.split("/").pop()}: ${reason}`);
  const before = problem.hidden ? "" : problem.textContent;
  const text = [before, note, reasons.length ? `Not added: ${reasons.join("; ")}.` : ""].filter(Boolean).join(" ");
  if (text) tell(problem, text);
}

/** @param {string} id @param {(files: import("./files.js").Found[]) => Promise<void>} take */
function whenChosen(id, take) {
  const input = byId(id, HTMLInputElement);
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath, file }));
    input.value = "";
    if (files.length) take(files).catch((error) => tell(problem, error));
  });
}

/** What a submitted form does with the text of its field. @param {string} form @param {string} field @param {(text: string) => Promise<unknown>} act */
function whenSubmitted(form, field, act) {
  byId(form, HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const input = byId(field, HTMLInputElement);
    act(input.value).then(() => (input.value = ""), (error) => tell(problem, error));
  });
}

function listen() {
  whenSubmitted("new", "new-name", async (name) => {
    await create(name);
    byId("add-name", HTMLElement).focus();
  });
  whenSubmitted("add", "add-name", async (name) => project?.change("/classes", "POST", { name }));
  byId("columns", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
  whenChosen("import-file", ([{ file }]) => importFile(file));
  whenChosen("import-folder", importFolder);
  whenDropped(byId("list", HTMLElement), (data) => found(data).then((files) => {
    const isFile = files.length === 1 && /\.(zip|eyespot)$/i.test(files[0].file.name);
    return isFile ? importFile(files[0].file) : importFolder(files);
  }).catch((error) => tell(problem, error)));

  const name = byId("name", HTMLInputElement), backbone = byId("backbone", HTMLSelectElement);
  name.addEventListener("change", () => project?.change("", "PATCH", { name: name.value }).catch(() => {}));
  backbone.addEventListener("change", () => project?.change("/backbone", "PUT", { name: backbone.value }).catch(() => {}));
  byId("fine-tune", HTMLElement).addEventListener("click", () => project?.fineTune().catch(() => {}));
  const undo = () => project?.change("/undo", "POST").catch(() => {});
  byId("undo", HTMLElement).addEventListener("click", undo);
  addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLInputElement;
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && !isTyping) undo();
  });
  const mirror = byId("mirror", HTMLInputElement), video = watch.camera.video;
  mirror.addEventListener("change", () => video.classList.toggle("mirrored", mirror.checked));
  video.classList.toggle("mirrored", mirror.checked);
  addEventListener("hashchange", show);
}

listen();
try {
  const names = /** @type {string[]} */ (await ask("/api/look"));
  byId("backbone", HTMLElement).replaceChildren(...names.map((name) => new Option(name, name)));
  byId("backbones", HTMLElement).hidden = names.length < 2;
  await show();
} catch (error) {
  tell(problem, error);
}
