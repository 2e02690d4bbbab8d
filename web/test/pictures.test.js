// Pictures of the reader's own: grey, of one size, with paper and ink told apart, sheets cut, files sorted.

import assert from "node:assert/strict";
import { test } from "node:test";
import { imagesOf } from "../src/lab-chooser.js";
import { extentOf } from "../src/lab-codes.js";
import { sorted } from "../src/lab-files.js";
import { borderOf, fitted, greyOf, paperIsLight, resized, worriesOf } from "../src/lab-pictures.js";
import { generator } from "../src/lab-random.js";
import { cutByGaps, cutByGrid } from "../src/lab-sheet.js";

/** A picture whose tone at (x, y) is tone(x, y). */
const grey = (width, height, tone) => ({
  width, height,
  values: Float32Array.from({ length: width * height }, (_, i) => tone(i % width, Math.floor(i / width))),
});

const near = (found, wanted, off = 1e-5) => found.forEach((v, i) => {
  assert.ok(Math.abs(v - wanted[i]) < off, `${i}: ${v}, not ${wanted[i]}`);
});

for (const [what, pixels, wanted] of [
  ["colours", [255, 0, 0, 255, 0, 0, 255, 255], [0.299, 0.114]],
  ["black on transparency", [0, 0, 0, 255, 0, 0, 0, 0], [0, 1]],
  ["white on transparency", [255, 255, 255, 255, 255, 255, 255, 0], [0, 1]],
]) {
  test(`${what} become grey on white paper`, () => {
    near(greyOf({ width: 2, height: 1, data: Uint8ClampedArray.from(pixels) }).values, wanted);
  });
}

test("a picture of another size keeps a slope, and one of the same size stays as it is", () => {
  const slope = grey(12, 9, (x, y) => 0.05 * x + 0.02 * y);
  near(resized(slope, 12, 9).values, slope.values);
  const half = resized(slope, 6, 9), inside = (_, i) => i % 6 > 1 && i % 6 < 4; // no edge within the filter's reach
  near(half.values.filter(inside), grey(6, 9, (x, y) => 0.05 * (2 * x + 0.5) + 0.02 * y).values.filter(inside));
});

test("a wide picture stands in the middle of a page of its border's tone", () => {
  const page = fitted(grey(20, 10, () => 0.25), 10);
  assert.equal(page.length, 100);
  near(page, Array(100).fill(0.25));
  assert.ok(fitted(grey(20, 10, (x, y) => Number(x > 4 && x < 15 && y > 2 && y < 7)), 10)[45] > 0.9);
});

/** Pictures of 8 × 8 with a stroke where `at` says. */
const strokes = (count, at = (i) => i % 8) => ({
  size: 8, names: ["a", "b"], labels: Array.from({ length: count }, (_, i) => i % 2),
  greys: Array.from({ length: count }, (_, i) => grey(8, 8, (x, y) => Number(x === at(i) && y > 0 && y < 7)).values),
});

test("most of the border of all pictures says what is paper", () => {
  const dark = strokes(20);
  for (const values of dark.greys) values.fill(0.2, 0, 64);
  assert.equal(paperIsLight(dark), false);
  assert.equal(paperIsLight({ ...dark, greys: dark.greys.map((g) => g.map((v) => 1 - v)) }), true);
});

const many = strokes(200, (i) => i % 8);
many.greys.forEach((values, i) => { // so that no two are the same
  values[27] = i / 400;
});
for (const [what, pictures, says] of [
  ["few pictures", strokes(30), /^30 pictures are few/],
  ["one class far larger", { ...many, labels: many.labels.map((_, i) => Number(i < 5)) }, /^a has 195 pictures, b 5/],
  ["copies", strokes(200), /^Exact copies of other pictures: 192/],
  ["empty ones", { ...many, greys: [...many.greys.slice(1), new Float32Array(64)] }, /one tone.*: 1\./],
  ["pale ones", { ...many, greys: many.greys.map((g) => g.map((v) => 0.2 * v)) }, /little contrast: 200/],
  ["another background each", {
    ...many, greys: many.greys.map((g, i) => g.map((v) => Math.max(v, (i % 2) * 0.8))),
  }, /borders differ/],
  ["all alike", { ...many, greys: many.greys.map((_, i) => many.greys[0].map((v) => v + i / 1e4)) }, /nearly the same/],
]) {
  test(`${what} are worried about`, () => {
    assert.ok(worriesOf(pictures).some((words) => says.test(words)), worriesOf(pictures).join(" "));
  });
}

test("good pictures are no worry", () => assert.deepEqual(worriesOf(many), []));

/** Two rows and three columns of rings with a dot inside, each larger than the one before, those to the right a little
 *  higher, the last field empty, unevenly lit and grainy. */
