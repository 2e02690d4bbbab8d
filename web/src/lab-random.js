// Random numbers that a seed decides: the same seed gives the same weights, batches and noise in every browser.

/** @typedef {() => number} Random  draws from [0, 1) */

/**
 * A generator (mulberry32, by Tommy Ettinger: 32 bits of state, good enough for shuffling and noise).
 * @param {number} seed
 * @returns {Random}
 */
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Draws from N(0, 1), two at a time (Box and Muller, 1958).
 * @param {number} count
 * @param {Random} random
 */
export function normals(count, random) {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random())), angle = 2 * Math.PI * random();
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}

/**
 * The numbers from 0 to count - 1 in another order (Fisher and Yates).
 * @param {number} count
 * @param {Random} random
 */
export function shuffled(count, random) {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const k = Math.floor((i + 1) * random());
    [order[i], order[k]] = [order[k], order[i]];
  }
  return order;
}
