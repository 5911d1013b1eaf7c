// Questions that follow each other faster than answers come: only the last one matters.

import { ask, sending } from "./ask.js";

/** Something that asks the server's `path`. Undefined is the answer to a question after which
 * another one was asked.
 * @param {string} path */
export function latest(path) {
  let asked = 0;
  /** @param {object} question @returns {Promise<any>} */
  return async (question) => {
    const number = ++asked;
    try {
      const answer = await ask(path, sending("POST", question));
      return number === asked ? answer : undefined;
    } catch (error) {
      if (number === asked) throw error;
      return undefined;
    }
  };
}
