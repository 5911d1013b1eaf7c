// What a page shows, kept in its address, so that a link shows the same to somebody else.

/** Browsers refuse to change the address more often. */
const PAUSE = 300;

let timer = 0;

/** What the address says. */
export function read() {
  return new URLSearchParams(location.hash.slice(1));
}

/** Soon have the address say this. @param {URLSearchParams} state */
export function write(state) {
  clearTimeout(timer);
  timer = setTimeout(() => history.replaceState(null, "", `#${state}`), PAUSE);
}

/** @param {() => void} open called when another link to the same page is followed */
export function whenFollowed(open) {
  addEventListener("hashchange", ({ newURL }) => {
    clearTimeout(timer);
    history.replaceState(null, "", newURL); // what was shown may have been written over it since
    open();
  });
}
