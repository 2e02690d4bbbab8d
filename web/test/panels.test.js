import assert from "node:assert/strict";
import { test } from "node:test";
import { viridis } from "../src/colors.js";
import { extentOfInk, layOut, upsideDown } from "../src/digit.js";
import { threeMaps } from "../src/draw.js";
import { nearestClasses } from "../src/point.js";
import { crossFade, pathAt } from "../src/walk.js";

/** A pad with one filled rectangle. */
function rectangle(side, left, top, width, height) {
  const ink = new Float64Array(side * side);
  for (let y = top; y < top + height; y++) ink.fill(1, y * side + left, y * side + left + width);
  return ink;
}

test("a drawing fills a box of 20 pixels with its centre of mass in the middle, wherever and however large", () => {
  for (const [left, top, width, height] of [[10, 20, 30, 200], [150, 5, 120, 40], [130, 130, 8, 8]]) {
    const x = layOut(rectangle(280, left, top, width, height), 280, 280);
    const found = extentOfInk(x.map((v) => (v > 0.01 ? v : 0)), 28, 28);
    assert.ok(Math.abs(Math.max(found.width, found.height) - 20) <= 1, "its longer side");
    assert.ok(Math.abs(found.x - 14) < 0.05 && Math.abs(found.y - 14) < 0.05, "its centre of mass");
    const ink = x.reduce((a, b) => a + b), scale = Math.max(width, height) / 20;
    assert.ok(Math.abs(ink - (width * height) / scale ** 2) < 0.01 * ink, "no ink is lost");
  }
  assert.equal(layOut(new Float64Array(100), 10, 10), null);
});

test("upside down twice is the same", () => {
  const x = Float64Array.from({ length: 784 }, (_, i) => (i * 37) % 101);
  assert.equal(upsideDown(x)[0], x[783]);
  assert.deepEqual(upsideDown(upsideDown(x)), x);
});

test("the path begins at its first point, ends at its last, and gives each leg the same time", () => {
  const path = [[0, 0], [2, 0], [2, 1]];
  assert.deepEqual(pathAt(path, 0), [0, 0]);
  assert.deepEqual(pathAt(path, 0.25), [1, 0]);
  assert.deepEqual(pathAt(path, 0.5), [2, 0]);
  assert.deepEqual(pathAt(path, 1), [2, 1]);
  assert.deepEqual(pathAt(path, 7), [2, 1]);
  assert.deepEqual([...crossFade(Float64Array.of(0, 1), Float64Array.of(1, 0), 0.25)], [0.25, 0.75]);
});

test("the nearest codes are those that sorting all of them gives", () => {
  let seed = 7;
  const next = () => {
    seed = (seed * 16807) % 2147483647;
    return (seed / 2147483647) * 4 - 2;
  };
  const codes = Float32Array.from({ length: 600 }, next);
  const labels = Uint8Array.from({ length: 300 }, (_, i) => i % 10);
  const far = (i) => (codes[2 * i] - 0.3) ** 2 + (codes[2 * i + 1] + 0.2) ** 2;
  const nearest = [...labels.keys()].sort((a, b) => far(a) - far(b)).slice(0, 10);
  const counts = new Map();
  for (const i of nearest) counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1);
  const found = new Map(nearestClasses(codes, labels, 0.3, -0.2));
  assert.deepEqual([...found].sort(), [...counts].sort());
  assert.deepEqual(nearestClasses(new Float32Array(0), new Uint8Array(0), 0, 0), []);
});

test("the three maps: prior × likelihood = integrand, each 1 at its highest", () => {
  const n = 5, logLikelihood = Float64Array.from({ length: n * n }, (_, i) => -0.1 * i);
  const maps = threeMaps({ logLikelihood, n, reach: 2 });
  for (const map of Object.values(maps)) assert.equal(Math.max(...map), 1);
  assert.ok(Math.abs(maps.prior[2] - Math.exp(-2)) < 1e-12); // z = (0, -2)
  assert.equal(maps.likelihood.indexOf(1), 0);
  assert.notEqual(maps.integrand.indexOf(1), 0, "the prior moves the highest place towards the middle");
});

test("viridis begins dark and ends bright", () => {
  assert.deepEqual(viridis(0), [68, 1, 84]);
  assert.deepEqual(viridis(2), [253, 231, 37]);
});
