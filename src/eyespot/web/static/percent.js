// Percentages, formatted as by shown.py.

/**
 * 97.3% for 0.973. Only exactly 1 and 0 give 100% and 0%: 0.9999 is >99.9%.
 * @param {number} share
 */
export function percent(share) {
  if (share === 0 || share === 1) return `${100 * share}%`;
  if (share > 0 && share < 0.0005) return "<0.1%";
  if (share >= 0.9995 && share < 1) return ">99.9%";
  return `${(100 * share).toFixed(1)}%`;
}

/**
 * 90.3–93.2% for 0.903 and 0.932.
 * @param {number} low @param {number} high
 */
export const percentInterval = (low, high) => `${percent(low).replace("%", "")}–${percent(high)}`;