const random = generator(3);
const sheet = grey(600, 400, (x, y) => {
  const column = Math.floor(x / 200), radius = 40 + 4 * (column + 3 * Math.floor(y / 200));
  const far = Math.hypot((x % 200) - 100, (y % 200) - 100 + 8 * column);
  const drawn = (far > radius && far < radius + 6) || far < 6;
  const light = (0.5 + (0.4 * x) / 600) * (0.97 + 0.03 * random());
  return drawn && !(x > 400 && y > 200) ? 0.3 * light : light;
});
for (const [what, cut] of [
  ["its gaps", cutByGaps], ["a grid", (given) => cutByGrid(given, 2, 3)],
  ["its gaps, in chalk", (given) => cutByGaps({ ...given, values: given.values.map((v) => 1 - v) })],
]) {
  test(`a sheet is cut by ${what}`, () => {
    const doodles = cut(sheet);
    assert.equal(doodles.length, 5);
    assert.ok(doodles[0].width > 105, "with some room around a ring of 92 pixels");
    for (const { width, height, values } of doodles) {
      const border = borderOf({ width, height, values });
      assert.ok(Math.min(...border) > 0.95 && Math.min(...values) < 0.1 && Math.abs(width - height) < 12);
    }
    const ink = doodles.map(({ values }) => values.reduce((sum, v) => sum + 1 - v, 0));
    assert.ok(ink.every((much, i) => i === 0 || much > ink[i - 1]), `in rows, as one reads: ${ink}`);
  });
}

test("a sheet on which nothing is drawn has no doodles", () => {
  assert.equal(cutByGaps(grey(300, 300, () => 0.8)).length + cutByGrid(grey(300, 300, () => 0.8), 3, 3).length, 0);
});

const file = (path, size = 9) => ({ path, file: { size } });
test("sub-folders are classes, and what is no picture is left out with a reason", () => {
  const { pictures, names, left } = sorted([
    "top/cat/2.png", "top/cat/1.JPG", "top/dog/deep/3.webp", "top/loose.png", "top/cat/notes.txt", "top/dog/4.heic",
    "top/dog/5.svg", "top/.DS_Store", "top/cat/._1.JPG",
  ].map((path) => file(path)).concat(file("top/dog/6.png", 1e9)));
  assert.deepEqual(names, ["cat", "dog"]);
  assert.deepEqual(pictures.map(({ path, label }) => [path, label]),
    [["top/cat/1.JPG", 0], ["top/cat/2.png", 0], ["top/dog/deep/3.webp", 1]]);
  assert.deepEqual(left.map(({ path, reason }) => `${path}: ${reason.split(";")[0]}`), [
    "top/cat/notes.txt: not named like a picture", "top/dog/4.heic: browsers show no HEIC",
    "top/dog/5.svg: a drawing in lines has no pixels", "top/dog/6.png: has more than 64 MB",
    "top/loose.png: lies beside the folders",
  ]);
});

for (const [what, paths, wanted] of [
  ["loose files", ["a.png", "b.png"], ["pictures"]], ["one folder", ["cats/a.png"], ["cats"]],
  ["two folders", ["cats/a.png", "dogs/a.png"], ["cats", "dogs"]],
]) {
  test(`${what}: classes`, () => assert.deepEqual(sorted(paths.map((path) => file(path))).names, wanted));
}

test("after the first two thousand files the others are left out", () => {
  const { pictures, left } = sorted(Array.from({ length: 2003 }, (_, i) => file(`${1e4 + i}.png`)));
  assert.deepEqual([pictures.length, left.length, left[0].reason], [2000, 3, "comes after the first 2,000 files"]);
});

test("pictures go to the lab in another order, one in eleven held out, and all of them are shown", () => {
  const { facts, images } = imagesOf(strokes(33));
  assert.deepEqual([facts.images, facts.held_out, facts.width], [33, 3, 8]);
  assert.deepEqual([images.known.length, images.heldOut.length, images.shown.length], [30, 3, 33].map((n) => 64 * n));
  const rows = Array.from(images.labels, (_, i) => images.shown.slice(64 * i, 64 * (i + 1)).indexOf(255) - 8);
  assert.ok(rows.every((column, i) => column % 2 === images.labels[i]), "each with its label");
  assert.notDeepEqual(rows, rows.slice().sort((a, b) => a - b));
});

test("a plane reaches as far as nearly all codes", () => {
  const codes = Float32Array.from({ length: 200 }, (_, i) => (i < 5 ? 90 : -0.05 * i));
  assert.equal(extentOf(codes, 4), 12);
  const some = [new Float32Array(4), Float32Array.of(99), new Float32Array(0)];
  assert.deepEqual(some.map((few) => extentOf(few, 4)), [4, 20, 4]);
  assert.deepEqual([3.9, 3.1].map((code) => extentOf(Float32Array.of(code), 8)), [6, 4], "shrinks with room to spare");
  assert.equal(extentOf(Float32Array.of(5.9), 8), 8);
});
