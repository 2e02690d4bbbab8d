// P(x) = ∫ P(x|z) P(z) dz for three pixels, as a plain sum over codes: there are only one or two latent numbers.
//
// The latent space is cut into cells, finer in the middle. In a cell f(z) hardly bends, and the integrand is summed
// over the nodes of a Gauss–Legendre rule, the more of them the narrower P(x|z) is there. A cell in which no f(z) comes
// near the picture adds nothing, and is left out. The nodes of a cell serve every picture.

/** @typedef {import("./cube-models.js").Drawer} Drawer */
/** @typedef {{ z: Float64Array, f: Float64Array, logWeight: Float64Array }} Nodes  pairs, triples, log (area × P(z)) */

const ACROSS = 40; // cells, from z = -12 to 12
const DEPTH = 32; // nats below the largest term seen: what lies deeper is left out
const LOG_2PI = Math.log(2 * Math.PI);

/** Gauss–Legendre rules on [-1, 1]: nodes, weights. */
const RULES = new Map([1, 2, 3, 4].map((points) => [points, rule(points)]));

/**
 * The Gauss–Legendre rule of so many points: the roots of a Legendre polynomial, by Newton's steps.
 * @param {number} points
 * @returns {{ at: number[], weight: number[] }}
 */
function rule(points) {
  const at = [], weight = [];
  for (let i = 0; i < points; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (points + 0.5));
    let slope = 1;
    for (let step = 0; step < 20; step++) {
      let [p, before] = [x, 1];
      for (let n = 2; n <= points; n++) [p, before] = [((2 * n - 1) * x * p - (n - 1) * before) / n, p];
      slope = (points * (x * p - before)) / (x * x - 1);
      x -= p / slope;
    }
    at.push(x);
    weight.push(2 / ((1 - x * x) * slope * slope));
  }
  return { at, weight };
}

/**
 * Nodes and weights on [low, high] for an integrand that changes at `rate` (so many of its own widths for 1 in z).
 * @param {number} low
 * @param {number} high
 * @param {number} rate
 * @param {boolean} fine  to 1e-6 or so; else good enough for a picture
 */
function nodesOn(low, high, rate, fine) {
  const widths = rate * (high - low);
  const parts = Math.max(1, Math.ceil(widths / 3));
  const [few, some, many] = fine ? [2, 3, 4] : [1, 2, 3];
  const { at, weight } = /** @type {ReturnType<typeof rule>} */ (
    RULES.get(widths < 0.4 ? few : widths < 1.2 ? some : many));
  const half = (high - low) / parts / 2;
  const places = [], shares = [];
  for (let part = 0; part < parts; part++) {
    for (const [i, u] of at.entries()) {
      places.push(low + half * (2 * part + 1 + u));
      shares.push(half * weight[i]);
    }
  }
  return { places, shares };
}

export class Sums {
  /**
   * @param {Drawer} model
   * @param {number} sigma  of P(x|z)
   * @param {boolean} fine
   */
  constructor(model, sigma, fine = true) {
    this.model = model;
    this.sigma = sigma;
    this.fine = fine;
    this.axis = Float64Array.from({ length: ACROSS + 1 }, (_, i) => Math.sinh((6.4 * i) / ACROSS - 3.2));
    this.rows = model.dim === 2 ? ACROSS : 1;
    const cells = ACROSS * this.rows;
    this.middle = new Float64Array(3 * cells); // of the drawings f(z) of each cell
    this.radius = new Float64Array(cells); // how far they lie from it
    this.top = new Float64Array(cells); // the largest log P(z)
    this.slope = [new Float64Array(cells), new Float64Array(cells)]; // |∂f/∂z|
    /** @type {(Nodes | undefined)[]} */
    this.kept = new Array(cells);
    this.survey();
  }

  /** Looks at the corners of all cells. */
  survey() {
    const { model, axis, rows } = this;
    const lines = model.dim === 2 ? ACROSS + 1 : 1;
    const f = new Float64Array(3 * lines * (ACROSS + 1));
    for (let row = 0, at = 0; row < lines; row++) {
      const z2 = lines > 1 ? axis[row] : 0;
      for (let i = 0; i <= ACROSS; i++, at += 3) model.decode(axis[i], z2, f.subarray(at, at + 3));
    }
    /**
     * @param {number} a
     * @param {number} b
     */
    const apart = (a, b) => Math.hypot(f[a] - f[b], f[a + 1] - f[b + 1], f[a + 2] - f[b + 2]);
    for (let row = 0, cell = 0; row < rows; row++) {
      for (let i = 0; i < ACROSS; i++, cell++) {
        const a = 3 * (row * (ACROSS + 1) + i), b = a + 3;
        const c = model.dim === 2 ? a + 3 * (ACROSS + 1) : a, d = c + 3;
        let radius = 0;
        for (let k = 0; k < 3; k++) this.middle[3 * cell + k] = (f[a + k] + f[b + k] + f[c + k] + f[d + k]) / 4;
        for (const corner of [a, b, c, d]) {
          const [x, y, w] = [0, 1, 2].map((k) => f[corner + k] - this.middle[3 * cell + k]);
          radius = Math.max(radius, Math.hypot(x, y, w));
        }
        this.radius[cell] = 1.2 * radius + 1e-3; // it bends a little between its corners
        const wide = axis[i + 1] - axis[i], high = axis[row + 1] - axis[row];
        this.slope[0][cell] = (1.2 * Math.max(apart(a, b), apart(c, d))) / wide;
        this.slope[1][cell] = (1.2 * Math.max(apart(a, c), apart(b, d))) / high;
        this.top[cell] = -0.5 * (nearest(axis[i], axis[i + 1]) ** 2
          + (model.dim === 2 ? nearest(axis[row], axis[row + 1]) ** 2 : 0) + model.dim * LOG_2PI);
      }
    }
  }

