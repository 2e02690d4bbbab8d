// The decoder that moves pixels (vaecourse/views.py) in the browser: a code becomes flow fields and a mask, and those
// warp and blend two photographs.

import { tensor } from "./model.js";
import { gelu } from "./numbers.js";

/**
 * Output of a transposed convolution, kernel 4, stride 2, padding 1: (channels, side, side) to twice the side.
 * @param {Numbers} input
 * @param {number} side
 * @param {Tensor} weights
 * @param {Tensor} biases
 */
function widen(input, side, { shape: [channels, outs], data: weight }, { data: bias }) {
  const wide = 2 * side;
  const out = new Float64Array(outs * wide * wide).map((_, i) => bias[Math.floor(i / (wide * wide))]);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const v = input[(c * side + y) * side + x];
        for (let o = 0; o < outs; o++) {
          const kernel = 16 * (c * outs + o);
          for (let j = Math.max(0, 1 - 2 * y); j < Math.min(4, wide + 1 - 2 * y); j++) {
            const row = (o * wide + 2 * y - 1 + j) * wide - 1 + 2 * x;
            for (let i = Math.max(0, 1 - 2 * x); i < Math.min(4, wide + 1 - 2 * x); i++) {
              out[row + i] += v * weight[kernel + 4 * j + i];
            }
          }
        }
      }
    }
  }
  return out;
}

/**
 * Output of a convolution, kernel 3, padding 1.
 * @param {Numbers} input
 * @param {number} side
 * @param {Tensor} weights
 * @param {Tensor} biases
 */
function convolve(input, side, { shape: [outs, channels], data: weight }, { data: bias }) {
  const out = new Float64Array(outs * side * side);
  for (let o = 0; o < outs; o++) {
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        let sum = bias[o];
        for (let c = 0; c < channels; c++) {
          for (let j = Math.max(0, 1 - y); j < Math.min(3, side + 1 - y); j++) {
            const row = (c * side + y + j - 1) * side + x - 1;
            const kernel = 9 * (o * channels + c) + 3 * j;
            const end = Math.min(3, side + 1 - x);
            for (let i = Math.max(0, 1 - x); i < end; i++) sum += input[row + i] * weight[kernel + i];
          }
        }
        out[(o * side + y) * side + x] = sum;
      }
    }
  }
  return out;
}

/**
 * A code (latent_dim numbers) as flow fields and mask: 5 × 16 × 16 numbers.
 * @param {Map<string, Tensor>} tensors
 * @param {Numbers} z
 */
export function fieldsOf(tensors, z) {
  /**
   * @param {number} i
   * @returns {[Tensor, Tensor]}
   */
  const layer = (i) => [tensor(tensors, `fields.${i}.weight`), tensor(tensors, `fields.${i}.bias`)];
  const [{ shape: [rows, columns], data: weight }, { data: bias }] = layer(0);
  let hidden = Float64Array.from({ length: rows }, (_, row) => {
    let sum = bias[row];
    for (let k = 0; k < columns; k++) sum += weight[row * columns + k] * z[k];
    return gelu(sum);
  });
  hidden = widen(hidden, 4, ...layer(3)).map(gelu);
  hidden = widen(hidden, 8, ...layer(5)).map(gelu);
  return convolve(hidden, 16, ...layer(7));
}

/**
 * The value of a field with 16 cells a side at a place between cells; beyond the field lies its edge.
 * @param {Numbers} values
 * @param {number} start  where the field begins among them
 * @param {number} x
 * @param {number} y
 */
function between(values, start, x, y) {
  const left = Math.floor(x), top = Math.floor(y);
  let sum = 0;
  for (const [i, j] of [[left, top], [left + 1, top], [left, top + 1], [left + 1, top + 1]]) {
    const share = (1 - Math.abs(x - i)) * (1 - Math.abs(y - j));
    sum += share * values[start + Math.min(15, Math.max(0, j)) * 16 + Math.min(15, Math.max(0, i))];
  }
  return sum;
}

/**
 * Weight of a pixel at distance d in cubic convolution (Keys, 1981), with the a = -0.75 that PyTorch takes.
 * @param {number} d
 */
function keys(d) {
  const a = -0.75;
  d = Math.abs(d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/**
 * The value of a picture with `side` pixels a side at a place between pixels; beyond it lies black.
 * @param {Numbers} photo
 * @param {number} side
 * @param {number} x
 * @param {number} y
 */
function pixelAt(photo, side, x, y) {
  const left = Math.floor(x) - 1, top = Math.floor(y) - 1;
  let sum = 0;
  for (let j = Math.max(0, top); j < Math.min(side, top + 4); j++) {
    let across = 0;
    for (let i = Math.max(0, left); i < Math.min(side, left + 4); i++) across += keys(x - i) * photo[j * side + i];
    sum += keys(y - j) * across;
  }
  return sum;
}

/**
 * The view at share t (0 to 1, without the ends) of the way from the left photograph to the right one.
 * @param {Float64Array} fields  what fieldsOf makes of the code
 * @param {Numbers} left  side × side grey levels
 * @param {Numbers} right  likewise
 * @param {number} side
 * @param {number} t
 */
export function moved(fields, left, right, side, t) {
  const out = new Float64Array(side * side);
  const odds = Math.log((1 - t) / t);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [column, row].map((k) => Math.max(0, ((k + 0.5) * 16) / side - 0.5));
      const [vlx, vly, vrx, vry, b] = [0, 1, 2, 3, 4].map((k) => between(fields, 256 * k, x, y));
      const mask = 1 / (1 + Math.exp(-b - odds));
      const [near, far] = [(t * side) / 2, ((1 - t) * side) / 2];
      const grey = mask * pixelAt(left, side, column + near * vlx, row + near * vly)
        + (1 - mask) * pixelAt(right, side, column + far * vrx, row + far * vry);
      out[row * side + column] = Math.min(1, Math.max(0, grey)); // cubics overshoot a little
    }
  }
  return out;
}
