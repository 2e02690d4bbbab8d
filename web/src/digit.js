// A drawing laid out as MNIST's digits were: fitted into 20 × 20 pixels, its centre of mass in the middle of 28 × 28.

const SIDE = 28;
const BOX = 20;

/**
 * Sums of all ink above and to the left, so that the ink in any rectangle is four look-ups.
 * @param {Numbers} ink
 * @param {number} width
 * @param {number} height
 */
function summedArea(ink, width, height) {
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0, row = 0; x < width; x++) {
      row += ink[y * width + x];
      sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
    }
  }
  return sums;
}

/**
 * The table of sums at a place between its entries (bilinear), held at its borders.
 * @param {Numbers} sums
 * @param {number} width
 * @param {number} height
 * @param {number} x
 * @param {number} y
 */
function sumAt(sums, width, height, x, y) {
  x = Math.min(width, Math.max(0, x));
  y = Math.min(height, Math.max(0, y));
  const c = Math.min(width - 1, Math.floor(x)), r = Math.min(height - 1, Math.floor(y));
  const u = x - c, v = y - r, w = width + 1;
  const top = sums[r * w + c] * (1 - u) + sums[r * w + c + 1] * u;
  const bottom = sums[(r + 1) * w + c] * (1 - u) + sums[(r + 1) * w + c + 1] * u;
  return top * (1 - v) + bottom * v;
}

/**
 * Where the ink is: its bounding box and its centre of mass, in pixels; null when there is none.
 * @param {Numbers} ink
 * @param {number} width
 * @param {number} height
 */
export function extentOfInk(ink, width, height) {
  let left = width, right = -1, top = height, bottom = -1, mass = 0, mx = 0, my = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = ink[y * width + x];
      if (value <= 0) continue;
      left = Math.min(left, x); right = Math.max(right, x);
      top = Math.min(top, y); bottom = Math.max(bottom, y);
      mass += value; mx += value * (x + 0.5); my += value * (y + 0.5);
    }
  }
  return mass ? { width: right - left + 1, height: bottom - top + 1, x: mx / mass, y: my / mass } : null;
}

/**
 * The drawing as a 28 × 28 picture, 0 = paper, 1 = ink (LeCun et al., 1998, section III.A).
 * @param {Numbers} ink  rows of values in [0, 1]
 * @param {number} width
 * @param {number} height
 * @returns {Float64Array | null} null when nothing is drawn
 */
export function layOut(ink, width, height) {
  const found = extentOfInk(ink, width, height);
  if (!found) return null;
  const scale = Math.max(found.width, found.height) / BOX; // pixels of the pad in one of the picture's
  const sums = summedArea(ink, width, height);
  const out = new Float64Array(SIDE * SIDE);
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      const x0 = found.x + (column - SIDE / 2) * scale, y0 = found.y + (row - SIDE / 2) * scale;
      const x1 = x0 + scale, y1 = y0 + scale;
      const inside = sumAt(sums, width, height, x1, y1) - sumAt(sums, width, height, x0, y1)
        - sumAt(sums, width, height, x1, y0) + sumAt(sums, width, height, x0, y0);
      out[row * SIDE + column] = Math.min(1, Math.max(0, inside / scale ** 2));
    }
  }
  return out;
}

/**
 * The picture turned by half a turn: upside down.
 * @param {Numbers} x
 */
export function upsideDown(x) {
  return Float64Array.from(x).reverse();
}
