import assert from "node:assert/strict";
import { test } from "node:test";
import { erf, gelu, floatToHalf, halfToFloat, logSumExp, settle, toFloats } from "../src/numbers.js";

test("half precision: the values of the standard", () => {
  const known = [
    [0x3c00, 1], [0xc000, -2], [0x7bff, 65504], [0x0400, 2 ** -14], [0x0001, 2 ** -24], [0x3555, 1365 / 4096],
    [0x7c00, Infinity], [0xfc00, -Infinity], [0x8000, -0],
  ];
  for (const [bits, value] of known) assert.equal(halfToFloat(bits), value);
  assert.ok(Number.isNaN(halfToFloat(0x7e00)));
});

test("erf agrees with the integral of its definition", () => {
  for (const x of [-3, -1.2, -0.1, 0, 0.3, 1, 2.5]) {
    let sum = 0;
    const n = 20000;
    for (let i = 0; i < n; i++) sum += Math.exp(-((((i + 0.5) / n) * x) ** 2));
    assert.ok(Math.abs(erf(x) - (2 / Math.sqrt(Math.PI)) * (sum / n) * x) < 3e-7, `erf(${x})`);
  }
  assert.ok(Math.abs(gelu(1) - 0.8413447) < 1e-6); // Φ(1)
});

test("a coordinate is rounded once, stays on the plane, and is no number if it was none", () => {
  assert.equal(settle(1.456, 4), 1.46);
  assert.equal(settle(9, 4), 4);
  assert.ok(Object.is(settle(-0.001, 4), 0));
  for (const bad of [NaN, Infinity, undefined, "3"]) assert.ok(Number.isNaN(settle(bad, 4)));
  for (let z = -4; z <= 4; z += 0.0137) assert.equal(settle(settle(z, 4), 4), settle(z, 4));
});

test("log-sum-exp does not overflow", () => {
  assert.ok(Math.abs(logSumExp([-1000, -1000]) - (Math.LN2 - 1000)) < 1e-12);
  assert.equal(logSumExp([-Infinity]), -Infinity);
});

test("floats are read from a view at an odd offset", () => {
  const bytes = new Uint8Array(9);
  new DataView(bytes.buffer).setFloat32(1, 0.5, true);
  new DataView(bytes.buffer).setFloat32(5, -3, true);
  assert.deepEqual([...toFloats(new DataView(bytes.buffer, 1, 8))], [0.5, -3]);
});

test("half precision there and back", () => {
  for (let bits = 0; bits < 0x7c00; bits++) assert.equal(floatToHalf(halfToFloat(bits)), bits);
  assert.equal(halfToFloat(floatToHalf(-2.0004)), -2);
  assert.equal(halfToFloat(floatToHalf(1.99999)), 2, "rounding up carries");
  assert.equal(halfToFloat(floatToHalf(1e9)), 65504);
});
