// A VAE of three pixels that learns in the page: the loss, its slopes by hand, and Adam.

import { Net, readNet, SmallVae } from "./cube-models.js";
import { Sums } from "./cube-sums.js";

const BATCH = 64; // pictures a step
const RATE = 5e-3; // of Adam
const WATCHED = 100; // pictures that nobody learns from, on which ELBO and P(x) are told
const LOG_2PI = Math.log(2 * Math.PI);
/** Gauss–Hermite: E[g(u)] for u ~ N(0, 1) is the sum of weight × g(at), exactly for polynomials of degree 9. */
const HERMITE = [[-2.8569700138728, 0.0112574113277], [-1.3556261799743, 0.2220759220056], [0, 0.5333333333333],
  [1.3556261799743, 0.2220759220056], [2.8569700138728, 0.0112574113277]];

/**
 * Numbers from 0 to 1 that are the same for the same seed (Mulberry32).
 * @param {number} seed
 */
export function randomFrom(seed) {
  let state = (seed * 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A draw from N(0, 1) (Box and Muller).
 * @param {() => number} random
 */
export const normalFrom = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/**
 * The slopes of the loss -(log P(x|z) - β KL), averaged over a batch, into the nets' `slopes`. z = μ + s ε, or μ alone
 * for an autoencoder, which has no KL either.
 * @param {SmallVae} vae
 * @param {Float64Array} x  triples
 * @param {Float64Array} noise  ε
 * @param {{ beta: number, autoencoder: boolean }} how
 */
export function slopesOf(vae, x, noise, { beta, autoencoder }) {
  const { encoder, decoder, sigma, dim } = vae;
  const count = x.length / 3;
  const { mean, sd } = vae.encode(x, count);
  const z = mean.map((m, i) => m + (autoencoder ? 0 : sd[i] * noise[i]));
  const logits = decoder.forward(z, count);
  const dLogits = new Float64Array(logits.length);
  let squares = 0;
  for (let i = 0; i < logits.length; i++) {
    const f = 1 / (1 + Math.exp(-logits[i]));
    const rest = f - x[i];
    squares += rest * rest;
    dLogits[i] = (rest / sigma ** 2 / count) * f * (1 - f);
  }
  const dz = decoder.backward(dLogits, count);
  const dOut = new Float64Array(2 * count * dim);
  let kl = 0;
  for (let n = 0; n < count; n++) {
    for (let k = 0; k < dim; k++) {
      const i = n * dim + k, [m, s] = [mean[i], sd[i]];
      kl += 0.5 * (m * m + s * s - 1) - Math.log(s);
      dOut[2 * n * dim + k] = dz[i] + (autoencoder ? 0 : (beta * m) / count);
      const dSd = dz[i] * noise[i] + (beta * (s - 1 / s)) / count;
      dOut[(2 * n + 1) * dim + k] = autoencoder ? 0 : dSd * s * (1 - s);
    }
  }
  encoder.backward(dOut, count);
  const logLikelihood = -0.5 * squares / count / sigma ** 2 - 3 * Math.log(sigma) - 1.5 * LOG_2PI;
  return { logLikelihood, kl: kl / count, dLogSigma: 3 - squares / count / sigma ** 2 };
}

/**
 * The mean ELBO of pictures, with its expectation over Q(z|x) as a sum over a small lattice instead of a draw.
 * @param {SmallVae} vae
 * @param {Float64Array} x
 */
export function elboOf(vae, x) {
  const { dim, sigma } = vae;
  const count = x.length / 3;
  const { mean, sd } = vae.encode(x, count);
  const f = new Float64Array(3);
  let sum = 0;
  for (let n = 0; n < count; n++) {
    const at = n * dim;
    for (let k = 0; k < dim; k++) sum -= 0.5 * (mean[at + k] ** 2 + sd[at + k] ** 2 - 1) - Math.log(sd[at + k]);
    for (const [u, share] of HERMITE) {
      for (const [v, other] of dim === 2 ? HERMITE : [[0, 1]]) {
        vae.decode(mean[at] + u * sd[at], dim === 2 ? mean[at + 1] + v * sd[at + 1] : 0, f);
        const squares = (f[0] - x[3 * n]) ** 2 + (f[1] - x[3 * n + 1]) ** 2 + (f[2] - x[3 * n + 2]) ** 2;
        sum -= (share * other * 0.5 * squares) / sigma ** 2;
      }
    }
  }
  return sum / count - 3 * Math.log(sigma) - 1.5 * LOG_2PI;
}

/** @param {Net} net */
const copy = (net) => new Net(net.layers.map((layer) => (
  { ...layer, weight: layer.weight.slice(), bias: layer.bias.slice() })));

export class Learner {
  beta = 1;
  autoencoder = false;
  seed = 0; // 0: the weights that Python gave; others are drawn here

  /**
   * @param {Map<string, Tensor>} tensors  the untrained weights
   * @param {Float64Array} pictures  triples
   * @param {boolean} holdSigma  whether sigma stays as it is
   */
  constructor(tensors, pictures, holdSigma) {
    this.holdSigma = holdSigma;
    this.given = { encoder: readNet(tensors, "encoder"), decoder: readNet(tensors, "decoder") };
    this.startSigma = Math.exp(tensors.get("log_sigma")?.data[0] ?? NaN);
    this.vae = new SmallVae(copy(this.given.encoder), copy(this.given.decoder), this.startSigma);
    const count = pictures.length / 3, every = Math.max(2, Math.floor(count / WATCHED));
    /** @param {(i: number) => boolean} keep */
    const some = (keep) => pictures.filter((_, at) => keep(Math.floor(at / 3)));
    this.watched = some((i) => i % every === 0 && i < every * WATCHED);
    this.pictures = some((i) => i % every !== 0 || i >= every * WATCHED);
    this.random = randomFrom(0);
    this.steps = 0;
    /** @type {number[]} what is left of this round through the pictures */
    this.order = [];
    this.logSigma = [new Float64Array(1), new Float64Array(1)]; // Adam's two means of its slope
    /** @type {Map<Float64Array, Float64Array[]>} and those of the weights */
    this.means = new Map();
    this.start();
  }

  /** Begins anew, from the weights of the seed. */
  start() {
    const { vae, given, seed } = this;
    this.random = randomFrom(seed);
    for (const name of /** @type {const} */ (["encoder", "decoder"])) {
      for (const [i, layer] of vae[name].layers.entries()) {
        const bound = 1 / Math.sqrt(layer.columns); // as torch.nn.Linear draws them
        for (const part of /** @type {const} */ (["weight", "bias"])) {
          const first = given[name].layers[i][part];
          layer[part].set(seed === 0 ? first : first.map(() => bound * (2 * this.random() - 1)));
        }
      }
    }
    if (!this.holdSigma) vae.sigma = this.startSigma;
    this.steps = 0;
    this.order = [];
    this.means.clear();
    for (const mean of this.logSigma) mean.fill(0);
  }

  /** One step on one batch. */
  step() {
    const { vae, pictures, random } = this;
    const count = Math.min(BATCH, pictures.length / 3);
    const x = new Float64Array(3 * count);
    for (let n = 0; n < count; n++) {
      if (!this.order.length) this.order = Array.from({ length: pictures.length / 3 }, (_, i) => i);
      const pick = Math.floor(random() * this.order.length);
      const [i] = this.order.splice(pick, 1, /** @type {number} */ (this.order.at(-1)));
      this.order.pop();
      x.set(pictures.subarray(3 * i, 3 * i + 3), 3 * n);
    }
    const noise = new Float64Array(count * vae.dim).map(() => normalFrom(random));
    const { dLogSigma } = slopesOf(vae, x, noise, this);
    this.steps++;
    for (const net of [vae.encoder, vae.decoder]) {
      for (const [i, { weight, bias }] of net.layers.entries()) {
        this.adam(weight, net.slopes[i].weight);
        this.adam(bias, net.slopes[i].bias);
      }
    }
    if (!this.holdSigma) {
      const log = Float64Array.of(Math.log(vae.sigma));
      this.adam(log, Float64Array.of(dLogSigma), this.logSigma);
      vae.sigma = Math.exp(log[0]);
    }
  }

  /**
   * Moves values against their slopes (Kingma and Ba, "Adam", 2015, algorithm 1).
   * @param {Float64Array} values
   * @param {Float64Array} slopes
   * @param {Float64Array[]} [means]
   */
  adam(values, slopes, means = this.means.get(values)) {
    if (!means) {
      means = [new Float64Array(values.length), new Float64Array(values.length)];
      this.means.set(values, means);
    }
    const [first, second] = means;
    const rate = (RATE * Math.sqrt(1 - 0.999 ** this.steps)) / (1 - 0.9 ** this.steps);
    for (let i = 0; i < values.length; i++) {
      first[i] += 0.1 * (slopes[i] - first[i]);
      second[i] += 0.001 * (slopes[i] ** 2 - second[i]);
      values[i] -= (rate * first[i]) / (Math.sqrt(second[i]) + 1e-8);
    }
  }

  /**
   * ELBO and mean log P(x) of the model as it is now on the watched pictures, one at a time, so that nobody waits.
   * @returns {Generator<void, { steps: number, elbo: number, logP: number }>}
   */
  *measure() {
    const { watched, steps } = this;
    const vae = new SmallVae(copy(this.vae.encoder), copy(this.vae.decoder), this.vae.sigma);
    const elbo = this.autoencoder ? NaN : elboOf(vae, watched);
    yield;
    const sums = new Sums(vae, vae.sigma, false);
    let sum = 0;
    for (let i = 0; i < watched.length; i += 3) {
      yield;
      sum += sums.logP(watched.subarray(i, i + 3));
    }
    return { steps, elbo, logP: sum / (watched.length / 3) };
  }
}
