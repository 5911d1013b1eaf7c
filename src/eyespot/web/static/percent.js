// Shares and probabilities as people read them; evaluation/percent.py is the same for Python.

/**
 * 97.3% for 0.973. All and nothing are said of exactly 1 and 0 alone: 0.9999 is >99.9%.
 * @param {number} share
 */
export function percent(share) {
  if (share === 0 || share === 1) return `${100 * share}%`;
  if (share > 0 && share < 0.0005) return "<0.1%";
  if (share >= 0.9995 && share < 1) return ">99.9%";
  return `${(100 * share).toFixed(1)}%`;
}
