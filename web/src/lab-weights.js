// Weights in and out: safetensors files as VAE.save writes and VAE.load reads them.

import { numpy as np } from "@jax-js/jax";
import { readSafetensors, tensor } from "./model.js";

/**
 * @typedef {import("./lab-vae.js").Array} Array
 * @typedef {import("./lab-vae.js").Config} Config
 * @typedef {import("./lab-vae.js").Linear} Linear
 * @typedef {import("./lab-vae.js").Weights} Weights
 */

/**
 * The tensors by the names that PyTorch gives them: between two linear layers stands a GELU, which counts, too.
 * @param {Weights} weights
 * @returns {[string, Array][]}
 */
function named({ encoder, decoder, log_sigma }) {
  /** @type {[string, Array][]} */
  const tensors = [];
  for (const [part, layers] of Object.entries({ encoder, decoder })) {
    layers.forEach(({ weight, bias }, i) => {
      tensors.push([`${part}.net.${2 * i}.weight`, weight], [`${part}.net.${2 * i}.bias`, bias]);
    });
  }
  if (log_sigma) tensors.push(["log_sigma", log_sigma]);
  return tensors;
}

/**
 * The file that VAE.load reads.
 * @param {Weights} weights  which stay as they are
 * @param {Config} config
 * @param {Record<string, unknown>} meta  what else is to be known of the model (JSON)
 */
export async function writeSafetensors(weights, config, meta) {
  /** @type {Record<string, unknown>} */
  const header = { __metadata__: { meta: JSON.stringify({ kind: "VAE", config, ...meta }) } };
  const numbers = [];
  let end = 0;
  for (const [name, array] of named(weights)) {
    const data = /** @type {Float32Array} */ (await array.ref.data());
    header[name] = { dtype: "F32", shape: array.shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
    numbers.push(data);
  }
  const text = JSON.stringify(header);
  const head = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8)); // numbers begin at an even place
  const file = new Uint8Array(8 + head.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(head.length), true);
  file.set(head, 8);
  let at = 8 + head.length;
  for (const data of numbers) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * The weights in a file that VAE.save or `writeSafetensors` wrote.
 * @param {Bytes} bytes
 * @returns {{ weights: Weights, config: Config }}
 */
export function parseWeights(bytes) {
  const { tensors, meta } = readSafetensors(bytes);
  const config = /** @type {Config | undefined} */ (/** @type {unknown} */ (meta.config));
  if (!config) throw new Error("The weights do not say of what model they are.");
  /** @param {string} name */
  const array = (name) => {
    const { shape, data } = tensor(tensors, name);
    return np.array(data).reshape(shape);
  };
  /** @param {string} part */
  const layers = (part) => {
    const found = [];
    for (let i = 0; tensors.has(`${part}.net.${i}.weight`); i += 2) {
      found.push({ weight: array(`${part}.net.${i}.weight`), bias: array(`${part}.net.${i}.bias`) });
    }
    return found;
  };
  const weights = { encoder: layers("encoder"), decoder: layers("decoder") };
  return { config, weights: tensors.has("log_sigma") ? { ...weights, log_sigma: array("log_sigma") } : weights };
}
