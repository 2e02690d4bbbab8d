// What draws three pixels: the true world of bars (vaecourse/data/bars.py), or a VAE, which can also learn.

import { erf } from "./numbers.js";

/** @typedef {{ rows: number, columns: number, weight: Float64Array, bias: Float64Array }} Linear */
/**
 * Whatever turns one or two latent numbers into three pixels. `sigma` may be changed.
 * @typedef {object} Drawer
 * @property {number} dim  how many latent numbers
 * @property {number} sigma
 * @property {(z1: number, z2: number, out?: Float64Array) => Float64Array} decode  f(z)
 */

/** @param {number} v */
export const sigmoid = (v) => 1 / (1 + Math.exp(-v));

/**
 * The process that makes the pictures.
 * @implements {Drawer}
 */
export class World {
  /** @param {{ second: "ink" | "width" | null, width: number }} kind */
  constructor({ second, width }, sigma = 0.03) {
    this.second = second;
    this.width = width;
    this.sigma = sigma;
    this.dim = second ? 2 : 1;
  }

  /** @type {Drawer["decode"]} */
  decode(z1, z2, out = new Float64Array(3)) {
    const share = this.second ? sigmoid(1.7 * z2) : 1;
    const ink = this.second === "ink" ? share : 1;
    const width = this.second === "width" ? 0.35 + 0.6 * share : this.width;
    for (let i = 0; i < 3; i++) out[i] = 0.1 + 0.8 * ink * Math.exp(-0.5 * ((1.5 * z1 + 1 - i) / width) ** 2);
    return out;
  }
}

/** Linear layers with a GELU between each two: forwards, and backwards to the slopes of a loss. */
export class Net {
  /** @param {Linear[]} layers */
  constructor(layers) {
    this.layers = layers;
    /** the slopes of the loss, of the same shape as the weights */
    this.slopes = layers.map(({ weight, bias }) => (
      { weight: new Float64Array(weight.length), bias: new Float64Array(bias.length) }));
    /** @type {Float64Array[]} what went into each layer at the last `forward`, and what it gave before the GELU */
    this.inputs = [];
    /** @type {Float64Array[]} */
    this.sums = [];
  }

  /**
   * The outputs for `count` inputs in a row. They are overwritten by the next call.
   * @param {Float64Array} input
   * @param {number} count
   */
  forward(input, count) {
    const last = this.layers.length - 1;
    let now = input;
    for (const [i, { rows, columns, weight, bias }] of this.layers.entries()) {
      if (this.sums[i]?.length !== count * rows) this.sums[i] = new Float64Array(count * rows);
      const sums = this.sums[i];
      for (let n = 0; n < count; n++) {
        for (let row = 0; row < rows; row++) {
          let sum = bias[row];
          for (let k = 0; k < columns; k++) sum += weight[row * columns + k] * now[n * columns + k];
          sums[n * rows + row] = sum;
        }
      }
      this.inputs[i] = now;
      if (i === last) return sums;
      if (this.inputs[i + 1]?.length !== sums.length) this.inputs[i + 1] = new Float64Array(sums.length);
      now = this.inputs[i + 1];
      for (let k = 0; k < sums.length; k++) now[k] = 0.5 * sums[k] * (1 + erf(sums[k] * Math.SQRT1_2));
    }
    return now;
  }

  /**
   * From the slopes of a loss with respect to the last outputs to those of all weights, and of the inputs: the chain
   * rule, layer by layer from the last.
   * @param {Float64Array} slope  overwritten
   * @param {number} count
   */
  backward(slope, count) {
    for (let i = this.layers.length - 1; i >= 0; i--) {
      const { rows, columns, weight } = this.layers[i];
      const into = this.inputs[i];
      const { weight: dWeight, bias: dBias } = this.slopes[i];
      const before = new Float64Array(count * columns);
      dWeight.fill(0);
      dBias.fill(0);
      for (let n = 0; n < count; n++) {
        for (let row = 0; row < rows; row++) {
          const d = slope[n * rows + row];
          dBias[row] += d;
          for (let k = 0; k < columns; k++) {
            dWeight[row * columns + k] += d * into[n * columns + k];
            before[n * columns + k] += d * weight[row * columns + k];
          }
        }
      }
      if (i > 0) { // the slope of GELU(v) = v Φ(v) is Φ(v) + v φ(v)
        const sums = this.sums[i - 1];
        for (let k = 0; k < sums.length; k++) {
          const v = sums[k];
          before[k] *= 0.5 * (1 + erf(v * Math.SQRT1_2)) + (v * Math.exp(-0.5 * v * v)) / Math.sqrt(2 * Math.PI);
        }
      }
      slope = before;
    }
    return slope;
  }
}

/**
 * The layers of a network in a safetensors file, such as "decoder".
 * @param {Map<string, Tensor>} tensors
 * @param {string} name
 */
export function readNet(tensors, name) {
  const layers = [];
  for (let i = 0; tensors.has(`${name}.net.${i}.weight`); i += 2) {
    const weight = /** @type {Tensor} */ (tensors.get(`${name}.net.${i}.weight`));
    const bias = /** @type {Tensor} */ (tensors.get(`${name}.net.${i}.bias`));
    const [rows, columns] = weight.shape;
    layers.push({ rows, columns, weight: Float64Array.from(weight.data), bias: Float64Array.from(bias.data) });
  }
  if (!layers.length) throw new Error(`The weights hold no ${name}.`);
  return new Net(layers);
}

/**
 * A VAE of three pixels: z ~ N(0, I), x ~ N(f(z), sigma²), and the guess Q(z|x).
 * @implements {Drawer}
 */
export class SmallVae {
  /**
   * @param {Net} encoder
   * @param {Net} decoder
   * @param {number} sigma
   */
  constructor(encoder, decoder, sigma) {
    this.encoder = encoder;
    this.decoder = decoder;
    this.sigma = sigma;
    this.dim = decoder.layers[0].columns;
    this.z = new Float64Array(this.dim);
  }

  /** @type {Drawer["decode"]} */
  decode(z1, z2, out = new Float64Array(3)) {
    this.z[0] = z1;
    if (this.dim === 2) this.z[1] = z2;
    const logits = this.decoder.forward(this.z, 1);
    for (let i = 0; i < 3; i++) out[i] = sigmoid(logits[i]);
    return out;
  }

  /**
   * Q(z|x) of `count` pictures in a row: means and standard deviations, in rows of `dim`.
   * @param {Float64Array} x
   * @param {number} count
   */
  encode(x, count) {
    const out = this.encoder.forward(x, count);
    const { dim } = this;
    const mean = new Float64Array(count * dim), sd = new Float64Array(count * dim);
    for (let n = 0; n < count; n++) {
      for (let k = 0; k < dim; k++) {
        mean[n * dim + k] = out[2 * n * dim + k];
        sd[n * dim + k] = Math.max(1e-12, sigmoid(out[(2 * n + 1) * dim + k]));
      }
    }
    return { mean, sd };
  }
}
