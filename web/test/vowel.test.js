import assert from "node:assert/strict";
import { test } from "node:test";
import { amplitudes } from "../src/voice.js";
import { likeness, Mouth, saying } from "../src/vowel.js";

const mouth = new Mouth({
  pitch: 125, harmonics: 32, f1: [250, 750], f2: [800, 2300], fixed: [2700, 3500], widths: [60, 80, 120, 180],
  rate: 10000, slope: -6, low: -75, high: 25,
});
/** @type {Record<string, [number, number]>} */
const named = { ee: [0.04, 0.99], ah: [0.96, 0.19] };

test("a resonance lifts the harmonic on it most, and opens with the jaw", () => {
  assert.equal(mouth.resonance(0, 0.5), 500);
  const part = [...mouth.part(0, 0.5)];
  assert.equal(part.indexOf(Math.max(...part)), 3, "500 Hz is the fourth harmonic");
});

test("a vowel is its own nearest, and a fade of two is far from all", () => {
  const { jaw, tongue, f1, f2, off } = mouth.nearest(mouth.draw([0.25, 0.75]));
  assert.deepEqual([jaw, tongue, f1, f2], [0.25, 0.75, 375, 1925]);
  assert.ok(off < 1e-9);
  const [a, b] = [mouth.draw(named.ee), mouth.draw(named.ah)];
  const fade = a.map((v, i) => (v + b[i]) / 2);
  assert.ok(mouth.nearest(fade).off > 5);
  assert.ok(Math.abs(mouth.apart(a, a.map((v) => v + 0.02)) - 2) < 1e-9, "0.02 of 100 dB");
});

test("what it is like is said by the nearest names", () => {
  assert.equal(likeness({ jaw: 0.1, tongue: 0.9 }, named), "close to “ee”");
  assert.equal(likeness({ jaw: 0.5, tongue: 0.6 }, named), "between “ee” and “ah”");
  const vowel = { jaw: 0.04, tongue: 0.99, f1: 271, f2: 2286, off: 0.3 };
  assert.equal(saying(vowel, named), "A vowel with resonances near 270 and 2290 Hz, close to “ee”.");
  assert.match(saying({ ...vowel, off: 6.54 }, named), /^No vowel of this mouth: even the nearest.* is 6\.5 dB away/);
});

test("all tones together never swing beyond 1, and keep their ratios", () => {
  const loud = amplitudes([0.5, 0.7, 1.2], 100);
  assert.ok(Math.abs(loud.reduce((a, b) => a + b) - 1) < 1e-12);
  assert.ok(Math.abs(20 * Math.log10(loud[1] / loud[0]) - 20) < 1e-9, "0.2 of 100 dB");
});
