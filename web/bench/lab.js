// Steps and quality of the lab's training, in Node on one core, as JSON (benchmarks/lab.py calls it):
//
//     node bench/lab.js IMAGES.json TENSORFLOW [--quick]
//
// TENSORFLOW is a folder into which npm has put @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import { init } from "@jax-js/jax";
import { fromBase64 } from "../src/element.js";
import { unpack } from "../src/lab-data.js";
import { generator, normals } from "../src/lab-random.js";
import { LENGTHS, taskOf } from "../src/lab-recipe.js";
import { Learner } from "../src/lab-train.js";
import { nearestClasses } from "../src/point.js";
import { loadTensorFlow, TensorFlowLearner } from "./tfjs.js";
import { PlainLearner } from "./typed-arrays.js";

globalThis.navigator ??= /** @type {any} */ ({});
await init("wasm");
const { data, ...facts } = JSON.parse(readFileSync(process.argv[2], "utf-8"));
const quick = process.argv.includes("--quick");
const images = await unpack(facts, fromBase64(data));

function processorSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** A Learner with the lab's recipe. */
function learnerOf(length, seed) {
  const { config, recipe, levels, known } = taskOf(facts, images, { sigma: null, beta: 1, seed }, length);
  return new Learner(config, recipe, known, levels);
}

/** The layers of a Learner as plain arrays. */
const plain = (layers) => Promise.all(layers.map(async ({ weight, bias }) => {
  const [m, n] = weight.shape;
  return { m, n, weight: (await weight.ref.data()).slice(), bias: (await bias.ref.data()).slice() };
}));

/** Steps a processor second of jax-js and its rivals, on the same weights; all begin with the same ELBO. */
async function speed(steps) {
  const ours = learnerOf(LENGTHS[0], 0), { encoder, decoder, log_sigma } = ours.weights;
  const [log] = await log_sigma.ref.data();
  const tf = await loadTensorFlow(process.argv[3]);
  const tfjs = new TensorFlowLearner(tf, await plain(encoder), await plain(decoder), log, ours.recipe);
  const arrays = new PlainLearner(await plain(encoder), await plain(decoder), log, ours.recipe);
  const pixels = facts.height * facts.width, rows = ours.recipe.batch;
  const same = learnerOf(LENGTHS[0], 0); // draws what `ours` draws in its first step
  const order = same.nextRows(), noise = normals(2 * rows, same.random);
  const x = Float32Array.from({ length: rows * pixels }, (_, i) => (
    images.known[order[Math.floor(i / pixels)] * pixels + (i % pixels)] / facts.levels));
  for (let i = 0; i < 3; i++) {
    const [a, ...others] = [(await ours.step()).elbo, tfjs.step(x, noise, rows), arrays.step(x, noise, rows)];
    if (i > 0) continue;
    for (const b of others) assert.ok(Math.abs(a - b) < 0.01 * Math.abs(a), `${a} and ${b} are not of the same model`);
  }
  const random = generator(1);
  const contenders = {
    "jax-js": () => ours.step(),
    "TensorFlow.js, WebAssembly": () => tfjs.step(x, normals(2 * rows, random), rows),
    "plain arrays": () => arrays.step(x, normals(2 * rows, random), rows),
  };
  const found = {};
  for (const [name, step] of Object.entries(contenders)) {
    const start = processorSeconds();
    for (let i = 0; i < steps; i++) await step();
    found[name] = steps / (processorSeconds() - start);
  }
  return found;
}

/** What a training reaches: ELBO of the held-out images, kNN (10) by their codes among those learned from. */
async function quality(length, seed, known) {
  const start = processorSeconds(), learner = learnerOf(length, seed);
  while (learner.done < length.steps) await learner.step();
  await learner.settleSigma(images.known.subarray(0, images.heldOut.length));
  const seconds = processorSeconds() - start;
  const { elbo, kl } = await learner.measureAll(images.heldOut);
  const [codes, places] = [await learner.codes(images.known), await learner.codes(images.heldOut)];
  let right = 0;
  images.labels.forEach((label, i) => {
    right += Number(nearestClasses(codes, known, places[2 * i], places[2 * i + 1])[0][0] === label);
  });
  const sigma = await learner.sigma();
  learner.stop();
  return { steps: length.steps, "processor seconds": seconds, elbo, kl, knn: right / images.labels.length, sigma };
}

const labels = (await unpack({ ...facts, held_out: facts.images }, fromBase64(data))).labels; // of all images
const ofKnown = labels.subarray(0, facts.images - facts.held_out);
const result = { "steps a processor second": await speed(quick ? 10 : 150), trainings: [] };
for (const length of quick ? [{ words: "", steps: 30 }] : LENGTHS) {
  result.trainings.push(await quality(length, 0, ofKnown));
}
console.log(JSON.stringify(result));
process.exit(); // jax-js keeps Node alive
