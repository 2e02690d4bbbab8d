// Three ways from A to B: the cross-fade, which leaves the sheet, the straight latent line, and the geodesic.

/** @typedef {import("./cube-models.js").Drawer} Drawer */

const PIECES = 160; // of a path: with fewer, a chain would step over a fold of the sheet
const STEPS = 30; // of the search for a geodesic, at the most
const STIFF = 1e-3; // weight of |z_{i+1} - z_i|²: else the chain would jump where the sheet touches itself

/**
 * f(z) and its slopes, by differences, written into places of longer arrays.
 * @param {Drawer} model
 * @param {number} z1
 * @param {number} z2
 * @param {Float64Array} f
 * @param {Float64Array} u  ∂f/∂z1
 * @param {Float64Array} v  ∂f/∂z2
 */
export function tangent(model, z1, z2, f, u, v, step = 1e-5) {
  model.decode(z1, z2, f);
  model.decode(z1 + step, z2, u);
  model.decode(z1, z2 + step, v); // the same as f where there is one latent number
  for (let k = 0; k < 3; k++) {
    u[k] = (u[k] - f[k]) / step;
    v[k] = (v[k] - f[k]) / step;
  }
}

/**
 * The product of two triples, each at its place.
 * @param {Float64Array} a
 * @param {number} i
 * @param {Float64Array} b
 * @param {number} j
 */
const dot = (a, i, b, j) => a[3 * i] * b[3 * j] + a[3 * i + 1] * b[3 * j + 1] + a[3 * i + 2] * b[3 * j + 2];

/**
 * A chain's energy, Σ |f(z_{i+1}) - f(z_i)|² and a little stiffness.
 * @param {Drawer} model
 * @param {Float64Array} path  pairs
 */
function energyOf(model, path) {
  let sum = 0;
  let [f, next] = [model.decode(path[0], path[1]), model.decode(path[0], path[1])];
  for (let i = 2; i < path.length; i += 2) {
    model.decode(path[i], path[i + 1], next);
    for (let k = 0; k < 3; k++) sum += (next[k] - f[k]) ** 2;
    for (let k = 0; k < 2; k++) sum += STIFF * (path[i + k] - path[i + k - 2]) ** 2;
    [f, next] = [next, f];
  }
  return sum;
}

/**
 * One step of Gauss and Newton on that energy: a system in blocks of 2 × 2, three to a row, solved from one end to the
 * other and back (Thomas). `damping` shortens the step, as Levenberg and Marquardt do.
 * @param {Drawer} model
 * @param {Float64Array} path
 * @param {number} damping
 * @param {number} extent  the plane's edge, beyond which no point goes
 */
function relaxed(model, path, damping, extent) {
  const last = path.length / 2 - 1;
  const [f, u, v] = [0, 1, 2].map(() => new Float64Array(3 * (last + 1)));
  for (let i = 0; i <= last; i++) {
    const [from, to] = [3 * i, 3 * i + 3];
    tangent(model, path[2 * i], path[2 * i + 1], f.subarray(from, to), u.subarray(from, to), v.subarray(from, to));
  }
  const above = new Float64Array(4 * last), carried = new Float64Array(2 * last);
  for (let i = 1; i < last; i++) {
    const uv = 2 * dot(u, i, v, i);
    let a = 2 * dot(u, i, u, i) + 2 * STIFF + damping, b = uv, c = uv, d = 2 * dot(v, i, v, i) + 2 * STIFF + damping;
    let r1 = 0, r2 = 0;
    for (let k = 0; k < 3; k++) {
      const pull = 2 * f[3 * i + k] - f[3 * i + k - 3] - f[3 * i + k + 3];
      r1 -= u[3 * i + k] * pull;
      r2 -= v[3 * i + k] * pull;
    }
    r1 -= STIFF * (2 * path[2 * i] - path[2 * i - 2] - path[2 * i + 2]);
    r2 -= STIFF * (2 * path[2 * i + 1] - path[2 * i - 1] - path[2 * i + 3]);
    if (i > 1) {
      const p = -dot(u, i, u, i - 1) - STIFF, q = -dot(u, i, v, i - 1);
      const r = -dot(v, i, u, i - 1), s = -dot(v, i, v, i - 1) - STIFF;
      const [e, g, h, j] = above.subarray(4 * i - 4, 4 * i);
      a -= p * e + q * h;
      b -= p * g + q * j;
      c -= r * e + s * h;
      d -= r * g + s * j;
      r1 -= p * carried[2 * i - 2] + q * carried[2 * i - 1];
      r2 -= r * carried[2 * i - 2] + s * carried[2 * i - 1];
    }
    const det = a * d - b * c;
    const p = -dot(u, i, u, i + 1) - STIFF, q = -dot(u, i, v, i + 1);
    const r = -dot(v, i, u, i + 1), s = -dot(v, i, v, i + 1) - STIFF;
    above.set([(d * p - b * r) / det, (d * q - b * s) / det, (a * r - c * p) / det, (a * s - c * q) / det], 4 * i);
    carried.set([(d * r1 - b * r2) / det, (a * r2 - c * r1) / det], 2 * i);
  }
  const next = path.slice();
  let s1 = 0, s2 = 0;
  for (let i = last - 1; i >= 1; i--) {
    const [e, g, h, j] = above.subarray(4 * i, 4 * i + 4);
    [s1, s2] = [carried[2 * i] - e * s1 - g * s2, carried[2 * i + 1] - h * s1 - j * s2];
    next[2 * i] = Math.min(extent, Math.max(-extent, path[2 * i] + s1));
    next[2 * i + 1] = Math.min(extent, Math.max(-extent, path[2 * i + 1] + s2));
  }
  return next;
}

