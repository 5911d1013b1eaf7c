// Numbers as people write them; percent.js has percentages.

/** 1,387 photos; 1 photo. @param {number} number @param {string} noun @param {string} [plural] */
export const counted = (number, noun, plural = `${noun}s`) => `${number.toLocaleString("en")} ${number === 1 ? noun : plural}`;

/** Signs of print, × and −; hyphens within words stay. @param {string} text */
export const signs = (text) => text.replaceAll("*", "×").replace(/(?<![a-z])-|-(?![a-z])/gi, "−");

/** At most three digits: 0.5, −12.3. @param {number} value */
export const rounded = (value) => signs(String(Number(value.toPrecision(3))));

/** Always three digits, so that changing numbers keep their width: 0.500. @param {number} value */
export function steady(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  return signs(size < 0.0001 || size >= 100_000 ? value.toExponential(1) : value.toPrecision(3));
}

/** Three digits and a prefix: 61.1 M. @param {number} number */
export function compact(number) {
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 })
    .format(number).replace(/(\d)([KMBT])$/, (_, digit, unit) => `${digit} ${unit === "B" ? "G" : unit.replace("K", "k")}`);
}
