// Elements of a page: found by id, made, filled with errors.

/**
 * The element of the page with this id.
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} with the id ${id}.`);
  return found;
}

/**
 * A new element with these properties and children.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name @param {Partial<HTMLElementTagNameMap[NoInfer<K>]>} [properties] @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** A button that does `act`. @param {string} text @param {() => unknown} act */
export function makeButton(text, act) {
  const button = make("button", { type: "button", textContent: text });
  button.addEventListener("click", act);
  return button;
}

/**
 * Show an error on the page; it stays until the next success.
 * @param {HTMLElement} place an element with role "alert"
 * @param {unknown} error
 */
export function tell(place, error) {
  place.textContent = error instanceof Error ? error.message : String(error);
  place.classList.remove("note");
  place.hidden = false;
}

/** Tell what went well, and is good to know. @param {HTMLElement} place as of `tell` @param {string} message */
export function note(place, message) {
  tell(place, message);
  place.classList.add("note");
}
