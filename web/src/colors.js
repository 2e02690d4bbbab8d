// The colours of the book's figures (vaecourse.plots): ten classes, and one map for densities. What is computed is
// marked as pure, so that a bundle which paints nothing goes without.

/** Petroff's ten colours, made for colour-blind readers, so ordered that digits which mix are far apart in colour. */
const CLASSES = [
  "#ffa90e", "#a96b59", "#92dadd", "#3f90da", "#e76300", "#b9ac70", "#717581", "#94a4a2", "#bd1f01", "#832db6",
];

/** Nine stops of Matplotlib's viridis. */
const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];

/** @param {string} hex */
const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
const STOPS = /* @__PURE__ */ VIRIDIS.map(channels);

export const VIRIDIS_CSS = /* @__PURE__ */ (() => `linear-gradient(to right, ${VIRIDIS.join(", ")})`)();

/** @param {number} label */
export function classColor(label) {
  return CLASSES[label % CLASSES.length];
}

/**
 * Viridis at t in [0, 1], as red, green and blue of 0 to 255.
 * @param {number} t
 */
export function viridis(t) {
  const at = Math.min(1, Math.max(0, t)) * (STOPS.length - 1);
  const i = Math.min(STOPS.length - 2, Math.floor(at));
  return STOPS[i].map((low, channel) => low + (at - i) * (STOPS[i + 1][channel] - low));
}
