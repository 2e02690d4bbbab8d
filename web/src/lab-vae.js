// The variational autoencoder in the page, as vaecourse/model/vae.py has it, on jax-js instead of PyTorch:
//
//     z ~ P(z) = N(0, I)                         the prior
//     x | z ~ P(x|z) = N(f(z), sigma^2 I)        the decoder (or a Bernoulli for each pixel)
//     z | x ~ Q(z|x) = N(mean(x), diag s(x)^2)   the encoder
//
// Images stand in rows (N, pixels). Arrays of jax-js are owned: whoever takes one uses it up, and `.ref` keeps it.

import { nn, numpy as np } from "@jax-js/jax";

/**
 * @typedef {import("@jax-js/jax").Array} Array
 * @typedef {{ weight: Array, bias: Array }} Linear  as torch.nn.Linear has them: (out, in) and (out,)
 * @typedef {{ encoder: Linear[], decoder: Linear[], log_sigma?: Array }} Weights  log_sigma for Gaussians
 * @typedef {object} Config  what VAE(...) takes in Python
 * @property {number[]} image_shape
 * @property {number} latent_dim
 * @property {number[]} hidden
 * @property {number[]} decoder_hidden
 * @property {"gaussian" | "bernoulli"} likelihood
 * @property {number | null} sigma  null learns it
 */

const NARROWEST = 1e-12; // no guess is narrower, as in Python
const FIRST_SIGMA = 0.3; // where a learned sigma begins, as in Python
const FARTHEST = 80; // beyond 88, exp overflows in float32, and the slopes of jax-js's own sigmoid and softplus are NaN

/** @param {Array} x */
const sigmoid = (x) => nn.sigmoid(np.maximum(x, -FARTHEST));

/** log(1 + exp(x)) @param {Array} x */
const softplus = (x) => np.maximum(x.ref, 0).add(np.log1p(np.exp(np.abs(x).mul(-1))));

/**
 * How many pixels an image has.
 * @param {Config} config
 */
export function pixelsOf({ image_shape }) {
  return image_shape.reduce((a, b) => a * b, 1);
}

/**
 * Weights to begin with, drawn as PyTorch draws those of its linear layers.
 * @param {Config} config
 * @param {import("./lab-random.js").Random} random
 * @returns {Weights}
 */
export function firstWeights(config, random) {
  /** @param {number[]} sizes */
  const layers = (sizes) => sizes.slice(1).map((rows, i) => {
    const columns = sizes[i];
    /** @param {number} length */
    const draw = (length) => Float32Array.from({ length }, () => (2 * random() - 1) / Math.sqrt(columns));
    return { weight: np.array(draw(rows * columns)).reshape([rows, columns]), bias: np.array(draw(rows)) };
  });
  const { latent_dim, hidden, decoder_hidden, likelihood, sigma } = config;
  return {
    encoder: layers([pixelsOf(config), ...hidden, 2 * latent_dim]),
    decoder: layers([latent_dim, ...decoder_hidden, pixelsOf(config)]),
    ...(likelihood === "gaussian" && { log_sigma: np.array(Math.log(sigma ?? FIRST_SIGMA)) }),
  };
}

/**
 * Linear layers with a GELU between each two and none at the end.
 * @param {Linear[]} layers
 * @param {Array} x
 */
export function mlp(layers, x) {
  layers.forEach(({ weight, bias }, i) => {
    x = np.matmul(x, weight.transpose()).add(bias);
    if (i < layers.length - 1) x = nn.gelu(x, { approximate: false });
  });
  return x;
}

/**
 * Q(z|x): its mean and its standard deviations, each (N, latent_dim).
 * @param {Linear[]} encoder
 * @param {Array} x
 */
export function encode(encoder, x) {
  const [mean, raw] = np.split(mlp(encoder, x), 2, 1);
  return { mean, sd: np.maximum(sigmoid(raw), NARROWEST) };
}

/**
 * log P(x|z) of each image, (N,).
 * @param {Array} logits
 * @param {Array | undefined} log_sigma  undefined for a Bernoulli likelihood
 * @param {Array} x
 */
function logLikelihood(logits, log_sigma, x) {
  if (!log_sigma) return x.mul(logits.ref).sub(softplus(logits)).sum(1);
  const pixels = x.shape[1];
  const squares = np.square(x.sub(sigmoid(logits))).sum(1);
  const constant = log_sigma.ref.add(0.5 * Math.log(2 * Math.PI)).mul(pixels);
  return squares.mul(np.exp(log_sigma.mul(-2))).mul(-0.5).sub(constant);
}

/**
 * The two terms of the bound for each image, (N,), in nats: log P(x|z) at one z drawn from Q(z|x), and
 * KL(Q(z|x) || P(z)). The ELBO is the first minus the second.
 * @param {Weights} weights
 * @param {Array} x  (N, pixels)
 * @param {Array} noise  (N, latent_dim), drawn from N(0, 1)
 */
export function elboTerms({ encoder, decoder, log_sigma }, x, noise) {
  const { mean, sd } = encode(encoder, x.ref);
  const z = mean.ref.add(sd.ref.mul(noise)); // the reparameterisation
  const log_likelihood = logLikelihood(mlp(decoder, z), log_sigma, x);
  const kl = np.square(mean).add(np.square(sd.ref)).sub(1).mul(0.5).sub(np.log(sd)).sum(1);
  return { log_likelihood, kl };
}
