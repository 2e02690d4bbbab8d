import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { closeUp, landscape, score, Table } from "../src/evidence.js";
import { Model, readSafetensors } from "../src/model.js";
import { logPrior } from "../src/numbers.js";

const file = readFileSync(new URL("../../vaecourse/weights/strokes-2d-page.safetensors", import.meta.url));
const model = new Model(file);

/** A safetensors file of one tensor. */
function tensorFile(dtype, shape, bytes, meta) {
  const header = { __metadata__: { meta: JSON.stringify(meta) }, w: { dtype, shape, data_offsets: [0, bytes.length] } };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(8 + text.length + bytes.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  out.set(bytes, 8 + text.length);
  return out;
}

test("damaged weights are refused with a sentence", () => {
  assert.throws(() => new Model(file.subarray(0, file.length - 9)), /cut short/);
  assert.throws(() => new Model(new Uint8Array(0)), /empty/);
  const three = tensorFile("F32", [1], new Uint8Array(4), { config: { latent_dim: 3 } });
  assert.throws(() => new Model(three), /has 3 latent/);
  const notANumber = tensorFile("F32", [1], new Uint8Array([0, 0, 192, 127]), {});
  assert.throws(() => readSafetensors(notANumber), /not finite, in w/);
  assert.throws(() => readSafetensors(tensorFile("I64", [1], new Uint8Array(8), {})), /I64/);
});

test("layers whose width is no multiple of four give numbers", async () => {
  const { Mlp } = await import("../src/model.js");
  const tensors = new Map([
    ["d.net.0.weight", { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    ["d.net.0.bias", { data: Float32Array.of(1, 0, -1) }],
  ]);
  assert.deepEqual([...new Mlp(tensors, "d").forward([1, 10])], [22, 43, 64]);
});

test("the slope of the landscape is its derivative", () => {
  const x = model.decode(0.4, -0.7).map((v, i) => v + 0.1 * Math.sin(i));
  const z = [0.45, -0.65], step = 1e-3;
  const height = (z1, z2) => model.logLikelihood(x, model.decode(z1, z2)) + logPrior(z1, z2);
  const { slope } = landscape(model, x, z);
  const by = [
    height(z[0] + step, z[1]) - height(z[0] - step, z[1]),
    height(z[0], z[1] + step) - height(z[0], z[1] - step),
  ];
  for (const axis of [0, 1]) assert.ok(Math.abs(slope[axis] / (by[axis] / (2 * step)) - 1) < 0.02);
});

test("log P(x) is that of a sum over a fine grid around the peak", () => {
  const table = new Table(model, 48);
  while (table.grow());
  const x = model.decode(-1.1, 0.6).map((v, i) => v + 0.05 * Math.cos(i * i));
  const { mean } = model.encode(x);
  const found = score(table, x, mean);
  const [c1, c2] = found.best.z, half = 2 * closeUp(model, x, found.best, 3).half, n = 161;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const z1 = c1 + half * ((2 * i) / (n - 1) - 1), z2 = c2 + half * ((2 * j) / (n - 1) - 1);
      sum += Math.exp(model.logLikelihood(x, model.decode(z1, z2)) + logPrior(z1, z2) - found.best.height);
    }
  }
  const direct = Math.log(sum) + found.best.height + 2 * Math.log((2 * half) / (n - 1));
  assert.equal(found.peaks.length, 1);
  assert.ok(Math.abs(found.logPX - direct) < 1e-3, `${found.logPX} against ${direct}`);
});
