// Files and folders that are dropped or pasted.

/** Call `take` with what is dropped on an element.
 * @param {HTMLElement} element @param {(data: DataTransfer | null) => void} take */
export function whenDropped(element, take) {
  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    element.classList.add("over");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("over");
    take(event.dataTransfer);
  });
}

/** A file, and its path in the dropped folder: "/photos/mug/1.jpg".
 * @typedef {{path: string, file: File}} Found */

/** @param {DataTransfer | null} data @returns {Promise<File[]>} */
export async function filesOf(data) {
  return (await found(data)).map(({ file }) => file);
}

/** @param {DataTransfer | null} data @returns {Promise<Found[]>} */
export async function found(data) {
  if (!data) return [];
  // Read the entries at once: afterwards the browser clears them.
  const entries = [...data.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory)) return [...data.files].map((file) => ({ path: file.name, file }));
  return (await Promise.all(entries.map((entry) => (entry ? within(entry) : [])))).flat();
}

/** @param {FileSystemEntry} entry @returns {Promise<Found[]>} */
async function within(entry) {
  if (entry instanceof FileSystemFileEntry) {
    const file = await new Promise((/** @type {(file: File) => void} */ resolve, reject) => entry.file(resolve, reject));
    return [{ path: entry.fullPath, file }];
  }
  if (!(entry instanceof FileSystemDirectoryEntry)) return [];
  const reader = entry.createReader();
  /** @type {Found[]} */
  const files = [];
  for (;;) { // a reader gives a hundred at a time
    const part = await new Promise((/** @type {(entries: FileSystemEntry[]) => void} */ resolve, reject) =>
      reader.readEntries(resolve, reject));
    if (!part.length) return files;
    for (const one of part) files.push(...(await within(one)));
  }
}
