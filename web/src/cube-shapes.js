// What can be seen in the cube: the sheet f(z), its thickness, P(x) as a cloud and on a cut, and the posterior's patch.

import { erf } from "./numbers.js";

/** @typedef {import("./cube-models.js").Drawer} Drawer */
/** @typedef {import("./cube-sums.js").Sums} Sums */
/**
 * f(z) on a grid of codes: triples, row by row; one row is a curve. `lines`: the latent grid on it.
 * @typedef {{ points: Float64Array, across: number, rows: number, lines: Float64Array[] }} Mesh
 */

/** Nats below the highest that the scale of log P(x) shows, and the cloud: what is lower is not there for the eye. */
const SCALE_DEPTH = 12, CLOUD_DEPTH = 6;
const LINES = 0.5; // of z, from one line of the latent grid to the next
const PATCH_DEPTH = 4.5; // nats below its top that the posterior's patch shows: 3 standard deviations
const PATCH_DOTS = 1500;

/** sigmas below this are not told apart in the cloud and the cut. */
export const FINEST = 0.01;

/**
 * How many little cubes fit along each side for the cloud, and pixels for a cut: as fine as sigma asks for.
 * @param {number} sigma
 */
function grain(sigma) {
  /**
   * @param {number} count
   * @param {number} few
   * @param {number} many
   */
  const within = (count, few, many) => Math.round(Math.min(many, Math.max(few, count / sigma)));
  return { voxels: within(1.2, 8, 24), pixels: within(2.5, 16, 64) };
}

/**
 * f(z) on a grid of codes from -extent to extent, closer together in the middle, where most drawings are made.
 * @param {Drawer} model
 * @param {number} extent
 * @returns {Mesh}
 */
export function meshOf(model, extent) {
  const across = model.dim === 2 ? 37 : 241, rows = model.dim === 2 ? across : 1;
  const axis = Float64Array.from({ length: across }, (_, i) => {
    const u = (2 * i) / (across - 1) - 1;
    return extent * u * (0.5 + 0.5 * u * u);
  });
  /** @param {Pair[]} codes */
  const drawings = (codes) => {
    const points = new Float64Array(3 * codes.length);
    for (const [i, z] of codes.entries()) model.decode(...z, points.subarray(3 * i, 3 * i + 3));
    return points;
  };
  /** @type {Pair[]} */
  const codes = Array.from({ length: across * rows }, (_, i) => (
    [axis[i % across], rows > 1 ? axis[Math.floor(i / across)] : 0]));
  const lines = [];
  for (let k = Math.ceil(-extent / LINES); rows > 1 && k * LINES <= extent; k++) {
    lines.push(drawings(Array.from(axis, (z) => [z, k * LINES])), drawings(Array.from(axis, (z) => [k * LINES, z])));
  }
  return { points: drawings(codes), across, rows, lines };
}

/**
 * The sheet moved by `far` along its normals, at every second of its points.
 * @param {Mesh} mesh
 * @param {number} far
 * @returns {Mesh}
 */
export function offset({ points, across, rows }, far) {
  const fewer = (across + 1) / 2;
  const out = new Float64Array(3 * fewer * fewer);
  const u = [0, 0, 0], v = [0, 0, 0];
  for (let row = 0, at = 0; row < rows; row += 2) {
    for (let i = 0; i < across; i += 2, at += 3) {
      const here = row * across + i;
      const left = here - (i > 0 ? 1 : 0), right = here + (i < across - 1 ? 1 : 0);
      const below = here - (row > 0 ? across : 0), above = here + (row < rows - 1 ? across : 0);
      for (let k = 0; k < 3; k++) {
        u[k] = points[3 * right + k] - points[3 * left + k];
        v[k] = points[3 * above + k] - points[3 * below + k];
      }
      const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      const length = Math.hypot(...n) || 1; // where the sheet shrinks to a point it has no normal
      for (let k = 0; k < 3; k++) out[at + k] = points[3 * here + k] + (far * n[k]) / length;
    }
  }
  return { points: out, across: fewer, rows: fewer, lines: [] };
}

/**
 * P(x) as the mean density in each of the cube's little cubes: logs, with left, middle and right as the axes in turn.
 * @param {Sums} sums
 */
export function cloudOf(sums) {
  const { voxels } = grain(sums.sigma);
  const density = new Float64Array(voxels ** 3);
  const share = [0, 1, 2].map(() => new Float64Array(voxels));
  const first = [0, 0, 0], last = [0, 0, 0];
  const scale = Math.SQRT1_2 / sums.sigma, reach = 4 * sums.sigma;
  everyNode(sums, (weight, f, at) => {
    for (let axis = 0; axis < 3; axis++) { // the normal's share of each slice
      const place = f[at + axis];
      first[axis] = Math.max(0, Math.floor(voxels * (place - reach)));
      last[axis] = Math.min(voxels - 1, Math.floor(voxels * (place + reach)));
      let before = erf((first[axis] / voxels - place) * scale);
      for (let i = first[axis]; i <= last[axis]; i++) {
        const next = erf(((i + 1) / voxels - place) * scale);
        share[axis][i] = (next - before) / 2;
        before = next;
      }
    }
    for (let i = first[0]; i <= last[0]; i++) {
      for (let j = first[1]; j <= last[1]; j++) {
        const both = weight * share[0][i] * share[1][j];
        const row = (i * voxels + j) * voxels;
        for (let k = first[2]; k <= last[2]; k++) density[row + k] += both * share[2][k];
      }
    }
  });
  return density.map((mass) => Math.log(mass * voxels ** 3));
}

