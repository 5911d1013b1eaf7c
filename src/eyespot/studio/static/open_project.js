// A project that is open on a page: it shows every change, and sends those of the user.

import { ask, sending } from "./ask.js";
import { tell } from "./dom.js";

/** Milliseconds until a lost studio is retried. */
export const RETRY = 2000;
/** Milliseconds between two states: the server reports progress more often. */
const PAUSE = 200;

/**
 * The server leaves out the part of a state that the page has already.
 * @template {{number: number, version: number}} S
 */
export class OpenProject {
  /** @param {string} path of the server @param {HTMLElement} problem where errors are shown */
  constructor(path, problem) {
    this.path = path;
    this.problem = problem;
    /** @type {S | undefined} */
    this.state = undefined;
    this.isOpen = true;
    this.ending = new AbortController();
  }

  close() {
    this.isOpen = false;
    this.ending.abort();
  }

  /** Show a state. @param {S} _ @returns {void | Promise<void>} */
  show(_) {}

  /** Show every change, also those of other tabs, while the project is open. */
  async follow() {
    let isLost = false;
    while (this.isOpen) {
      const { number = -1, version = -1 } = isLost ? {} : this.state ?? {};
      try {
        const news = /** @type {Partial<S>} */ (await ask(`${this.path}?seen=${number}&version=${version}`, { signal: this.ending.signal }));
        if (!this.isOpen) return;
        if (isLost) this.problem.hidden = true;
        isLost = false;
        await this.show(/** @type {S} */ ({ ...this.state, ...news }));
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      } catch (error) {
        if (!this.isOpen) return;
        isLost = true;
        tell(this.problem, error);
        await new Promise((resolve) => setTimeout(resolve, RETRY));
      }
    }
  }

  /** @param {string} path below the project @param {string} method @param {object} [body] */
  async change(path, method, body) {
    try {
      await ask(this.path + path, sending(method, body));
      this.problem.hidden = true;
    } catch (error) {
      tell(this.problem, error);
      throw error;
    }
  }
}
