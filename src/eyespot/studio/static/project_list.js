// The list of a room's projects, and its trash.

import { ask } from "./ask.js";
import { byId, make, makeButton, tell } from "./dom.js";
import { counted } from "./numbers.js";

/** @typedef {{id: string, name: string, photos: number, classes: number, changed: number}} Info */

export class ProjectList {
  /** @param {string} path of the projects on the server @param {HTMLElement} problem where errors are shown @param {boolean} canDuplicate */
  constructor(path, problem, canDuplicate) {
    this.path = path;
    this.problem = problem;
    this.canDuplicate = canDuplicate;
  }

  async show() {
    try {
      const { projects, deleted } = /** @type {{projects: Info[], deleted: Info[]}} */ (await ask(this.path));
      byId("projects", HTMLElement).replaceChildren(...projects.map((info) => this.item(info, false)));
      byId("deleted", HTMLElement).replaceChildren(...deleted.map((info) => this.item(info, true)));
      byId("none", HTMLElement).hidden = projects.length > 0;
      byId("trash", HTMLElement).hidden = deleted.length === 0;
      this.problem.hidden = true;
    } catch (error) {
      tell(this.problem, error);
    }
  }

  /** @param {Info} info @param {boolean} isDeleted */
  item(info, isDeleted) {
    const path = `${this.path}/${info.id}`;
    const photos = `${counted(info.classes, "class", "classes")}, ${counted(info.photos, "photo")}`;
    const button = (/** @type {string} */ text, /** @type {string} */ address, method = "POST") => makeButton(text, async () => {
      try {
        await ask(address, { method });
        await this.show();
      } catch (error) {
        tell(this.problem, error);
      }
    });
    const actions = isDeleted ? [button("Restore", `${path}/restore`)] : [
      ...(this.canDuplicate ? [button("Duplicate", `${path}/duplicate`)] : []),
      button("Delete", path, "DELETE"),
    ];
    return make("li", {},
      isDeleted ? make("span", { textContent: info.name }) : make("a", { textContent: info.name, href: `#${info.id}` }),
      make("span", { className: "note", textContent: `${photos}, changed ${new Date(1000 * info.changed).toLocaleString()}` }),
      ...actions);
  }
}