/**
 * The voxels within CLOUD_DEPTH of the highest: their middles, and how high each stands on the scale, up to 1.
 * @param {Float64Array} logs
 */
export function cloudDots(logs) {
  const voxels = Math.round(Math.cbrt(logs.length));
  const top = logs.reduce((a, b) => Math.max(a, b));
  /** @type {number[]} */
  const points = [], height = [];
  for (let voxel = 0; voxel < logs.length; voxel++) {
    if (!(logs[voxel] > top - CLOUD_DEPTH)) continue;
    const i = Math.floor(voxel / voxels ** 2), j = Math.floor(voxel / voxels) % voxels, k = voxel % voxels;
    points.push((i + 0.5) / voxels, (j + 0.5) / voxels, (k + 0.5) / voxels);
    height.push(1 + (logs[voxel] - top) / SCALE_DEPTH);
  }
  return { points: Float64Array.from(points), height: Float64Array.from(height), low: top - SCALE_DEPTH, top, voxels };
}

/**
 * log P(x) on a plane through the cube: pixels × pixels values, the first of the other two axes along the rows.
 * @param {Sums} sums  whose sigma is not much below a pixel
 * @param {number} axis  which of the three cells is held
 * @param {number} place  at what
 */
export function cutOf(sums, axis, place) {
  const { pixels } = grain(sums.sigma);
  const [p, q] = [0, 1, 2].filter((k) => k !== axis);
  const sum = new Float64Array(pixels ** 2);
  const along = new Float64Array(pixels), up = new Float64Array(pixels);
  const s = -0.5 / sums.sigma ** 2, reach = 7 * sums.sigma;
  /**
   * @param {number} middle
   * @param {Float64Array} out
   */
  const profile = (middle, out) => {
    const first = Math.max(0, Math.ceil(pixels * (middle - reach) - 0.5));
    const last = Math.min(pixels - 1, Math.floor(pixels * (middle + reach) - 0.5));
    for (let i = first; i <= last; i++) out[i] = Math.exp(s * ((i + 0.5) / pixels - middle) ** 2);
    return [first, last];
  };
  everyNode(sums, (weight, f, at) => {
    const away = place - f[at + axis];
    if (Math.abs(away) > reach) return;
    const here = weight * Math.exp(s * away * away);
    const [left, right] = profile(f[at + p], along);
    const [low, high] = profile(f[at + q], up);
    for (let j = low; j <= high; j++) {
      const share = here * up[j];
      for (let i = left; i <= right; i++) sum[j * pixels + i] += share * along[i];
    }
  });
  const constant = -3 * Math.log(sums.sigma) - 1.5 * Math.log(2 * Math.PI);
  return { logs: sum.map((v) => Math.log(v) + constant), pixels };
}

/**
 * All nodes whose weight matters in a picture.
 * @param {Sums} sums
 * @param {(weight: number, f: Float64Array, at: number) => void} visit
 */
function everyNode(sums, visit) {
  for (let cell = 0; cell < sums.top.length; cell++) {
    if (sums.top[cell] < -16) continue;
    const { f, logWeight } = sums.nodes(cell);
    for (let n = 0; n < logWeight.length; n++) visit(Math.exp(logWeight[n]), f, 3 * n);
  }
}

/**
 * Where P(z|x) is high: the drawings f(z) there, and the density as shares of the highest.
 * @param {Sums} sums
 * @param {Numbers} x
 */
export function patchOf(sums, x) {
  const points = /** @type {number[]} */ ([]), logs = /** @type {number[]} */ ([]);
  const s = -0.5 / sums.sigma ** 2;
  let top = -Infinity;
  sums.around(x, (_, { z, f }, n) => {
    const [a, b, c] = [x[0] - f[3 * n], x[1] - f[3 * n + 1], x[2] - f[3 * n + 2]];
    const density = s * (a * a + b * b + c * c) - 0.5 * (z[2 * n] ** 2 + z[2 * n + 1] ** 2);
    top = Math.max(top, density);
    points.push(f[3 * n], f[3 * n + 1], f[3 * n + 2]);
    logs.push(density);
  });
  const high = Array.from(logs.keys()).filter((i) => logs[i] > top - PATCH_DEPTH);
  const step = Math.ceil(high.length / PATCH_DOTS);
  const kept = high.filter((_, i) => i % step === 0);
  return {
    points: Float64Array.from(kept.flatMap((i) => points.slice(3 * i, 3 * i + 3))),
    height: Float64Array.from(kept, (i) => Math.exp(logs[i] - top)),
  };
}
