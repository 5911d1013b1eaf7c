// Upload of photo files to the classes of a project.

import { byId } from "./dom.js";
import { counted } from "./numbers.js";

/** Uploads at the same time. */
const PARALLEL = 3;
/** Failures that are listed. */
const MAX_LISTED = 5;

/**
 * A project that takes photos; one of Boxes has no classes of photos.
 * @typedef {{isOpen: boolean, add: (classId: string, file: File, name: string) =>
 *   Promise<{existing: number, skipped: {name: string, reason: string}[]}>}} Target
 */

/**
 * Upload files; return why some were not added.
 * @param {Target} project @param {{classId: string, file: File}[]} files
 * @returns {Promise<string[]>}
 */
export async function upload(project, files) {
  /** @type {string[]} */
  const failed = [];
  let next = 0, existing = 0;
  const status = byId("status", HTMLElement);
  const work = async () => {
    while (next < files.length && project.isOpen) {
      const { classId, file } = files[next++];
      status.textContent = `Adding ${next} of ${files.length} …`;
      try {
        const added = await project.add(classId, file, file.name);
        existing += added.existing;
        for (const one of added.skipped) failed.push(`${one.name}: ${one.reason}`);
      } catch (error) {
        failed.push(`${file.name}: ${error instanceof Error ? error.message : error}`);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  const more = failed.length > MAX_LISTED ? [`and ${failed.length - MAX_LISTED} more`] : [];
  const duplicates = existing ? [counted(existing, "exact duplicate")] : [];
  return [...failed.slice(0, MAX_LISTED), ...more, ...duplicates];
}
