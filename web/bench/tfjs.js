// The same VAE and the same step with TensorFlow.js on WebAssembly, as one writes it there.

import { createRequire } from "node:module";
import path from "node:path";
import { oneCycle } from "../src/lab-train.js";

/**
 * TensorFlow.js with its WebAssembly backend, on one thread, from a folder into which npm has put both.
 * @param {string} folder
 */
export async function loadTensorFlow(folder) {
  const load = createRequire(path.join(folder, "package.json"));
  const tf = load("@tensorflow/tfjs"), wasm = load("@tensorflow/tfjs-backend-wasm");
  wasm.setThreadsCount(1);
  await tf.setBackend("wasm");
  return tf;
}

/** Trains plain layers [{ weight, bias, n, m }] for the encoder and the decoder, with a learned sigma. */
export class TensorFlowLearner {
  constructor(tf, encoder, decoder, logSigma, recipe) {
    this.tf = tf;
    this.recipe = recipe;
    this.done = 0;
    const variables = (layers) => layers.map(({ weight, bias, n, m }) => ({
      weight: tf.variable(tf.tensor2d(weight, [m, n])), bias: tf.variable(tf.tensor1d(bias)),
    }));
    this.encoder = variables(encoder);
    this.decoder = variables(decoder);
    this.logSigma = tf.variable(tf.scalar(logSigma));
    this.adam = tf.train.adam(recipe.rate, 0.9, 0.99, 1e-8);
  }

  through(layers, x) {
    const { tf } = this;
    layers.forEach(({ weight, bias }, i) => {
      x = tf.add(tf.matMul(x, weight, false, true), bias);
      // GELU(x) = x Φ(x)
      if (i < layers.length - 1) x = tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))));
    });
    return x;
  }

  /** One step on pictures (rows × pixels); returns the ELBO before it, a mean in nats. */
  step(images, draws, rows) {
    const { tf } = this, pixels = images.length / rows;
    this.adam.learningRate = oneCycle(this.done++, this.recipe);
    return tf.tidy(() => {
      const x = tf.tensor2d(images, [rows, pixels]), noise = tf.tensor2d(draws, [rows, 2]);
      const loss = this.adam.minimize(() => {
        const [mean, raw] = tf.split(this.through(this.encoder, x), 2, 1);
        const sd = tf.sigmoid(raw);
        const drawn = tf.sigmoid(this.through(this.decoder, tf.add(mean, tf.mul(sd, noise))));
        const squares = tf.sum(tf.square(tf.sub(x, drawn)), 1);
        const constant = tf.mul(tf.add(this.logSigma, 0.5 * Math.log(2 * Math.PI)), pixels);
        const log = tf.sub(tf.mul(tf.mul(squares, -0.5), tf.exp(tf.mul(this.logSigma, -2))), constant);
        const kl = tf.sum(tf.sub(tf.mul(0.5, tf.sub(tf.add(tf.square(mean), tf.square(sd)), 1)), tf.log(sd)), 1);
        return tf.mean(tf.sub(tf.mul(kl, this.recipe.beta), log));
      }, true);
      return -loss.dataSync()[0];
    });
  }
}
