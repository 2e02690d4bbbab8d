// Vowels by source and filter, as vaecourse/data/vowels.py makes them; and which of them is nearest to what sounds.

/**
 * What `spec` says of the filter: Hz, Hz an octave and dB, as in Python.
 * @typedef {{ pitch: number, harmonics: number, f1: Pair, f2: Pair, fixed: number[], widths: number[], rate: number,
 *   slope: number, low: number, high: number }} Filter
 *
 * @typedef {{ jaw: number, tongue: number, f1: number, f2: number, off: number }} Vowel  the nearest, `off` in dB
 */

const STEPS = 201; // places of the jaw that are tried, and of the tongue
const CLOSE = 0.2; // so near, as shares of what jaw and tongue can do, a vowel is close to a named one
export const HEARD = 1; // dB; what differs by less sounds the same to most

export class Mouth {
  /** @param {Filter} filter */
  constructor(filter) {
    this.filter = filter;
    const { pitch, harmonics, fixed, widths, slope, low, high } = filter;
    this.range = high - low;
    /** @type {number[]} */
    this.hz = Array.from({ length: harmonics }, (_, i) => pitch * (i + 1));
    /** What neither jaw nor tongue changes, as a share of the scale. */
    this.rest = this.hz.map((f) => {
      const level = slope * Math.log2(f / pitch)
        + fixed.reduce((sum, resonance, i) => sum + this.gain(f, resonance, widths[i + 2]), 0);
      return (level - low) / this.range;
    });
    const places = Array.from({ length: STEPS }, (_, i) => i / (STEPS - 1));
    this.jaws = places.map((share) => this.part(0, share));
    this.tongues = places.map((share) => this.part(1, share).map((v, i) => v + this.rest[i]));
  }

  /**
   * What a resonator does to a tone, in dB (Klatt, 1980).
   * @param {number} f
   * @param {number} resonance
   * @param {number} width
   */
  gain(f, resonance, width) {
    const { rate } = this.filter, turn = (2 * Math.PI * f) / rate;
    const c = -Math.exp((-2 * Math.PI * width) / rate);
    const b = 2 * Math.exp((-Math.PI * width) / rate) * Math.cos((2 * Math.PI * resonance) / rate);
    const real = 1 - b * Math.cos(turn) - c * Math.cos(2 * turn);
    const imaginary = b * Math.sin(turn) + c * Math.sin(2 * turn);
    return 20 * Math.log10(1 - b - c) - 10 * Math.log10(real * real + imaginary * imaginary);
  }

  /**
   * Where the jaw (0) or the tongue (1) puts its resonance, in Hz.
   * @param {0 | 1} which
   * @param {number} share
   */
  resonance(which, share) {
    const [low, high] = which ? this.filter.f2 : this.filter.f1;
    return low + share * (high - low);
  }

  /**
   * What that resonance adds to each harmonic, as a share of the scale.
   * @param {0 | 1} which
   * @param {number} share
   */
  part(which, share) {
    const resonance = this.resonance(which, share), width = this.filter.widths[which];
    return Float64Array.from(this.hz, (f) => this.gain(f, resonance, width) / this.range);
  }

  /**
   * The picture of a vowel: the levels of its harmonics as shares of the scale.
   * @param {Numbers} place  of jaw and tongue
   */
  draw(place) {
    const tongue = this.part(1, place[1]);
    return this.part(0, place[0]).map((v, i) => v + tongue[i] + this.rest[i]);
  }

  /**
   * How far two pictures are apart: the root of the mean of the squared differences, in dB.
   * @param {Numbers} x
   * @param {Numbers} other
   */
  apart(x, other) {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += (x[i] - other[i]) ** 2;
    return this.range * Math.sqrt(sum / x.length);
  }

  /**
   * The vowel nearest to a picture, of all places of jaw and tongue.
   * @param {Numbers} x
   * @returns {Vowel}
   */
  nearest(x) {
    const left = new Float64Array(x.length);
    let [least, jaw, tongue] = [Infinity, 0, 0];
    for (let j = 0; j < STEPS; j++) {
      for (let i = 0; i < x.length; i++) left[i] = x[i] - this.jaws[j][i];
      for (let t = 0; t < STEPS; t++) {
        const known = this.tongues[t];
        let sum = 0;
        for (let i = 0; i < x.length && sum < least; i++) sum += (left[i] - known[i]) ** 2;
        if (sum < least) [least, jaw, tongue] = [sum, j / (STEPS - 1), t / (STEPS - 1)];
      }
    }
    const [f1, f2] = [this.resonance(0, jaw), this.resonance(1, tongue)];
    return { jaw, tongue, f1, f2, off: this.range * Math.sqrt(least / x.length) };
  }
}

/**
 * Which of the named vowels one is like, in words.
 * @param {{ jaw: number, tongue: number }} vowel
 * @param {Record<string, Pair>} named
 */
export function likeness({ jaw, tongue }, named) {
  const [[first, far], [second]] = Object.entries(named)
    .map(([name, place]) => /** @type {const} */ ([name, Math.hypot(jaw - place[0], tongue - place[1])]))
    .sort((a, b) => a[1] - b[1]);
  return far < CLOSE ? `close to “${first}”` : `between “${first}” and “${second}”`;
}

/**
 * What a listener would say of a sound.
 * @param {Vowel} vowel  the nearest
 * @param {Record<string, Pair>} named
 */
export function saying(vowel, named) {
  /** @param {number} f */
  const round = (f) => 10 * Math.round(f / 10);
  const where = `near ${round(vowel.f1)} and ${round(vowel.f2)} Hz`;
  return vowel.off < HEARD
    ? `A vowel with resonances ${where}, ${likeness(vowel, named)}.`
    : `No vowel of this mouth: even the nearest, with resonances ${where}, is ${vowel.off.toFixed(1)} dB away.`;
}
