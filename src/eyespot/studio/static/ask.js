// Requests to the studio's server.

/** The message when the server cannot be reached. */
export const OFFLINE = "The studio does not answer. Is it still running? Start it again with: eyespot studio";

/** The studio is gone, or was started again with another key: the same request may succeed later. */
export class Lost extends Error {}

/**
 * The server's answer, read as JSON. Throws Lost, or another Error with a message for the user.
 * @param {string} address
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
export async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Lost(OFFLINE);
  }
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : undefined;
  let message = text;
  try {
    message = JSON.parse(text).error ?? text;
  } catch {
    // Plain text, from the guard.
  }
  throw answer.status === 403 ? new Lost(message) : new Error(message);
}

/** Options to send a body as JSON. @param {string} method @param {object} [body] @returns {RequestInit} */
export const sending = (method, body) => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: body && JSON.stringify(body),
});

/**
 * A function that posts to `path`, for requests that follow each other faster than answers arrive:
 * it returns undefined where a later request followed.
 * @param {string} path
 */
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
