// How the VAE of the page learns: Adam under a one-cycle schedule, all of a step compiled into one function.
// (Kingma and Ba, "Adam", 2015; Smith, "Super-convergence", 2018. Both as torch.optim has them.)

import { jit, lax, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { generator, normals, shuffled } from "./lab-random.js";
import { elboTerms, encode, firstWeights, pixelsOf } from "./lab-vae.js";

/**
 * @typedef {import("./lab-vae.js").Array} Array
 * @typedef {import("./lab-vae.js").Config} Config
 * @typedef {import("./lab-vae.js").Weights} Weights
 * @typedef {{ elbo: number, log_likelihood: number, kl: number }} Terms  means over images, in nats
 * @typedef {object} Recipe
 * @property {number} steps
 * @property {number} batch  images a step
 * @property {number} rate  the highest learning rate
 * @property {number} beta  how much the KL term weighs
 * @property {number} seed
 */

const MEMORY = { mean: 0.9, square: 0.99 }; // Adam's betas; a short run wants the second shorter than the usual 0.999
const EPSILON = 1e-8;
const CYCLE = { rise: 0.3, start: 1 / 25, end: 1e-4 }; // the share of steps with a growing rate; shares of the highest
const AT_ONCE = 500; // images whose ELBO is measured in one go

/**
 * The learning rate at a step, as torch.optim.lr_scheduler.OneCycleLR has it.
 * @param {number} step  from 0
 * @param {Recipe} recipe
 */
export function oneCycle(step, { steps, rate }) {
  const top = CYCLE.rise * steps - 1;
  const last = steps - 1;
  const [from, to, share] = step <= top
    ? [CYCLE.start, 1, step / top]
    : [1, CYCLE.start * CYCLE.end, (step - top) / Math.max(1e-9, last - top)];
  return rate * (to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2);
}

/**
 * What is made small: beta KL - log P(x|z), a mean over the batch; and the means of both terms beside it.
 * @param {Config} config
 * @param {number} beta
 */
export function lossOf({ sigma }, beta) {
  /**
   * @param {Weights} weights
   * @param {Array} x
   * @param {Array} noise
   * @returns {[Array, { log_likelihood: Array, kl: Array }]}
   */
  return (weights, x, noise) => {
    const { log_sigma } = weights;
    const held = log_sigma && sigma !== null ? { log_sigma: lax.stopGradient(log_sigma) } : {};
    const terms = elboTerms({ ...weights, ...held }, x, noise);
    const log_likelihood = terms.log_likelihood.mean(), kl = terms.kl.mean();
    return [kl.ref.mul(beta).sub(log_likelihood.ref), { log_likelihood, kl }];
  };
}

/** One training run: weights, Adam's memory and the order of the images, all from one seed. */
export class Learner {
  /**
   * @param {Config} config
   * @param {Recipe} recipe
   * @param {Uint8Array} images  (N, pixels) grey levels in rows
   * @param {number} levels  the level that stands for ink, 1
   */
  constructor(config, recipe, images, levels) {
    this.config = config;
    this.recipe = recipe;
    this.images = images;
    this.levels = levels;
    this.pixels = pixelsOf(config);
    this.random = generator(recipe.seed);
    this.weights = firstWeights(config, this.random);
    const zeros = () => tree.map((/** @type {Array} */ w) => np.zeros(w.shape), this.weights);
    this.means = zeros();
    this.squares = zeros();
    this.order = new Uint32Array(0);
    this.done = 0;
    const loss = valueAndGrad(lossOf(config, recipe.beta), { hasAux: true });
    this.update = jit((/** @type {any} */ weights, means, squares, x, noise, rate, once, twice) => {
      const [found, slopes] = loss(tree.ref(weights), x, noise);
      const [value, terms] = /** @type {[Array, { log_likelihood: Array, kl: Array }]} */ (found);
      value.dispose();
      const both = np.stack([terms.log_likelihood, terms.kl]); // read in one go: each time, a GPU is waited for
      means = tree.map((m, g) => m.mul(MEMORY.mean).add(g.mul(1 - MEMORY.mean)), means, tree.ref(slopes));
      squares = tree.map((s, g) => s.mul(MEMORY.square).add(np.square(g).mul(1 - MEMORY.square)), squares, slopes);
      weights = tree.map((w, m, s) => {
        const spread = np.sqrt(s.mul(twice.ref)).add(EPSILON);
        return w.sub(m.mul(once.ref).mul(rate.ref).div(spread));
      }, weights, tree.ref(means), tree.ref(squares));
      for (const used of [rate, once, twice]) used.dispose();
      return { weights, means, squares, both };
    });
    this.measure = jit((/** @type {any} */ weights, x, noise) => elboTerms(weights, x, noise));
    this.guess = jit((/** @type {any} */ { encoder, decoder, log_sigma }, x) => {
      tree.dispose([decoder, log_sigma]);
      const { mean, sd } = encode(encoder, x);
      sd.dispose();
      return mean;
    });
  }

  /**
   * Rows of grey levels as numbers in [0, 1].
   * @param {Uint8Array} images
   * @param {ArrayLike<number>} rows
   */
  asArray(images, rows) {
    const { pixels, levels } = this;
    const x = new Float32Array(rows.length * pixels);
    for (let i = 0; i < rows.length; i++) {
      for (let k = 0, from = rows[i] * pixels; k < pixels; k++) x[i * pixels + k] = images[from + k] / levels;
    }
    return np.array(x).reshape([rows.length, pixels]);
  }

  /** The rows of the next batch: each epoch takes all images, in another order. What is left of one is dropped. */
  nextRows() {
    const { batch } = this.recipe;
    if (this.order.length < batch) this.order = shuffled(this.images.length / this.pixels, this.random);
    const rows = this.order.subarray(0, batch);
    this.order = this.order.subarray(batch);
    return rows;
  }

  /**
   * One step. Its numbers are read before the next begins: otherwise work piles up.
   * @returns {Promise<Terms>}
   */
  async step() {
    const rows = this.nextRows();
    const noise = np.array(normals(rows.length * this.config.latent_dim, this.random)).reshape([rows.length, -1]);
    const x = this.asArray(this.images, rows);
    const rate = oneCycle(this.done, this.recipe), t = ++this.done;
    const { both, ...next } = this.update(this.weights, this.means, this.squares, x, noise,
      np.array(rate), np.array(1 / (1 - MEMORY.mean ** t)), np.array(1 / (1 - MEMORY.square ** t)));
    Object.assign(this, next);
    const [log_likelihood, kl] = await both.data();
    return { elbo: log_likelihood - kl, log_likelihood, kl };
  }

  /**
   * Images in parts that fit into memory, each with noise that is the same every time.
   * @param {Uint8Array} images
   */
  *parts(images) {
    const random = generator(0), count = images.length / this.pixels;
    for (let from = 0; from < count; from += AT_ONCE) {
      const rows = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => from + i);
      const noise = np.array(normals(rows.length * this.config.latent_dim, random)).reshape([rows.length, -1]);
      yield { x: this.asArray(images, rows), noise };
    }
  }

  /**
   * The ELBO of images and its two terms; the same draws of z every time, so that two looks can be compared.
   * @param {Uint8Array} images
   * @returns {Promise<Terms>}
   */
  async measureAll(images) {
    let log_likelihood = 0, kl = 0;
    for (const { x, noise } of this.parts(images)) {
      const terms = this.measure(tree.ref(this.weights), x, noise);
      for (const value of await terms.log_likelihood.data()) log_likelihood += value;
      for (const value of await terms.kl.data()) kl += value;
    }
    const count = images.length / this.pixels;
    return { elbo: (log_likelihood - kl) / count, log_likelihood: log_likelihood / count, kl: kl / count };
  }

  /**
   * Where the encoder puts images: the means of Q(z|x), latent_dim numbers each.
   * @param {Uint8Array} images
   */
  async codes(images) {
    const found = new Float32Array((images.length / this.pixels) * this.config.latent_dim);
    let at = 0;
    for (const { x, noise } of this.parts(images)) {
      noise.dispose();
      const part = await this.guess(tree.ref(this.weights), x).data();
      found.set(part, at);
      at += part.length;
    }
    return found;
  }

  /** Sigma, of one pixel; NaN for a Bernoulli likelihood. */
  async sigma() {
    return this.weights.log_sigma ? Math.exp((await this.weights.log_sigma.ref.data())[0]) : NaN;
  }

  /**
   * Sets a learned sigma to the root mean squared error of the drawings of images, as vaecourse.training's settle_sigma
   * does (Rybkin et al. 2021, equation 5): the squares come back out of log P(x|z).
   * @param {Uint8Array} images
   */
  async settleSigma(images) {
    if (!this.weights.log_sigma || this.config.sigma !== null) return;
    const { log_likelihood } = await this.measureAll(images);
    const before = await this.sigma();
    const square = -2 * before ** 2 * (log_likelihood / this.pixels + Math.log(before) + 0.5 * Math.log(2 * Math.PI));
    this.weights.log_sigma.dispose();
    this.weights.log_sigma = np.array(0.5 * Math.log(Math.max(square, 1e-24)));
  }

  /** Gives back all memory. */
  stop() {
    tree.dispose([this.weights, this.means, this.squares]);
    for (const compiled of [this.update, this.measure, this.guess]) compiled.dispose();
  }
}
