// log P(x), the law of total probability over the plane: P(x) = ∫ P(x|z) P(z) dz.
//
// The posterior of a picture is a needle, a hundredth of the prior's width. So: look at a coarse table of the whole
// plane, climb from its best places, and lay a small lattice over each peak (vaecourse.evidence does the same).

/** @typedef {import("./model.js").Model} Model */
/** @typedef {[number, number, number]} Symmetric  the matrix [[a, b], [b, c]] */
/** @typedef {{ z: Pair, height: number, slope: Pair, curvature: Symmetric }} Place  what the landscape is at z */
/** @typedef {Place & { logMass: number }} Peak */

import { logPrior, logSumExp } from "./numbers.js";

/** f(z) on a square grid of n × n codes from -reach to reach. It serves every picture, so it is made once. */
export class Table {
  /** @param {Model} model */
  constructor(model, n = 96, reach = 6) {
    this.model = model;
    this.n = n;
    this.reach = reach;
    this.drawn = 0; // rows
    this.f = new Float32Array(n * n * model.pixels);
    this.axis = Float64Array.from({ length: n }, (_, i) => reach * ((2 * i) / (n - 1) - 1));
  }

  /** Decodes one more row (one z2); false when all of them stand. */
  grow() {
    if (this.drawn === this.n) return false;
    const { model, n, axis } = this;
    const image = new Float64Array(model.pixels);
    for (let i = 0; i < n; i++) {
      this.f.set(model.decode(axis[i], axis[this.drawn], image), (this.drawn * n + i) * model.pixels);
    }
    this.drawn++;
    return true;
  }

  /**
   * log P(x|z) for all cells, row by row from the lowest z2.
   * @param {Numbers} x
   */
  logLikelihood(x) {
    const out = new Float64Array(this.n ** 2);
    const { pixels } = this.model;
    for (let cell = 0; cell < out.length; cell++) {
      out[cell] = this.model.logLikelihood(x, this.f.subarray(cell * pixels, (cell + 1) * pixels));
    }
    return out;
  }
}

/**
 * Height, slope and curvature of log P(x|z) P(z) at z; the curvature is the Gauss–Newton one, JᵀJ/σ² + 1.
 * @param {Model} model
 * @param {Numbers} x
 * @param {Pair} z
 * @returns {Place}
 */
export function landscape(model, x, [z1, z2]) {
  const step = 1e-4;
  const f = model.decode(z1, z2);
  const f1 = model.decode(z1 + step, z2);
  const f2 = model.decode(z1, z2 + step);
  let g1 = 0, g2 = 0, a = 0, b = 0, c = 0;
  for (let i = 0; i < f.length; i++) {
    const j1 = (f1[i] - f[i]) / step, j2 = (f2[i] - f[i]) / step, rest = x[i] - f[i];
    g1 += j1 * rest; g2 += j2 * rest;
    a += j1 * j1; b += j1 * j2; c += j2 * j2;
  }
  const v = model.sigma ** 2;
  return {
    z: [z1, z2],
    height: model.logLikelihood(x, f) + logPrior(z1, z2),
    slope: [g1 / v - z1, g2 / v - z2],
    curvature: [a / v + 1, b / v, c / v + 1],
  };
}

/**
 * M⁻¹ v for the symmetric 2 × 2 matrix M = [[a, b], [b, c]].
 * @param {Symmetric} matrix
 * @param {Pair} v
 */
function solve2([a, b, c], [v1, v2]) {
  const det = a * c - b * b;
  return [(c * v1 - b * v2) / det, (a * v2 - b * v1) / det];
}

/**
 * From z up to a peak: Gauss–Newton, damped where a step would lead down (Levenberg–Marquardt).
 * @param {Model} model
 * @param {Numbers} x
 * @param {Pair} z
 */
function climb(model, x, z) {
  let now = landscape(model, x, z);
  let damping = 0;
  for (let i = 0; i < 25; i++) {
    const [a, b, c] = now.curvature;
    const [d1, d2] = solve2([a * (1 + damping), b, c * (1 + damping)], now.slope);
    if (d1 * now.slope[0] + d2 * now.slope[1] < 1e-3) break; // promises less than a thousandth of a nat
    const next = landscape(model, x, [now.z[0] + d1, now.z[1] + d2]);
    if (next.height > now.height) {
      now = next;
      damping /= 10;
    } else damping = Math.max(0.1, 10 * damping);
  }
  return now;
}

/**
 * The cells of a map (n × n) that are higher than their neighbours, the highest first.
 * @param {Numbers} map
 * @param {number} n
 * @param {number} count
 */
function localMaxima(map, n, count) {
  const found = [];
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      const here = map[row * n + column];
      let top = true;
      for (let r = Math.max(0, row - 1); r <= Math.min(n - 1, row + 1); r++) {
        for (let c = Math.max(0, column - 1); c <= Math.min(n - 1, column + 1); c++) top &&= map[r * n + c] <= here;
      }
      if (top) found.push({ row, column, here });
    }
  }
  return found.sort((p, q) => q.here - p.here).slice(0, count);
}

/**
 * Where to climb from: the highest local maxima of the map and, since a needle may stand between its cells, the best
 * place inside each of its highest cells.
 * @param {Table} table
 * @param {Numbers} x
 * @param {Float64Array} map
 * @returns {Pair[]}
 */
