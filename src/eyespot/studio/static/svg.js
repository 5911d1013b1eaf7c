// Elements of SVG drawings.

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with attributes. @param {string} name @param {Record<string, string | number>} [attributes] @param {(Element | string)[]} children */
export function draw(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return /** @type {SVGElement} */ (element);
}
