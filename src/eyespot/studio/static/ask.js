// Questions to the studio's own server.

/**
 * What the server answers, read as JSON. Throws an Error whose message a person can read.
 * @param {string} address
 * @param {RequestInit} [options]
 * @returns {Promise<any>}
 */
export async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Error("The studio does not answer. Is it still running? Start it again with: eyespot studio");
  }
  const text = await answer.text();
  if (answer.ok) return text ? JSON.parse(text) : undefined;
  let message = text;
  try {
    message = JSON.parse(text).error ?? text;
  } catch {
    // Plain text, as the guard's.
  }
  throw new Error(message);
}

/** How to send something to be read as JSON. @param {string} method @param {object} [body] @returns {RequestInit} */
export const sending = (method, body) => ({
  method,
  headers: { "Content-Type": "application/json" },
  body: body && JSON.stringify(body),
});

/**
 * Say on the page what went wrong; nothing hides it.
 * @param {HTMLElement} place an element with role "alert"
 * @param {unknown} error
 */
export function tell(place, error) {
  place.textContent = error instanceof Error ? error.message : String(error);
  place.hidden = false;
}

/**
 * The element of the page with this id.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 * @returns {T}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`There is no ${kind.name} called ${id}.`);
  return found;
}
