"use strict";
// The map of photos: the photo of a dot, zoom, keys. The rest of the page needs no script.
(() => {
  const plot = document.getElementById("plot");
  const data = document.getElementById("points");
  if (!plot || !data) return;
  const points = JSON.parse(data.textContent);
  const count = points.x.length;
  const tip = document.getElementById("tip");
  const here = document.getElementById("here");
  const WHOLE = { x: -20, y: -20, width: 1040, height: 740 };
  const CLOSEST = 65; // smallest width of the view: a sixteenth of the map
  const NEAR = 24; // pixels around a dot in which it can be pointed at
  let view = { ...WHOLE };
  let current = -1;

  plot.setAttribute("role", "application");
  plot.setAttribute("tabindex", "0");
  plot.setAttribute("aria-label", `Map of ${count} photos. Arrow keys go from photo to photo, plus and minus zoom, 0 shows all.`);
  document.querySelector(".zoom").hidden = false;

  function describe(index) {
    const names = points.layers.map((layer) => layer.names[layer.of[index]]);
    return [points.name[index], ...names, points.note[index]].filter(Boolean).join(", ");
  }
  function show(index) {
    current = index;
    const x = points.x[index], y = points.y[index];
    here.setAttribute("d", `M${x} ${y}h0`);
    const text = document.createElement("span");
    text.textContent = describe(index);
    tip.replaceChildren(text);
    if (points.thumbnail[index]) {
      const image = document.createElement("img");
      image.src = points.thumbnail[index];
      image.alt = "";
      tip.prepend(image);
    }
    tip.hidden = false;
    const box = plot.getBoundingClientRect();
    const left = ((x - view.x) / view.width) * box.width;
    const top = ((y - view.y) / view.height) * box.height;
    tip.style.left = `${Math.max(0, Math.min(left + 14, box.width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${top + tip.offsetHeight + 18 > box.height ? Math.max(0, top - tip.offsetHeight - 14) : top + 14}px`;
  }
  function hide() {
    tip.hidden = true;
    here.setAttribute("d", "");
  }
  function look(x, y, width) {
    const size = Math.min(WHOLE.width, Math.max(CLOSEST, width));
    const height = (size * WHOLE.height) / WHOLE.width;
    view = {
      x: Math.max(WHOLE.x, Math.min(x - size / 2, WHOLE.x + WHOLE.width - size)),
      y: Math.max(WHOLE.y, Math.min(y - height / 2, WHOLE.y + WHOLE.height - height)),
      width: size,
      height,
    };
    plot.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
    plot.style.touchAction = size < WHOLE.width ? "none" : "";
    if (!tip.hidden && current >= 0) show(current);
  }
  function zoom(factor) {
    const kept = !tip.hidden && current >= 0;
    const x = kept ? points.x[current] : view.x + view.width / 2;
    const y = kept ? points.y[current] : view.y + view.height / 2;
    look(x, y, view.width * factor);
  }
  function at(event) {
    const box = plot.getBoundingClientRect();
    return {
      x: view.x + ((event.clientX - box.left) / box.width) * view.width,
      y: view.y + ((event.clientY - box.top) / box.height) * view.height,
      near: (NEAR / box.width) * view.width,
    };
  }
  function nearest(x, y, within) {
    let best = -1, least = within * within;
    for (let i = 0; i < count; i++) {
      const apart = (points.x[i] - x) ** 2 + (points.y[i] - y) ** 2;
      if (apart <= least) [best, least] = [i, apart];
    }
    return best;
  }
  // The nearest photo in a direction; distance across the direction counts twice.
  function step(dx, dy) {
    if (current < 0) return nearest(view.x + view.width / 2, view.y + view.height / 2, Infinity);
    let best = -1, least = Infinity;
    for (let i = 0; i < count; i++) {
      const x = points.x[i] - points.x[current], y = points.y[i] - points.y[current];
      const along = x * dx + y * dy, aside = Math.abs(x * dy) + Math.abs(y * dx);
      if (along > 0 && aside <= 2 * along && along + 2 * aside < least) [best, least] = [i, along + 2 * aside];
    }
    return best < 0 ? current : best;
  }

  let grip = null;
  plot.addEventListener("pointerdown", (event) => {
    if (view.width < WHOLE.width) grip = { ...at(event), id: event.pointerId };
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    const place = at(event);
    if (grip && grip.id === event.pointerId) {
      hide();
      look(view.x + view.width / 2 + grip.x - place.x, view.y + view.height / 2 + grip.y - place.y, view.width);
      return;
    }
    const found = nearest(place.x, place.y, place.near);
    if (found < 0) hide();
    else if (found !== current || tip.hidden) show(found);
  });
  plot.addEventListener("pointerup", () => { grip = null; });
  plot.addEventListener("pointercancel", () => { grip = null; });
  plot.addEventListener("click", (event) => {
    const place = at(event);
    const found = nearest(place.x, place.y, place.near);
    if (found >= 0) show(found);
  });
  plot.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hide(); });
  plot.addEventListener("blur", hide);
  plot.addEventListener("focus", () => { if (plot.matches(":focus-visible")) show(current < 0 ? step(0, 0) : current); });
  plot.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // a plain wheel scrolls the page; pinching comes with ctrl
    event.preventDefault();
    zoom(event.deltaY < 0 ? 0.8 : 1.25);
  }, { passive: false });
  plot.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (direction) {
      const next = step(...direction);
      const x = points.x[next], y = points.y[next];
      const seen = x >= view.x && x <= view.x + view.width && y >= view.y && y <= view.y + view.height;
      if (!seen) look(x, y, view.width);
      show(next);
    } else if (event.key === "+" || event.key === "=") zoom(0.5);
    else if (event.key === "-") zoom(2);
    else if (event.key === "0") look(500, 350, WHOLE.width);
    else if (event.key === "Escape") hide();
    else return;
    event.preventDefault();
  });
  document.getElementById("closer").addEventListener("click", () => zoom(0.5));
  document.getElementById("farther").addEventListener("click", () => zoom(2));
  document.getElementById("whole").addEventListener("click", () => look(500, 350, WHOLE.width));
})();
