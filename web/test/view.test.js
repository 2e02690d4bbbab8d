import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../src/numbers.js";
import { codeAt, digitsOf, finest, shareOf, showing, strideOf, ticks, viewWith } from "../src/view.js";

const WHOLE = { middle: [0, 0], half: 4 };

function near(found, wanted) {
  for (const [i, value] of wanted.entries()) assert.ok(Math.abs(found[i] - value) < 1e-9, `${found}, not ${wanted}`);
}

test("a code is seen where its place shows that code, at every zoom", () => {
  for (const half of [4, 1, 0.05]) {
    const view = viewWith([1.234, -0.5], [0.3, 0.8], half, 4);
    near(codeAt(view, shareOf(view, [1.2, -0.51])), [1.2, -0.51]);
    assert.equal(view.half, half);
  }
  near(shareOf(WHOLE, [-4, -4]), [0, 1]);
  near(codeAt(WHOLE, [0.75, 0.25]), [2, 2]);
});

test("what is zoomed at stays in its place, as far as the plane's edges let it", () => {
  const share = shareOf(WHOLE, [1, 2]);
  near(shareOf(viewWith([1, 2], share, 0.5, 4), [1, 2]), share);
  near(viewWith([-1, 2], [0.9, 0.5], 2, 4).middle, [-2, 2]); // -2.6 would show what is beyond the plane
  near(viewWith([3.9, 0], [0.5, 0.5], 100, 4).middle, [0, 0]);
  assert.equal(viewWith([0, 0], [0.5, 0.5], 100, 4).half, 4, "there is no more than the whole");
  assert.equal(viewWith([0, 0], [0.5, 0.5], 1e-9, 4).half, 0.05, "nor is anything to be seen below");
});

test("a point that leaves what is seen takes it along, and no farther than it must", () => {
  const view = { middle: [1, 1], half: 0.5 };
  near(showing(view, [1.4, 0.6], 4).middle, [1, 1]);
  near(showing(view, [1.7, 1], 4).middle, [1.2, 1]);
  near(showing(view, [1, -4], 4).middle, [1, -3.5]);
});

test("steps become finer with what is seen, and at first are those of old", () => {
  assert.deepEqual([4, 20, 1.9, 0.19, 0.05].map(finest), [0.01, 0.01, 0.001, 0.0001, 0.0001]);
  near([1, 0.5, 0.25, 0.0125].map(strideOf), [0.05, 0.02, 0.01, 0.0005]);
  for (const half of [4, 2, 1, 0.3, 0.07, 0.05]) {
    const share = strideOf(half / 4) / finest(half);
    assert.ok(Math.abs(share - Math.round(share)) < 1e-6, "a stride is some steps");
  }
  assert.equal(settle(0.12344, 4, 0.0001), 0.1234);
  assert.equal(settle(-0.00001, 4, 0.0001), 0);
  assert.deepEqual([1, 0.1, 0.01, 0.05, 20].map(digitsOf), [0, 1, 2, 2, 0]);
});

test("an axis has some round numbers on it, each with the digits that it needs", () => {
  assert.deepEqual(ticks(-4, 4), { digits: 0, values: [-4, -2, 0, 2, 4] });
  for (const [low, high] of [[-4, 4], [-3, 3], [-20, 20], [0.95, 1.05], [1.1, 1.9], [-0.31, 0.07]]) {
    const { digits, values } = ticks(low, high);
    assert.ok(values.length >= 3 && values.length <= 7, `${values}`);
    for (const value of values) {
      assert.ok(value >= low - 1e-9 && value <= high + 1e-9);
      near([Number(value.toFixed(digits))], [value]);
    }
  }
});
