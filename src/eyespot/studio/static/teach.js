// Teach: the list of projects, and the one that the address names.

import { ask, byId, sending, tell } from "./ask.js";
import { found, whenDropped } from "./files.js";
import { Project } from "./project.js";
import { Watch } from "./watch.js";

/** @typedef {{id: string, name: string, pictures: number, classes: number, changed: number}} About */

const problem = byId("problem", HTMLElement);

/** @type {Project | undefined} */
let project;
const watch = new Watch({ file: "try", problem }, async (picture, perSecond) => project?.look(picture, perSecond));

/** Do something that may fail, and tell if it does. @param {() => Promise<void>} deed */
async function attempt(deed) {
  try {
    await deed();
    problem.hidden = true;
  } catch (error) {
    tell(problem, error);
  }
}

/** @param {string} text @param {() => Promise<void>} deed */
function button(text, deed) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", () => attempt(deed));
  return made;
}

/** @param {About} about @param {boolean} isDeleted */
function projectItem(about, isDeleted) {
  const path = `/api/projects/${about.id}`;
  const item = document.createElement("li");
  const name = document.createElement(isDeleted ? "span" : "a");
  name.textContent = about.name;
  if (name instanceof HTMLAnchorElement) name.href = `#${about.id}`;
  const note = document.createElement("span");
  note.className = "note";
  note.textContent = `${about.classes} ${about.classes === 1 ? "class" : "classes"}, ${about.pictures} ${about.pictures === 1 ? "picture" : "pictures"}, changed ${new Date(1000 * about.changed).toLocaleString()}`;
  const after = (/** @type {string} */ address, /** @type {string} */ method) => async () => {
    await ask(address, { method });
    await showList();
  };
  item.append(name, note);
  if (isDeleted) item.append(button("Bring back", after(`${path}/restore`, "POST")));
  else item.append(button("Duplicate", after(`${path}/duplicate`, "POST")), button("Delete", after(path, "DELETE")));
  return item;
}

async function showList() {
  const { projects, deleted } = /** @type {{projects: About[], deleted: About[]}} */ (await ask("/api/projects"));
  byId("projects", HTMLElement).replaceChildren(...projects.map((about) => projectItem(about, false)));
  byId("deleted", HTMLElement).replaceChildren(...deleted.map((about) => projectItem(about, true)));
  byId("none", HTMLElement).hidden = projects.length > 0;
  byId("trash", HTMLElement).hidden = deleted.length === 0;
}

/** Show what the address names. */
async function show() {
  project?.close();
  project = undefined;
  const id = decodeURIComponent(location.hash.slice(1));
  byId("list", HTMLElement).hidden = Boolean(id);
  byId("project", HTMLElement).hidden = !id;
  problem.hidden = true;
  if (id) {
    project = new Project(id, problem);
    project.open(watch);
  } else {
    watch.stop();
    document.title = "Teach · eyespot studio";
    await attempt(showList);
  }
}

byId("new", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const name = byId("new-name", HTMLInputElement);
  attempt(async () => {
    const made = await ask("/api/projects", sending("POST", { name: name.value }));
    name.value = "";
    await goTo(made.id);
    byId("add-name", HTMLElement).focus();
  });
});

/** Make a project of a .zip or .eyespot file. @param {File} file */
async function bring(file) {
  const query = new URLSearchParams({ name: file.name });
  for (const id of ["path_column", "label_column", "split_column"]) {
    const column = byId(id, HTMLInputElement).value.trim();
    if (column) query.set(id, column);
  }
  const made = await ask(`/api/projects/import?${query}`, { method: "POST", body: file });
  await goTo(made.id);
  tellOf(made);
}

/** Make a project of a folder with a folder for each class. @param {import("./files.js").Found[]} files */
async function bringFolder(files) {
  const layout = await ask("/api/projects/layout", sending("POST", { paths: files.map(({ path }) => path) }));
  const made = await ask("/api/projects", sending("POST", { name: layout.name }));
  await goTo(made.id);
  const opened = project;
  const all = [];
  for (const [of, indices] of Object.entries(/** @type {Record<string, number[]>} */ (layout.classes))) {
    const { id } = await ask(`/api/projects/${made.id}/classes`, sending("POST", { name: of }));
    all.push(...indices.map((index) => ({ classId: id, file: files[index].file })));
  }
  await opened?.addFiles(all);
  tellOf(layout);
}

/** Say what a person should know of an import, after what is said already.
 * @param {{note: string, skipped: {name: string, reason: string}[]}} made */
function tellOf({ note, skipped }) {
  const reasons = skipped.slice(0, 5).map(({ name, reason }) => `${name.split("/").pop()}: ${reason}`);
  const said = problem.hidden ? "" : problem.textContent;
  const told = [said, note, reasons.length ? `Not added: ${reasons.join("; ")}.` : ""].filter(Boolean).join(" ");
  if (told) tell(problem, told);
}

/** @param {string} id */
function goTo(id) {
  location.hash = id;
  return new Promise((resolve) => addEventListener("hashchange", resolve, { once: true }));
}

/** @param {string} id @param {(files: File[]) => Promise<void>} take */
function chosen(id, take) {
  const input = byId(id, HTMLInputElement);
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = "";
    if (files.length) take(files).catch((error) => tell(problem, error));
  });
}
chosen("bring", ([file]) => bring(file));
chosen("bring-folder", (files) => bringFolder(files.map((file) => ({ path: file.webkitRelativePath, file }))));
whenDropped(byId("list", HTMLElement), async (data) => {
  try {
    const files = await found(data);
    if (files.length === 1 && /\.(zip|eyespot)$/i.test(files[0].file.name)) await bring(files[0].file);
    else await bringFolder(files);
  } catch (error) {
    tell(problem, error);
  }
});
byId("add", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const name = byId("add-name", HTMLInputElement);
  project?.change(`${project.path}/classes`, "POST", { name: name.value }).then(() => {
    name.value = "";
  }, () => {});
});
byId("name", HTMLInputElement).addEventListener("change", () => {
  project?.change(project.path, "PATCH", { name: byId("name", HTMLInputElement).value }).catch(() => {});
});
const backbone = byId("backbone", HTMLSelectElement);
backbone.addEventListener("change", () => {
  project?.change(`${project.path}/backbone`, "PUT", { name: backbone.value }).catch(() => {});
});
byId("columns", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault());
byId("tune", HTMLButtonElement).addEventListener("click", () => project?.tune().catch(() => {}));
const undo = () => project?.change(`${project.path}/undo`, "POST").catch(() => {});
byId("undo", HTMLButtonElement).addEventListener("click", undo);
addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof HTMLInputElement;
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && !isTyping) undo();
});
byId("mirror", HTMLInputElement).addEventListener("change", (event) => {
  if (event.target instanceof HTMLInputElement) watch.camera.video.classList.toggle("mirrored", event.target.checked);
});
watch.camera.video.classList.add("mirrored");
addEventListener("hashchange", show);
attempt(async () => {
  const names = /** @type {string[]} */ (await ask("/api/look"));
  backbone.replaceChildren(...names.map((name) => new Option(name, name)));
  byId("looking", HTMLElement).hidden = names.length < 2;
  await show();
});
