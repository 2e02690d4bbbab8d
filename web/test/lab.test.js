// The VAE that learns in the page, on WebAssembly, held against what PyTorch says (tests/test_lab.py wrote lab.json).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { deflateSync } from "node:zlib";
import { init, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { unpack } from "../src/lab-data.js";
import { costOf, LENGTHS, paceOf, wordsOf } from "../src/lab-recipe.js";
import { Learner, lossOf, oneCycle } from "../src/lab-train.js";
import { elboTerms, encode } from "../src/lab-vae.js";
import { parseWeights, writeSafetensors } from "../src/lab-weights.js";
import { readSafetensors } from "../src/model.js";

globalThis.navigator ??= /** @type {any} */ ({}); // jax-js asks it for a GPU; Node 20 has none
before(() => init("wasm"));

const CASES = JSON.parse(readFileSync(new URL("lab.json", import.meta.url), "utf-8"));

function close(found, wanted, name) {
  assert.equal(found.length, wanted.length, name);
  for (let i = 0; i < wanted.length; i++) {
    const off = Math.abs(found[i] - wanted[i]);
    assert.ok(off < 2e-5 * (1 + Math.abs(wanted[i])), `${name}: ${found[i]}, not ${wanted[i]}`);
  }
}

for (const [name, given] of Object.entries(CASES)) {
  test(`${name}: ELBO and gradients are PyTorch's`, async () => {
    const { weights, config } = parseWeights(Buffer.from(given.file, "base64"));
    const x = np.array(given.x).reshape([-1, 12]), noise = np.array(given.noise).reshape([-1, 2]);
    const terms = elboTerms(tree.ref(weights), x.ref, noise.ref);
    close(await terms.log_likelihood.data(), given.log_likelihood, "log_likelihood");
    close(await terms.kl.data(), given.kl, "kl");
    const [, slopes] = valueAndGrad(lossOf(config, given.beta), { hasAux: true })(weights, x, noise);
    for (const [part, layers] of Object.entries({ encoder: slopes.encoder, decoder: slopes.decoder })) {
      for (const [i, { weight, bias }] of layers.entries()) {
        close(await weight.data(), given.slopes[`${part}.net.${2 * i}.weight`], `${part} ${i} weight`);
        close(await bias.data(), given.slopes[`${part}.net.${2 * i}.bias`], `${part} ${i} bias`);
      }
    }
    if (slopes.log_sigma) close(await slopes.log_sigma.data(), given.slopes.log_sigma ?? [0], "log_sigma");
  });

  test(`${name}: weights come back from a file as they were`, async () => {
    const before = Buffer.from(given.file, "base64");
    const { weights, config } = parseWeights(before);
    const after = await writeSafetensors(weights, config, { seed: 3 });
    const [one, two] = [readSafetensors(before), readSafetensors(after)];
    assert.deepEqual([...two.tensors].sort(), [...one.tensors].sort());
    assert.deepEqual(two.meta, { kind: "VAE", config: one.meta.config, seed: 3 });
  });
}

const CONFIG = {
  image_shape: [4, 4], latent_dim: 2, hidden: [8], decoder_hidden: [8], likelihood: "gaussian", sigma: null,
};
const IMAGES = Uint8Array.from({ length: 60 * 16 }, (_, i) => ((i * i) % 16 > (i >> 4) % 16 ? 15 : 0));

async function curve(seed, more = {}) {
  const learner = new Learner({ ...CONFIG, ...more }, { steps: 40, batch: 20, rate: 1e-2, beta: 1, seed }, IMAGES, 15);
  const found = [];
  for (let i = 0; i < 40; i++) found.push((await learner.step()).elbo);
  return { learner, found };
}

test("a seed decides the curve, which rises; held-out images are measured the same twice", async () => {
  const [one, again, other] = [await curve(1), await curve(1), await curve(2)];
  assert.deepEqual(one.found, again.found);
  assert.notDeepEqual(one.found, other.found);
  assert.ok(one.found[39] > one.found[0] + 1, `${one.found[0]} to ${one.found[39]}`);
  const before = await one.learner.measureAll(IMAGES);
  assert.deepEqual(await one.learner.measureAll(IMAGES), before);
  assert.equal((await one.learner.codes(IMAGES)).length, 120);
  await one.learner.settleSigma(IMAGES);
  const settled = await one.learner.sigma();
  assert.ok((await one.learner.measureAll(IMAGES)).elbo > before.elbo - 1e-4, "no other sigma gives a higher ELBO");
  await one.learner.settleSigma(IMAGES);
  assert.ok(Math.abs((await one.learner.sigma()) / settled - 1) < 1e-3, "it was the best already");
  for (const { learner } of [one, again, other]) learner.stop();
});

test("with a beta of 4 the KL falls, the guesses become wider, and the codes draw together", async () => {
  const steps = 600, rows = Array.from({ length: 60 }, (_, i) => i);
  for (const seed of [1, 2]) {
    const found = [];
    for (const beta of [1, 4]) {
      const learner = new Learner(CONFIG, { steps, batch: 20, rate: 1e-2, beta, seed }, IMAGES, 15);
      while (learner.done < steps) await learner.step();
      const q = encode(tree.ref(learner.weights.encoder), learner.asArray(IMAGES, rows));
      const [spread] = await np.square(q.mean).mean().data(), [logWidth] = await np.log(q.sd).mean().data();
      found.push({ spread, width: Math.exp(logWidth), kl: (await learner.measureAll(IMAGES)).kl });
      learner.stop();
    }
    const [one, four] = found;
    assert.ok(four.kl < 0.8 * one.kl, `KL: ${one.kl} to ${four.kl}`);
    assert.ok(four.width > 1.2 * one.width, `widths of the guesses: ${one.width} to ${four.width}`);
    assert.ok(four.spread < 0.8 * one.spread, `squares of the codes: ${one.spread} to ${four.spread}`);
  }
});

test("a held sigma stays, and a Bernoulli likelihood has none", async () => {
  const held = await curve(0, { sigma: 0.25 }), flips = await curve(0, { likelihood: "bernoulli" });
  assert.ok(Math.abs((await held.learner.sigma()) - 0.25) < 1e-6);
  assert.ok(Number.isNaN(await flips.learner.sigma()));
  assert.ok(flips.found[39] > flips.found[0]);
});

test("the learning rate rises from a 25th to its peak and falls to nearly nothing", () => {
  const recipe = { steps: 100, batch: 1, rate: 2, beta: 1, seed: 0 };
  assert.ok(Math.abs(oneCycle(0, recipe) - 0.08) < 1e-12);
  assert.ok(Math.abs(oneCycle(29, recipe) - 2) < 1e-12);
  assert.ok(Math.abs(oneCycle(99, recipe) - 8e-6) < 1e-12); // torch: OneCycleLR(max_lr=2, total_steps=100)
});

test("images come out of their package; one that is cut short is refused with a sentence", async () => {
  const facts = { height: 1, width: 3, levels: 15, names: ["a", "b"], images: 3, held_out: 1, source: "" };
  const packed = deflateSync(Uint8Array.of(0, 1, 1, 0x12, 0x34, 0x56, 0x78, 0x90)); // labels, then two greys in a byte
  const found = await unpack(facts, packed);
  assert.deepEqual([...found.known, ...found.heldOut, ...found.labels], [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]);
  await assert.rejects(unpack(facts, packed.subarray(0, packed.length - 5)), /did not arrive whole/);
  await assert.rejects(unpack({ ...facts, images: 4 }, packed), /did not arrive whole/);
});

test("a reader is told what a training costs, how it goes, and how it ended", () => {
  const facts = { height: 28, width: 28, levels: 15, names: [], images: 11000, held_out: 1000, source: "" };
  assert.match(costOf(facts, LENGTHS[0], true), /1,800 steps .* 10,000 images .* 1,000 others\. It first fetches/);
  assert.doesNotMatch(costOf(facts, LENGTHS[0], false), /fetches/);
  const look = { step: 900, rate: 45, sigma: 0.2, device: "wasm", done: false };
  assert.equal(paceOf(look, 1800),
    "Step 900 of 1,800, 20 s left, 45 steps and 2,880 images a second, on the processor; σ 0.200.");
  assert.equal(paceOf({ ...look, rate: 0 }, 1800), "Step 900 of 1,800, on the processor; σ 0.200.");
  assert.equal(wordsOf(look, 1800, -3.6, true), "Training, 50 % done. ELBO of the images held out: −4 nats.");
  assert.equal(wordsOf(look, 1800, null, false), "Paused at step 900.");
  assert.match(wordsOf({ ...look, done: true }, 1800, null, false), /^Done after 1,800 steps\. Drag/);
});
