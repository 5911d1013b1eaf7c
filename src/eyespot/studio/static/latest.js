// Requests that follow each other faster than answers arrive: only the last one counts.

import { ask, sending } from "./ask.js";

/** A function that posts to `path`. It returns undefined where a later request followed.
 * @param {string} path */
export function latest(path) {
  let sent = 0;
  /** @param {object} body @returns {Promise<any>} */
  return async (body) => {
    const number = ++sent;
    try {
      const answer = await ask(path, sending("POST", body));
      return number === sent ? answer : undefined;
    } catch (error) {
      if (number === sent) throw error;
      return undefined;
    }
  };
}
