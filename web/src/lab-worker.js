// Where the lab's worker begins: it trains, and every now and then it tells how things stand.

import { defaultDevice, init } from "@jax-js/jax";
import { sentence } from "./dom.js";
import { Learner } from "./lab-train.js";
import { writeSafetensors } from "./lab-weights.js";

/**
 * @typedef {import("./lab-train.js").Terms} Terms
 * @typedef {object} Task
 * @property {import("./lab-vae.js").Config} config
 * @property {import("./lab-train.js").Recipe} recipe
 * @property {number} levels  the grey level that stands for 1
 * @property {Uint8Array} known  images to learn from
 * @property {Uint8Array} heldOut
 * @property {Uint8Array} shown  whose codes are told
 * @property {"webgpu" | "wasm"} [device]  where to compute; without it the fastest that there is
 *
 * @typedef {object} Look  how things stand
 * @property {number} step
 * @property {Terms | null} training  of the last batches, a running mean; null before the first
 * @property {Terms | null} heldOut  where they were measured this time
 * @property {number} sigma  NaN where there is none
 * @property {Float32Array} codes  of the images shown
 * @property {Uint8Array<ArrayBuffer>} weights  a safetensors file
 * @property {number} rate  steps a second; 0 where that is not known yet
 * @property {boolean} done
 * @property {string} device
 *
 * @typedef {{ task: Task } | { paused: boolean }} Order
 * @typedef {Look | { failed: string }} News
 */

const BREATH = 100; // milliseconds after which messages are let in, and between two looks at least
const SHARE = 0.15; // of the time may go into looking
const MEASURED = 5; // the held-out images are measured with every so many looks
const MEMORY = 0.95; // of the running mean over batches
const NO_WASM = "This browser, or the policy of this page, runs no WebAssembly, so nothing can be trained here. "
  + "In Jupyter the same lab trains the same model.";

let paused = true;
let wake = () => {};

/**
 * @param {News} news
 * @param {ArrayBuffer[]} [given]  what the page gets without a copy
 */
const tell = (news, given = []) => self.postMessage(news, { transfer: given });

/**
 * The running mean of the terms over batches.
 * @param {Terms | null} before
 * @param {Terms} now
 * @returns {Terms}
 */
function mixed(before, now) {
  if (!before) return now;
  /** @param {keyof Terms} name */
  const mix = (name) => MEMORY * before[name] + (1 - MEMORY) * now[name];
  return { elbo: mix("elbo"), log_likelihood: mix("log_likelihood"), kl: mix("kl") };
}

/**
 * Starts the fastest device: a GPU that is one (not a processor that plays one), or else WebAssembly.
 * @param {Task["device"]} wanted
 */
async function startDevice(wanted) {
  const adapter = wanted === "wasm" ? null : await self.navigator.gpu?.requestAdapter().catch(() => null);
  const suits = adapter && (wanted === "webgpu" || !adapter.info.isFallbackAdapter);
  const gpu = suits && (await init("webgpu").catch(() => /** @type {string[]} */ ([]))).includes("webgpu");
  const device = gpu ? "webgpu" : "wasm";
  if (device === "wasm") {
    try {
      await WebAssembly.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)); // the smallest module
    } catch {
      throw new Error(NO_WASM);
    }
    await init("wasm");
  }
  defaultDevice(device);
  return device;
}

/** @param {Task} task */
async function train({ config, recipe, levels, known, heldOut, shown, device: wanted }) {
  const device = await startDevice(wanted);
  const learner = new Learner(config, recipe, known, levels);
  /** @type {Terms | null} */
  let training = null;
  let looks = 0, next = 0, from = { step: 0, time: performance.now() };

  /** @param {boolean} [done] @param {boolean} [thorough]  whether the held-out images are measured in any case */
  async function look(done = false, thorough = done) {
    const start = performance.now();
    const codes = await learner.codes(shown);
    const measured = thorough || ++looks % MEASURED === 0 ? await learner.measureAll(heldOut) : null;
    const weights = await writeSafetensors(learner.weights, config, { recipe, step: learner.done });
    tell({
      step: learner.done,
      training,
      heldOut: measured,
      sigma: await learner.sigma(),
      codes,
      weights,
      rate: learner.done > Math.max(3, from.step) ? (1000 * (learner.done - from.step)) / (start - from.time) : 0,
      done,
      device,
    }, [codes.buffer, weights.buffer]);
    const now = performance.now();
    next = now + Math.max(BREATH, (now - start) / SHARE);
  }

  await look();
  while (learner.done < recipe.steps) {
    await new Promise((go) => setTimeout(go)); // messages come in
    if (paused) {
      await look(false, true); // so that the page has the very weights at which it stopped
      await new Promise((go) => (wake = () => go(null)));
      from = { step: learner.done, time: performance.now() };
    }
    const end = performance.now() + BREATH;
    do {
      training = mixed(training, await learner.step());
    } while (learner.done < recipe.steps && learner.done > 3 && performance.now() < end);
    if (!Number.isFinite(training.elbo)) throw new Error("The ELBO is no number any more. Try another seed.");
    if (learner.done <= 3) { // that it moves is shown at once; what was compiled for it does not count
      await look();
      from = { step: learner.done, time: performance.now() };
    } else if (performance.now() >= next) await look();
  }
  await learner.settleSigma(known.subarray(0, shown.length));
  await look(true);
  learner.stop();
}

self.onmessage = (/** @type {MessageEvent<Order>} */ { data }) => {
  if ("task" in data) train(data.task).catch((error) => tell({ failed: sentence(error) }));
  else {
    paused = data.paused;
    if (!paused) wake();
  }
};
