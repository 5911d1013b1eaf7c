"use strict";
// The map of the photos. Everything else on the page works without this script.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const SHAPES = {
    circle: "M-1-0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z",
    square: "M-.9-.9h1.8v1.8h-1.8z",
    triangle: "M0-1.15L1.1 .85H-1.1z",
    diamond: "M0-1.25L1.25 0L0 1.25L-1.25 0z",
    cross: "M-.4-1.1h.8v.7h.7v.8h-.7v.7h-.8v-.7h-.7v-.8h.7z",
  };
  const plot = document.getElementById("plot");
  const data = document.getElementById("points");
  if (!plot || !data) return;
  const points = JSON.parse(data.textContent);
  const tip = document.getElementById("tip");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const colour = (hue) => `hsl(${hue} 65% ${dark.matches ? 62 : 42}%)`;
  const shape = (point, size) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", SHAPES[point.mark]);
    path.setAttribute("fill", colour(point.hue));
    if (size) path.setAttribute("transform", `scale(${size})`);
    return path;
  };
  const first = new Map();
  points.forEach((point) => { if (!first.has(point.class)) first.set(point.class, point); });
  document.querySelectorAll(".legend .mark").forEach((mark) => {
    const point = first.get(Number(mark.dataset.class));
    if (point) mark.append(shape(point, 4));
  });
  let current = -1;
  const marks = points.map((point, index) => {
    const mark = shape(point);
    mark.setAttribute("transform", `translate(${point.x * 100} ${point.y * 70})`);
    mark.setAttribute("class", point.said ? "point wrong" : "point");
    mark.setAttribute("role", "option");
    mark.setAttribute("aria-label", describe(point));
    mark.id = `point-${index}`;
    mark.addEventListener("pointerenter", () => show(index));
    mark.addEventListener("click", () => show(index));
    plot.append(mark);
    return mark;
  });
  function describe(point) {
    return `${point.name}, ${point.label}${point.said ? `, taken for ${point.said}` : ""}`;
  }
  function show(index) {
    if (current >= 0) marks[current].classList.remove("current");
    current = index;
    const point = points[index];
    marks[index].classList.add("current");
    plot.setAttribute("aria-activedescendant", `point-${index}`);
    const picture = document.createElement("img");
    picture.src = point.src;
    picture.alt = "";
    const words = document.createElement("span");
    words.textContent = describe(point);
    tip.replaceChildren(picture, words);
    tip.hidden = false;
    const box = plot.getBoundingClientRect();
    const x = ((point.x * 100 + 2) / 104) * box.width;
    const y = ((point.y * 70 + 2) / 74) * box.height;
    tip.style.left = `${Math.max(0, Math.min(x + 12, box.width - tip.offsetWidth - 4))}px`;
    tip.style.top = `${y + tip.offsetHeight + 16 > box.height ? Math.max(0, y - tip.offsetHeight - 12) : y + 12}px`;
  }
  function hide() {
    tip.hidden = true;
    if (current >= 0) marks[current].classList.remove("current");
  }
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("focus", () => { if (plot.matches(":focus-visible")) show(Math.max(0, current)); });
  plot.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hide();
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    show((current + step + points.length) % points.length);
  });
  dark.addEventListener("change", () => marks.forEach((mark, i) => mark.setAttribute("fill", colour(points[i].hue))));
})();
