import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Model } from "../src/model.js";
import { beaten, best, evenly, lookUp, scoresOf, smooth, written } from "../src/path-score.js";

/** A map of 41 × 21 values that a function of the code gives. */
function grid(value, extent) {
  const [width, height] = [41, 21];
  const z = (i, cells) => extent * ((2 * i) / (cells - 1) - 1);
  const values = Float64Array.from({ length: width * height }, (_, i) =>
    value(z(i % width, width), z(Math.floor(i / width), height)));
  return { values, width, height };
}

const near = (found, wanted, within = 1e-9) => assert.ok(Math.abs(found - wanted) <= within, `${found}, not ${wanted}`);

test("a map is read between its values, its first row lowest, and at its edge beyond it", () => {
  const map = grid((z1, z2) => 2 + z1 - 3 * z2 + z1 * z2, 4); // bilinear, so nothing is lost
  for (const [z1, z2] of [[0, 0], [0.123, -2.7], [-4, 4], [4, 4], [3.99, -3.99]]) {
    near(lookUp(map, 4, [z1, z2]), 2 + z1 - 3 * z2 + z1 * z2);
  }
  near(lookUp(map, 4, [9, -1]), lookUp(map, 4, [4, -1]));
});

test("points are spread evenly over a path, whatever its pieces, and its ends stay", () => {
  const path = [[0, 0], [0, 0], [3, 0], [3, 0], [3, 1], [3, 1]];
  assert.deepEqual(evenly(path, 5), [[0, 0], [1, 0], [2, 0], [3, 0], [3, 1]]);
  assert.deepEqual(evenly([[0, 0], [1, 0], [2, 0]], 3, [0, 3, 4]), [[0, 0], [2 / 3, 0], [2, 0]]);
});

/** A picture of one pixel that changes three times as fast to the right of 0. */
const decode = (z1) => [z1 < 0 ? z1 : 3 * z1];

test("scores are those of constant speed of the picture, and sums that can be done by hand", () => {
  const maps = { doubt: grid((z1) => Math.max(0, z1), 1), distance: grid((...z) => 1 + z[1], 1) };
  const { scores, even } = scoresOf([[-1, 0], [1, 0]], decode, maps, 1);
  // A quarter of the picture's way lies left of 0, where nothing is in doubt; on the rest the doubt rises from 0 to 1.
  near(scores["mean doubt"], 0.75 / 2, 1e-4);
  near(scores["way in doubt"], 0.75 * 0.7, 1e-4);
  near(scores.distance, 1);
  near(scores["total change"], 1);
  near(scores.length, 1);
  near(even[(even.length - 1) / 4][0], 0, 1e-9);
  const there = scoresOf([[-1, 0], [-1, 0.5], [0.5, 0.5], [-0.5, 0.5], [1, 0]], decode, maps, 1).scores;
  near(there["total change"], (1 + 1.5 + 1.5 + 0.5 + 0.5 + 3) / 4);
  near(there.length, (0.5 + 1.5 + 1 + Math.hypot(1.5, 0.5)) / 2);
});

test("a path in more points has the scores that it had", () => {
  const file = readFileSync(new URL("../../vaecourse/weights/strokes-2d-page.safetensors", import.meta.url));
  const model = new Model(file);
  const maps = { doubt: grid((z1, z2) => z1 * z2, 4), distance: grid((z1) => Math.abs(z1), 4) };
  const path = [[-1, 0], [0, 2], [2, 1]];
  const [few, many] = [path, evenly(path, 301)].map((points) =>
    scoresOf(points, (z1, z2) => model.decode(z1, z2), maps, 4).scores);
  for (const [column, value] of Object.entries(few)) near(many[column], value, 3e-3 * Math.max(1, value));
});

test("smoothing takes the tremble out of a stroke, and keeps its ends and its way", () => {
  const steady = Array.from({ length: 200 }, (_, i) => [i / 100 - 1, 0.5]);
  const drawn = steady.map(([z1, z2], i) => (i % 199 ? [z1, z2 + 0.03 * Math.sin(0.5 * i)] : [z1, z2]));
  const found = smooth(drawn);
  const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
  const length = (points) => points.slice(1).reduce((sum, z, i) => sum + apart(z, points[i]), 0);
  assert.deepEqual([found[0], found.at(-1)], [drawn[0], drawn.at(-1)]);
  assert.ok(length(drawn) > 2.8 && length(found) < 2.02, "the straight way is 1.99");
  assert.ok(found.length < 60);
});

test("what is written as equal beats nobody and is best together; what is missing is neither", () => {
  const cards = { a: { distance: 0.901 }, b: { distance: 0.899 }, c: { distance: 1.2 }, d: {}, e: { distance: null } };
  assert.deepEqual(best("distance", Object.values(cards)), [true, true, false, false, false]);
  assert.deepEqual(beaten("distance", { distance: 0.9 }, cards), ["c"]);
  assert.deepEqual(beaten("distance", {}, cards), []);
  assert.deepEqual(best("length", Object.values(cards)), [false, false, false, false, false]);
  assert.equal(written("distance", 0.901), "0.90");
  assert.equal(written("way in doubt", 0.126), "13 %");
  assert.deepEqual([null, undefined, NaN].map((value) => written("length", value)), ["–", "–", "–"]);
});
