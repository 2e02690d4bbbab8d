// The same VAE and the same step with plain loops over typed arrays: what one would write without a library.

import { oneCycle } from "../src/lab-train.js";
import { erf, gelu } from "../src/numbers.js";

/** out = x W^T + b, for x (B, n) and W (m, n). */
function forward({ weight, bias, n, m }, x, count) {
  const out = new Float32Array(count * m);
  for (let b = 0; b < count; b++) {
    for (let o = 0; o < m; o++) {
      let sum = bias[o];
      for (let k = 0, w = o * n, at = b * n; k < n; k++) sum += weight[w + k] * x[at + k];
      out[b * m + o] = sum;
    }
  }
  return out;
}

/** The slopes of W and b, and that of x, from that of out. */
function backward({ weight, n, m }, x, slope, count) {
  const weightSlope = new Float32Array(m * n), biasSlope = new Float32Array(m), xSlope = new Float32Array(count * n);
  for (let b = 0; b < count; b++) {
    for (let o = 0; o < m; o++) {
      const s = slope[b * m + o];
      biasSlope[o] += s;
      for (let k = 0, w = o * n, at = b * n; k < n; k++) {
        weightSlope[w + k] += s * x[at + k];
        xSlope[at + k] += s * weight[w + k];
      }
    }
  }
  return { weight: weightSlope, bias: biasSlope, x: xSlope };
}

/** d GELU(x) / dx */
const geluSlope = (x) => 0.5 * (1 + erf(x * Math.SQRT1_2)) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);

/** Layers with a GELU between each two: what each takes in, what comes out, and a way back. */
function through(layers, x, count) {
  const inputs = [], sums = [];
  layers.forEach((layer, i) => {
    inputs.push(x);
    x = forward(layer, x, count);
    sums.push(x);
    if (i < layers.length - 1) x = x.map(gelu);
  });
  return { out: x, back(slope) {
    const slopes = [];
    for (let i = layers.length - 1; i >= 0; i--) {
      if (i < layers.length - 1) slope = slope.map((s, k) => s * geluSlope(sums[i][k]));
      slopes[i] = backward(layers[i], inputs[i], slope, count);
      slope = slopes[i].x;
    }
    return { slopes, x: slope };
  } };
}

/** Trains weights, plain layers [{ weight, bias, n, m }] for the encoder and the decoder, with a learned sigma. */
export class PlainLearner {
  constructor(encoder, decoder, logSigma, recipe) {
    Object.assign(this, { encoder, decoder, logSigma: Float32Array.of(logSigma), recipe, done: 0, memory: new Map() });
  }

  /** Adam for one array of weights. */
  adam(weights, slopes, rate) {
    const t = this.done;
    const empty = () => new Float32Array(weights.length);
    const [mean, square] = this.memory.get(weights) ?? [empty(), empty()];
    this.memory.set(weights, [mean, square]);
    for (let i = 0; i < weights.length; i++) {
      mean[i] = 0.9 * mean[i] + 0.1 * slopes[i];
      square[i] = 0.99 * square[i] + 0.01 * slopes[i] ** 2;
      weights[i] -= (rate * mean[i]) / (1 - 0.9 ** t) / (Math.sqrt(square[i] / (1 - 0.99 ** t)) + 1e-8);
    }
  }

  /** One step on x (B, P) with noise (B, D); returns the mean ELBO before it. */
  step(x, noise, count) {
    const pixels = x.length / count, dim = noise.length / count, log = this.logSigma[0], variance = Math.exp(2 * log);
    const q = through(this.encoder, x, count);
    const sd = new Float32Array(count * dim), z = new Float32Array(count * dim);
    let kl = 0, squares = 0;
    for (let b = 0; b < count; b++) {
      for (let d = 0; d < dim; d++) {
        const i = b * dim + d, mean = q.out[b * 2 * dim + d];
        sd[i] = Math.max(1 / (1 + Math.exp(-q.out[b * 2 * dim + dim + d])), 1e-12);
        z[i] = mean + sd[i] * noise[i];
        kl += (mean ** 2 + sd[i] ** 2 - 1) / 2 - Math.log(sd[i]);
      }
    }
    const drawn = through(this.decoder, z, count);
    const slope = drawn.out.map((logit, i) => {
      const f = 1 / (1 + Math.exp(-logit)), off = f - x[i];
      squares += off ** 2;
      return (off * f * (1 - f)) / variance / count;
    });
    const decoded = drawn.back(slope);
    const guessSlope = new Float32Array(q.out.length);
    for (let b = 0; b < count; b++) {
      for (let d = 0; d < dim; d++) {
        const i = b * dim + d, at = b * 2 * dim + d, s = sd[i];
        guessSlope[at] = decoded.x[i] + q.out[at] / count;
        guessSlope[at + dim] = (decoded.x[i] * noise[i] + (s - 1 / s) / count) * s * (1 - s);
      }
    }
    const encoded = q.back(guessSlope);
    const rate = oneCycle(this.done++, this.recipe);
    const slopes = [...encoded.slopes, ...decoded.slopes];
    [...this.encoder, ...this.decoder].forEach((layer, i) => {
      this.adam(layer.weight, slopes[i].weight, rate);
      this.adam(layer.bias, slopes[i].bias, rate);
    });
    this.adam(this.logSigma, [pixels - squares / variance / count], rate);
    return (-squares / 2 / variance - kl) / count - pixels * (log + 0.5 * Math.log(2 * Math.PI));
  }
}