function startsFrom(table, x, map) {
  const { model, axis, n } = table;
  const starts = localMaxima(map, n, 12).map(({ row, column }) => /** @type {Pair} */ ([axis[column], axis[row]]));
  const spacing = axis[1] - axis[0], parts = 4;
  const image = new Float64Array(model.pixels);
  const cells = Array.from(map.keys()).sort((p, q) => map[q] - map[p]).slice(0, 64);
  const inside = cells.map((cell) => {
    /** @type {{ here: number, z: Pair }} */
    let best = { here: -Infinity, z: [0, 0] };
    for (let part = 0; part < parts ** 2; part++) {
      const z1 = axis[cell % n] + spacing * (((part % parts) + 0.5) / parts - 0.5);
      const z2 = axis[Math.floor(cell / n)] + spacing * ((Math.floor(part / parts) + 0.5) / parts - 0.5);
      const here = model.logLikelihood(x, model.decode(z1, z2, image)) + logPrior(z1, z2);
      if (here > best.here) best = { here, z: [z1, z2] };
    }
    return best;
  });
  inside.sort((p, q) => q.here - p.here);
  return [...starts, ...inside.slice(0, 16).map(({ z }) => z)];
}

/**
 * The peaks that hold the mass, the heaviest first, each with the normal that fits it.
 * @param {Model} model
 * @param {Numbers} x
 * @param {Pair[]} starts
 */
function findPeaks(model, x, starts) {
  const ends = starts.map((start) => {
    const place = climb(model, x, start);
    const [a, b, c] = place.curvature;
    return { ...place, logMass: place.height + Math.log(2 * Math.PI) - 0.5 * Math.log(a * c - b * b) };
  });
  ends.sort((p, q) => q.logMass - p.logMass);
  /** @type {Peak[]} */
  const peaks = [];
  for (const p of ends) {
    const met = peaks.some((q) => distance2(q, p.z) < 1);
    if (!met && p.logMass > ends[0].logMass - 12) peaks.push(p);
  }
  return peaks;
}

/**
 * Squared distance of z from a peak, in the peak's own standard deviations.
 * @param {Place} peak
 * @param {Pair} z
 */
function distance2({ z, curvature: [a, b, c] }, [z1, z2]) {
  const d1 = z1 - z[0], d2 = z2 - z[1];
  return a * d1 * d1 + 2 * b * d1 * d2 + c * d2 * d2;
}

/**
 * log of the peak's mass: a lattice turned and stretched to the needle; overlapping peaks share by their normals.
 * @param {Model} model
 * @param {Numbers} x
 * @param {Place[]} peaks
 * @param {Place} peak  one of them
 */
function weigh(model, x, peaks, peak, points = 31, widths = 7) {
  const [a, b, c] = peak.curvature;
  const r11 = Math.sqrt(a), r12 = b / r11, r22 = Math.sqrt(c - r12 * r12); // curvature = RᵀR, R upper triangular
  const step = (2 * widths) / (points - 1);
  const image = new Float64Array(model.pixels);
  const terms = [];
  for (let i = 0; i < points; i++) {
    for (let j = 0; j < points; j++) {
      const u2 = (step * j - widths) / r22, u1 = (step * i - widths - r12 * u2) / r11; // R u = lattice point
      /** @type {Pair} */
      const z = [peak.z[0] + u1, peak.z[1] + u2];
      const claims = peaks.map((p) => p.height - 0.5 * distance2(p, z));
      const share = peak.height - 0.5 * distance2(peak, z) - logSumExp(claims);
      terms.push(model.logLikelihood(x, model.decode(z[0], z[1], image)) + logPrior(z[0], z[1]) + share);
    }
  }
  return logSumExp(terms) + 2 * Math.log(step) - Math.log(r11 * r22);
}

/**
 * log P(x) in nats, with the maps and peaks it was found from.
 * @param {Table} table
 * @param {Numbers} x
 * @param {Pair} guess  the encoder's mean: one more start
 */
export function score(table, x, guess) {
  const { model, axis, n, reach } = table;
  const logLikelihood = table.logLikelihood(x);
  const map = logLikelihood.map((l, cell) => l + logPrior(axis[cell % n], axis[Math.floor(cell / n)]));
  const peaks = findPeaks(model, x, [...startsFrom(table, x, map), guess]);
  const logPX = logSumExp(peaks.map((peak) => weigh(model, x, peaks, peak)));
  return { logPX, best: peaks[0], peaks, logLikelihood, n, reach };
}

/**
 * P(z|x) up to a factor, on n × n codes around a peak: the window is square and `half` wide to each side.
 * @param {Model} model
 * @param {Numbers} x
 * @param {Place} peak
 */
export function closeUp(model, x, peak, n = 41) {
  const [a, b, c] = peak.curvature;
  const half = 4 * Math.sqrt(Math.max(a, c) / (a * c - b * b)); // four of the wider standard deviation
  const out = new Float64Array(n * n);
  for (let cell = 0; cell < out.length; cell++) {
    const z1 = peak.z[0] + half * ((2 * (cell % n)) / (n - 1) - 1);
    const z2 = peak.z[1] + half * ((2 * Math.floor(cell / n)) / (n - 1) - 1);
    out[cell] = Math.exp(model.logLikelihood(x, model.decode(z1, z2)) + logPrior(z1, z2) - peak.height);
  }
  return { density: out, half, n };
}