  /**
   * The nodes of a cell: made when they are first wanted.
   * @param {number} cell
   * @returns {Nodes}
   */
  nodes(cell) {
    const known = this.kept[cell];
    if (known) return known;
    const { model, axis, sigma, fine } = this;
    const i = cell % ACROSS, row = Math.floor(cell / ACROSS);
    /**
     * @param {number} k  the place on the axis
     * @param {number} slope
     */
    const along = (k, slope) => nodesOn(
      axis[k], axis[k + 1], slope / sigma + 0.3 + 0.2 * Math.abs(axis[k] + axis[k + 1]), fine);
    const first = along(i, this.slope[0][cell]);
    const second = model.dim === 2 ? along(row, this.slope[1][cell]) : { places: [0], shares: [1] };
    const count = first.places.length * second.places.length;
    const made = {
      z: new Float64Array(2 * count), f: new Float64Array(3 * count), logWeight: new Float64Array(count),
    };
    let n = 0;
    for (const [k, z2] of second.places.entries()) {
      for (const [j, z1] of first.places.entries()) {
        made.z[2 * n] = z1;
        made.z[2 * n + 1] = z2;
        model.decode(z1, z2, made.f.subarray(3 * n, 3 * n + 3));
        const prior = -0.5 * (z1 * z1 + (model.dim === 2 ? z2 * z2 : 0) + model.dim * LOG_2PI);
        made.logWeight[n++] = prior + Math.log(first.shares[j] * second.shares[k]);
      }
    }
    this.kept[cell] = made;
    return made;
  }

  /**
   * The largest log P(x|z) P(z) that a cell can hold, but for P(x|z)'s constant.
   * @param {Numbers} x
   * @param {number} cell
   */
  bound(x, cell) {
    const { middle, radius, top, sigma } = this;
    const away = Math.hypot(x[0] - middle[3 * cell], x[1] - middle[3 * cell + 1], x[2] - middle[3 * cell + 2]);
    return top[cell] - 0.5 * (Math.max(0, away - radius[cell]) / sigma) ** 2;
  }

  /**
   * Goes through the nodes that matter for a picture; `visit` hears log P(x|z) P(z) × area, but for the constant.
   * @param {Numbers} x
   * @param {(height: number, nodes: Nodes, n: number) => void} visit
   */
  around(x, visit) {
    const cells = this.top.length;
    const bounds = new Float64Array(cells);
    let first = 0, best = -Infinity;
    for (let cell = 0; cell < cells; cell++) {
      bounds[cell] = this.bound(x, cell);
      if (bounds[cell] > bounds[first]) first = cell;
    }
    const s = -0.5 / this.sigma ** 2;
    for (let k = -1; k < cells; k++) {
      const cell = k < 0 ? first : k;
      if (k === first || bounds[cell] < best - DEPTH) continue;
      const nodes = this.nodes(cell);
      const { f, logWeight } = nodes;
      for (let n = 0; n < logWeight.length; n++) {
        const a = x[0] - f[3 * n], b = x[1] - f[3 * n + 1], c = x[2] - f[3 * n + 2];
        const height = s * (a * a + b * b + c * c) + logWeight[n];
        if (height > best) best = height;
        visit(height, nodes, n);
      }
    }
  }

  /**
   * log P(x), in nats.
   * @param {Numbers} x
   */
  logP(x) {
    let top = -Infinity, sum = 0;
    this.around(x, (height) => {
      if (height > top) {
        sum = sum * Math.exp(top - height) + 1;
        top = height;
      } else sum += Math.exp(height - top);
    });
    return top + Math.log(sum) - 3 * Math.log(this.sigma) - 1.5 * LOG_2PI;
  }
}

/**
 * The number of [low, high] that lies nearest to 0.
 * @param {number} low
 * @param {number} high
 */
function nearest(low, high) {
  return low > 0 ? low : high < 0 ? -high : 0;
}
