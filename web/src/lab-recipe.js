// What the lab trains and how, and how it says so. (Chosen on MNIST: web/test/lab-quality.js measures what comes out.)

import { number } from "./dom.js";

/**
 * @typedef {import("./lab-data.js").Facts} Facts
 * @typedef {import("./lab-worker.js").Look} Look
 * @typedef {{ words: string, steps: number }} Length
 * @typedef {Pick<LabTraits["spec"], "sigma" | "beta" | "seed">} Settings
 */

const HIDDEN = [128, 128]; // layers, each way
const BATCH = 64;
const RATE = 6e-3;

/** How long a training may take: in words, on one core of an ordinary processor. */
export const LENGTHS = [{ words: "half a minute", steps: 1800 }, { words: "two minutes", steps: 7000 }];

/**
 * What the worker is to do.
 * @param {Facts} facts
 * @param {import("./lab-data.js").Images} images
 * @param {Settings} settings
 * @param {Length} length
 * @returns {import("./lab-worker.js").Task}
 */
export function taskOf({ height, width, levels }, { known, heldOut, shown }, { sigma, beta, seed }, { steps }) {
  return {
    config: {
      ...{ image_shape: [height, width], latent_dim: 2, hidden: HIDDEN, decoder_hidden: HIDDEN },
      ...{ likelihood: "gaussian", sigma },
    },
    recipe: { steps, batch: BATCH, rate: RATE, beta, seed },
    levels, known, heldOut, shown,
  };
}

/** @param {number} count */
const whole = (count) => count.toLocaleString("en");

/**
 * What a training will do, and what it costs.
 * @param {Facts} facts
 * @param {Length} length
 * @param {boolean} fetches  whether the images must come first
 */
export function costOf({ images, held_out }, { steps, words }, fetches) {
  const known = images - held_out;
  return `Ready: ${whole(steps)} steps of ${Math.min(BATCH, known)} images, about ${words} on one processor core. `
    + `It learns from ${whole(known)} images and is measured on ${whole(held_out)} others. `
    + `${fetches ? "It first fetches the images, about 1 MB, from this very site. " : ""}Nothing leaves this machine.`;
}

/**
 * How a training goes, for the eye.
 * @param {Look} look
 * @param {number} steps
 */
export function paceOf({ step, rate, sigma, device }, steps) {
  const left = rate && step < steps ? `${Math.ceil((steps - step) / rate)} s left, ` : "";
  const speed = rate ? `${left}${number(rate, 0)} steps and ${whole(Math.round(BATCH * rate))} images a second, ` : "";
  const where = device === "webgpu" ? "on the GPU" : "on the processor";
  return `Step ${whole(step)} of ${whole(steps)}, ${speed}${where}; σ ${number(sigma, 3)}.`;
}

/**
 * What was set in a training, and what came of it.
 * @param {Settings} settings
 * @param {Look} look  the last one
 * @param {import("./lab-train.js").Terms | undefined} terms  of the images held out
 */
export function summaryOf({ seed, sigma, beta }, look, terms) {
  const held = sigma === null ? `learned, ${number(look.sigma, 3)}` : number(sigma, 3);
  const found = terms ? ` Held out: ELBO ${number(terms.elbo, 1)} = ${number(terms.log_likelihood, 1)} − KL `
    + `${number(terms.kl, 1)}.` : "";
  return `Kept: seed ${seed}, σ ${held}, β ${beta}, step ${whole(look.step)}.${found}`;
}

/**
 * How a training goes, in a sentence for the ear.
 * @param {Look} look
 * @param {number} steps
 * @param {number | null} heldOut  the ELBO of the images held out, as last measured
 * @param {boolean} running
 */
export function wordsOf({ step, done }, steps, heldOut, running) {
  const elbo = heldOut === null ? "" : ` ELBO of the images held out: ${number(heldOut, 0)} nats.`;
  if (done) return `Done after ${whole(steps)} steps.${elbo} Drag the point.`;
  const now = running ? `Training, ${Math.round((100 * step) / steps)} % done.` : `Paused at step ${whole(step)}.`;
  return now + elbo;
}
