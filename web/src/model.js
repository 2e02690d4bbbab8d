// The VAE in the browser: the same safetensors file, the same layers, the same numbers as in Python.

import { gelu, halfToFloat, toBytes } from "./numbers.js";

/** @typedef {{ dtype: string, shape: number[], data_offsets: Pair }} Entry  a tensor in a file's header */

/** Bytes of a number, by the types that a page reads. */
const WIDTHS = new Map([["F16", 2], ["F32", 4]]);

/**
 * Reads a safetensors file: 8 bytes of header length, a JSON header, then the numbers.
 * @param {Bytes} data
 * @returns {{ tensors: Map<string, Tensor>, meta: { config?: { latent_dim: number, image_shape: Pair } } }}
 */
export function readSafetensors(data) {
  const bytes = toBytes(data);
  const view = new DataView(bytes.buffer);
  if (bytes.length < 8) throw new Error("The weights are empty.");
  const length = Number(view.getBigUint64(0, true));
  if (length > bytes.length - 8) throw new Error("The weights are cut short.");
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const tensors = new Map();
  /** @type {{ __metadata__?: { meta: string } } & Record<string, Entry>} */
  const { __metadata__: notes, ...entries } = header;
  for (const [name, { dtype, shape, data_offsets: [start, end] }] of Object.entries(entries)) {
    const width = WIDTHS.get(dtype);
    if (!width) throw new Error(`The weights are of type ${dtype}; the page reads F16 and F32.`);
    const at = 8 + length + start;
    if (8 + length + end > bytes.length) throw new Error("The weights are cut short.");
    const numbers = new Float32Array((end - start) / width);
    if (width === 4) new Uint8Array(numbers.buffer).set(bytes.subarray(at, 8 + length + end)); // little-endian, both
    for (let i = 0; i < numbers.length; i++) {
      if (width === 2) numbers[i] = halfToFloat(view.getUint16(at + 2 * i, true));
      if (!Number.isFinite(numbers[i])) throw new Error(`The weights hold a number that is not finite, in ${name}.`);
    }
    tensors.set(name, { shape, data: numbers });
  }
  return { tensors, meta: JSON.parse(notes?.meta ?? "{}") };
}

/**
 * One of a file's tensors. Throws where it is missing.
 * @param {Map<string, Tensor>} tensors
 * @param {string} name
 */
export function tensor(tensors, name) {
  const found = tensors.get(name);
  if (!found) throw new Error(`The weights hold no ${name}.`);
  return found;
}

/** Linear layers with a GELU between each two and none at the end. */
export class Mlp {
  /**
   * @param {Map<string, Tensor>} tensors
   * @param {string} name
   */
  constructor(tensors, name) {
    /** @type {{ rows: number, columns: number, weight: Float32Array, bias: Float32Array, out: Float64Array }[]} */
    this.layers = [];
    for (let i = 0; tensors.has(`${name}.net.${i}.weight`); i += 2) {
      const { shape: [rows, columns], data: weight } = tensor(tensors, `${name}.net.${i}.weight`);
      const bias = tensor(tensors, `${name}.net.${i}.bias`).data;
      this.layers.push({ rows, columns, weight, bias, out: new Float64Array(rows) });
    }
    if (!this.layers.length) throw new Error(`The weights hold no ${name}.`);
    this.out = this.layers[this.layers.length - 1].out;
  }

  /**
   * The output for one input. It is overwritten by the next call.
   * @param {Numbers} input
   */
  forward(input) {
    for (const [i, layer] of this.layers.entries()) {
      const { rows, columns, weight, bias, out } = layer;
      for (let row = 0; row < rows; row += 4) { // four rows at once: each input is fetched once for all
        const p = row * columns, q = p + columns, r = q + columns, s = r + columns;
        let a = bias[row], b = bias[row + 1], c = bias[row + 2], d = bias[row + 3];
        for (let k = 0; k < columns; k++) {
          const v = input[k];
          a += weight[p + k] * v;
          b += weight[q + k] * v;
          c += weight[r + k] * v;
          d += weight[s + k] * v;
        }
        out[row] = a; out[row + 1] = b; out[row + 2] = c; out[row + 3] = d;
      }
      if (i < this.layers.length - 1) for (let row = 0; row < rows; row++) out[row] = gelu(out[row]);
      input = out;
    }
    return this.out;
  }
}

/** A VAE with two latent numbers: f(z), Q(z|x) and log P(x|z). */
export class Model {
  /** @param {Bytes} bytes  a safetensors file as vaecourse writes it */
  constructor(bytes) {
    const { tensors, meta: { config } } = readSafetensors(bytes);
    if (config?.latent_dim !== 2) {
      const found = config?.latent_dim ?? "an unknown number of";
      throw new Error(`This model has ${found} latent numbers; a plane shows two.`);
    }
    const [height, width] = config.image_shape;
    this.height = height;
    this.width = width;
    this.pixels = this.height * this.width;
    this.decoder = new Mlp(tensors, "decoder");
    this.encoder = new Mlp(tensors, "encoder");
    this.sigma = Math.exp(tensors.get("log_sigma")?.data[0] ?? NaN);
  }

  /**
   * f(z), the mean of P(x|z), written into `out` (pixels in rows, 0 = paper, 1 = ink).
   * @param {number} z1
   * @param {number} z2
   */
  decode(z1, z2, out = new Float64Array(this.pixels)) {
    const logits = this.decoder.forward([z1, z2]);
    for (let i = 0; i < out.length; i++) out[i] = 1 / (1 + Math.exp(-logits[i]));
    return out;
  }

  /**
   * Q(z|x): its mean and its standard deviations.
   * @param {Numbers} x
   * @returns {{ mean: Pair, sd: Pair }}
   */
  encode(x) {
    const [m1, m2, r1, r2] = this.encoder.forward(x);
    return { mean: [m1, m2], sd: [1 / (1 + Math.exp(-r1)), 1 / (1 + Math.exp(-r2))] };
  }

  /**
   * log P(x|z) in nats, where f = f(z).
   * @param {Numbers} x
   * @param {Numbers} f
   */
  logLikelihood(x, f) {
    let squares = 0;
    for (let i = 0; i < f.length; i++) squares += (x[i] - f[i]) ** 2;
    return -0.5 * squares / this.sigma ** 2 - f.length * (Math.log(this.sigma) + 0.5 * Math.log(2 * Math.PI));
  }
}
