// What of the plane is seen: the arithmetic of a zoom, without a page.

/** @typedef {{ middle: Pair, half: number }} View  the code in the middle, and half the width that is seen */

const LEAST = 0.05; // half the smallest width: some five times the standard deviation of the narrowest posteriors

/**
 * The largest of … 0.1, 0.2, 0.5, 1, 2, 5 … that is no larger than a value.
 * @param {number} value
 */
function round(value) {
  const ten = 10 ** Math.floor(Math.log10(value) + 1e-9);
  return ten * (value / ten >= 4.999 ? 5 : value / ten >= 1.999 ? 2 : 1);
}

/** How many digits after the point show a multiple of a step. @param {number} step */
export const digitsOf = (step) => Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));

/** In what steps a coordinate is rounded: a hundredth, or finer where so little is seen that this would show. */
export const finest = (/** @type {number} */ half) => 1 / 10 ** Math.max(2, Math.ceil(Math.log10(200 / half) - 1e-9));

/** How far an arrow key leads where such a share of the plane's width is seen. */
export const strideOf = (/** @type {number} */ share) => round(0.05 * share);

/**
 * The numbers along an axis.
 * @param {number} low
 * @param {number} high
 */
export function ticks(low, high) {
  const step = round((high - low) / 2.5), first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return { digits: digitsOf(step), values: Array.from({ length: count }, (_, i) => (first + i) * step) };
}

/**
 * Where a code is seen: shares of the way from the left, and from the top.
 * @param {View} view
 * @param {Pair} z
 * @returns {Pair}
 */
export function shareOf({ middle, half }, [z1, z2]) {
  return [(1 + (z1 - middle[0]) / half) / 2, (1 - (z2 - middle[1]) / half) / 2];
}

/**
 * The code that is seen there.
 * @param {View} view
 * @param {Pair} share
 * @returns {Pair}
 */
export function codeAt({ middle, half }, [right, down]) {
  return [middle[0] + half * (2 * right - 1), middle[1] + half * (1 - 2 * down)];
}

/**
 * The view of a width in which a code is seen at a place, as far as the plane's edges let it.
 * @param {Pair} z
 * @param {Pair} share
 * @param {number} half
 * @param {number} extent
 * @returns {View}
 */
export function viewWith([z1, z2], [right, down], half, extent) {
  const seen = Math.min(extent, Math.max(LEAST, half)), room = extent - seen;
  /** @param {number} c */
  const kept = (c) => Math.min(room, Math.max(-room, c));
  return { middle: [kept(z1 - seen * (2 * right - 1)), kept(z2 - seen * (1 - 2 * down))], half: seen };
}

/**
 * The view moved, if need be, so that a code is seen.
 * @param {View} view
 * @param {Pair} z
 * @param {number} extent
 */
export function showing(view, z, extent) {
  const share = /** @type {Pair} */ (shareOf(view, z).map((s) => Math.min(1, Math.max(0, s))));
  return viewWith(z, share, view.half, extent);
}