/**
 * The path from a to b on the plane shown along which f changes least, as far as a search from the straight line finds:
 * pairs.
 * @param {Drawer} model
 * @param {Pair} a
 * @param {Pair} b
 * @param {number} extent
 */
export function geodesic(model, a, b, extent) {
  let path = line(a, b);
  let energy = energyOf(model, path);
  let damping = 1e-3;
  for (let i = 0; i < STEPS && damping < 1e3; i++) {
    const next = relaxed(model, path, damping, extent);
    const reached = energyOf(model, next);
    if (reached >= energy) {
      damping *= 10;
      continue;
    }
    const gain = 1 - reached / energy;
    [path, energy, damping] = [next, reached, damping / 5];
    if (gain < 1e-4) break;
  }
  return path;
}

/**
 * The straight line from a to b: pairs.
 * @param {Pair} a
 * @param {Pair} b
 */
export function line(a, b) {
  return Float64Array.from({ length: 2 * (PIECES + 1) }, (_, at) => {
    const k = at % 2, t = (at - k) / 2 / PIECES;
    return a[k] + t * (b[k] - a[k]);
  });
}

/**
 * The pictures f(z) along a path: triples.
 * @param {Drawer} model
 * @param {Float64Array} path
 */
export function drawn(model, path) {
  const points = new Float64Array((3 * path.length) / 2);
  for (let i = 0, at = 0; i < path.length; i += 2, at += 3) {
    model.decode(path[i], path[i + 1], points.subarray(at, at + 3));
  }
  return points;
}

/**
 * The cross-fade of the first and the last of some pictures: as many.
 * @param {Float64Array} points
 */
export function chord(points) {
  const last = points.length / 3 - 1;
  return points.map((_, at) => {
    const k = at % 3, t = (at - k) / 3 / last;
    return (1 - t) * points[k] + t * points[3 * last + k];
  });
}

/**
 * How far a path goes in the cube, in grey levels.
 * @param {Float64Array} points
 */
export function lengthOf(points) {
  let sum = 0;
  for (let i = 3; i < points.length; i += 3) {
    sum += Math.hypot(points[i] - points[i - 3], points[i + 1] - points[i - 2], points[i + 2] - points[i - 1]);
  }
  return sum;
}

/**
 * Which of a path's pictures stand at equal lengths along it: `count` of their numbers.
 * @param {Float64Array} points
 * @param {number} count
 */
export function evenly(points, count) {
  const whole = lengthOf(points);
  const picked = [];
  for (let i = 0, gone = 0; i < points.length / 3; i++) {
    if (i > 0) gone += lengthOf(points.subarray(3 * i - 3, 3 * i + 3));
    while (picked.length < count && gone >= (whole * picked.length) / (count - 1) - 1e-9) picked.push(i);
  }
  return picked;
}
