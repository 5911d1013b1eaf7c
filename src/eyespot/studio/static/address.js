// What a page shows, kept in its address, so that a link shows the same to somebody else.

/** Browsers refuse to change the address more often. */
const PAUSE = 300;

let timer = 0;
/** What was written last, to tell one's own changes from links that somebody follows. */
let written = location.hash;

/** What the address says. */
export function read() {
  return new URLSearchParams(location.hash.slice(1));
}

/** Soon have the address say this. @param {URLSearchParams} state */
export function write(state) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    written = `#${state}`;
    history.replaceState(null, "", written);
  }, PAUSE);
}

/** @param {() => void} open called when another link to the same page is followed */
export function whenFollowed(open) {
  addEventListener("hashchange", ({ newURL }) => {
    const { hash } = new URL(newURL);
    if (hash === written) return;
    clearTimeout(timer);
    written = hash;
    history.replaceState(null, "", newURL); // the timer may have written over it since
    open();
  });
}
