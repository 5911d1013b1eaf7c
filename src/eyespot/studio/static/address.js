// The state of a page in its address, so that it can be shared as a link.

/** Milliseconds: browsers limit how often the address may change. */
const PAUSE = 300;

let timer = 0;

export const BROKEN = "This link is broken: ";

/** The state in the address. Throws an Error for other keys. @param {string[]} keys */
export function read(keys) {
  const state = new URLSearchParams(location.hash.slice(1));
  for (const key of state.keys()) {
    if (!keys.includes(key)) throw new Error(`${BROKEN}${key.slice(0, 30)} is unknown.`);
  }
  return state;
}

/** Write the state into the address, soon. @param {URLSearchParams} state */
export function write(state) {
  clearTimeout(timer);
  timer = setTimeout(() => history.replaceState(null, "", `#${state}`), PAUSE);
}

/** @param {() => void} open called when the user follows another link to the same page */
export function whenFollowed(open) {
  addEventListener("hashchange", ({ newURL }) => {
    clearTimeout(timer);
    history.replaceState(null, "", newURL); // a late `write` may have replaced it
    open();
  });
}
